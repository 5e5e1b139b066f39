import Basics
import Remoting

/// Compares a recorded answer with a replayed one, as values.
///
/// What may differ: opaque, version and language, remarks (clients branch on the code), the order of lists, members that
/// only 5.x writes, and whatever a NameServer says of itself (its settings, its status).
enum AnswerComparison {
    /// What differs, in words; nil when nothing does.
    static func difference(
        _ code: Int32, recorded: RemotingCommand, replayed: RemotingCommand
    ) -> (recorded: String, replayed: String)? {
        guard recorded.code == replayed.code else { return (words(recorded), words(replayed)) }
        let (ours, theirs) = (fields(recorded), fields(replayed))
        if ours != theirs { return ("fields \(ours)", "fields \(theirs)") }
        guard isComparable(code) else { return nil }
        let (left, right) = (normal(code, recorded.body), normal(code, replayed.body))
        return ByteDifference(left, right).map { ($0.reference, $0.candidate) }
    }

    /// Whether the body is about what brokers and operators told, and not about the NameServer itself.
    static func isComparable(_ code: Int32) -> Bool {
        ![RequestCode.getNameServerConfig, RequestCode.getNodeStatus, RequestCode.getGossipStatus].contains(code)
    }

    private static func words(_ answer: RemotingCommand) -> String {
        "code \(answer.code)" + (answer.remark?.split(separator: "\n").first.map { ", \($0)" } ?? "")
    }

    private static func fields(_ answer: RemotingCommand) -> String {
        (answer.fields ?? []).sorted { $0.name < $1.name }.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    }

    // MARK: Bodies

    /// A body written anew, in one order and one dialect; as it is when it is none that we know.
    private static func normal(_ code: Int32, _ body: [UInt8]) -> [UInt8] {
        switch code {
        case RequestCode.getRouteInfoByTopic:
            return rewritten(body) { (route: inout TopicRouteData) in
                route.brokerDatas = route.brokerDatas.map(normal).sorted { $0.brokerName < $1.brokerName }
                route.queueDatas.sort { $0.brokerName < $1.brokerName }
                route.filterServerTable = route.filterServerTable.filter { !$0.value.isEmpty }
            }
        case RequestCode.getBrokerClusterInfo:
            return rewritten(body) { (info: inout ClusterInfo) in
                info.brokerAddrTable = info.brokerAddrTable.mapValues(normal)
                info.clusterAddrTable = info.clusterAddrTable.mapValues { $0.sorted() }
            }
        case RequestCode.getAllTopicListFromNameServer, RequestCode.getTopicsByCluster,
            RequestCode.getSystemTopicListFromNameServer, RequestCode.getUnitTopicList,
            RequestCode.getHasUnitSubTopicList, RequestCode.getHasUnitSubUnunitTopicList:
            return rewritten(body) { (list: inout TopicList) in
                list.topicList.sort()
                // Some broker's, whichever comes first.
                list.brokerAddr = nil
            }
        case RequestCode.registerBroker, RequestCode.getKVListByNamespace:
            return rewritten(body) { (_: inout KVTable) in }
        case RequestCode.getBrokerMemberGroup: return rewritten(body) { (_: inout BrokerMemberGroup) in }
        case RequestCode.queryDataVersion:
            let version = body.withUnsafeBytes {
                try? DataVersion.decode($0, receivedAt: WallTime(milliseconds: 0))
            }
            return version?.encoded() ?? body
        default: return body
        }
    }

    private static func rewritten<Body: RemotingBody>(_ body: [UInt8], _ change: (inout Body) -> Void) -> [UInt8] {
        guard var value = try? Body.decode(body) else { return body }
        change(&value)
        return value.encoded(.standard)
    }

    /// 4.x says nothing of acting masters; that means no.
    private static func normal(_ group: BrokerData) -> BrokerData {
        var group = group
        group.enableActingMaster = group.enableActingMaster ?? false
        return group
    }
}
