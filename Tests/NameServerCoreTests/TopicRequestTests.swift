import NameServerCore
import Remoting
import Testing

/// Permissions, topics, lists, versions and groups: protocol.md section 8, items 92 to 103.
@Suite struct TopicRequestTests {
    private func perm(_ node: CoreNode, _ topic: String, _ broker: String = "broker-a") -> Int32? {
        node.routeData(topic)?.queueDatas.first { $0.brokerName == broker }?.perm
    }

    @Test("92: a wiped permission lasts until the broker's version changes") func wipes() {
        let node = CoreNode()
        node.register()
        #expect(
            node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"]).fields == [
                .init(name: "wipeTopicCount", value: "2")
            ])
        #expect(perm(node, "A") == 4)
        node.register()
        #expect(perm(node, "A") == 4)
        node.register(Registration().with { $0.version.counter = 2 })
        #expect(perm(node, "A") == 6)
    }

    @Test("93, 94: what both requests do to other bits") func changesBits() {
        let node = CoreNode()
        node.register(
            Registration().with { $0.topics = [Registration.topic("P", perm: 7), Registration.topic("Q", perm: 4)] })
        _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
        #expect([perm(node, "P"), perm(node, "Q")] == [5, 4])
        let added = node.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"])
        #expect(added["addTopicCount"] == "2")
        #expect([perm(node, "P"), perm(node, "Q")] == [6, 6])
        #expect(node.call(RequestCode.addWritePermOfBroker, ["brokerName": "nobody"])["addTopicCount"] == "0")
        #expect(node.call(RequestCode.wipeWritePermOfBroker)["wipeTopicCount"] == "0")
    }

    @Test("95: deleting a topic") func deletesTopics() {
        let node = CoreNode()
        node.register()
        node.register(
            Registration().with { ($0.cluster, $0.name, $0.address) = ("D", "broker-b", "10.0.1.1:1") }, from: 2)
        #expect(node.call(RequestCode.deleteTopicInNameServer, ["topic": "A", "clusterName": "nowhere"]).code == 0)
        #expect(node.call(RequestCode.deleteTopicInNameServer).code == 0)
        #expect(node.routeData("A")?.queueDatas.count == 2)
        _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "A", "clusterName": "D"])
        #expect(node.routeData("A")?.queueDatas.map(\.brokerName) == ["broker-a"])
        _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "B", "clusterName": ""])
        #expect(node.routeData("B") == nil)
    }

    @Test("96, 97: putting a topic on brokers") func registersTopics() {
        let node = CoreNode()
        node.register()
        node.register(Registration().with { ($0.name, $0.address) = ("broker-b", "10.0.1.1:1") }, from: 2)
        func put(_ topic: String, _ body: String) -> Int32 {
            node.call(RequestCode.registerTopicInNameServer, ["topic": topic], body: body).code
        }
        func queues(_ names: String...) -> String {
            let items = names.map { #"{"brokerName":"\#($0)","perm":4,"readQueueNums":1,"writeQueueNums":1}"# }
            return #"{"queueDatas":[\#(items.joined(separator: ","))]}"#
        }
        #expect(put("T9", queues("broker-a")) == 0)
        #expect(perm(node, "T9") == 4)
        #expect(put("T10", queues("broker-a", "zz")) == 0)
        #expect(node.routeData("T10") == nil)
        #expect(put("T11", #"{"queueDatas":[]}"#) == 0)
        #expect(put("T11", "") == 0)
        #expect(put("T11", "null") == 0)
        #expect(put("T11", "xx") == 1)
        #expect(node.routeData("T11") == nil)
        #expect(put("A", queues("broker-a", "zz", "broker-b")) == 0)
        #expect(perm(node, "A") == 4)
        #expect(perm(node, "A", "broker-b") == 6)
    }

    @Test("98, 99: lists by cluster and of the system") func listsSystem() {
        let node = CoreNode()
        #expect(node.call(RequestCode.getSystemTopicListFromNameServer).text == #"{"topicList":[]}"#)
        node.register()
        #expect(node.call(RequestCode.getTopicsByCluster, ["cluster": "C"]).text == #"{"topicList":["A","B"]}"#)
        #expect(node.call(RequestCode.getTopicsByCluster, ["cluster": "D"]).text == #"{"topicList":[]}"#)
        #expect(node.call(RequestCode.getTopicsByCluster).text == #"{"topicList":[]}"#)
        #expect(
            node.call(RequestCode.getSystemTopicListFromNameServer).text
                == #"{"brokerAddr":"10.0.0.1:10911","topicList":["C","broker-a"]}"#)
    }

    @Test("100: unit topics") func listsUnitTopics() {
        let node = CoreNode()
        node.register(
            Registration().with { $0.topics = (0...3).map { Registration.topic("U\($0)", flag: Int32($0)) } })
        #expect(node.call(RequestCode.getUnitTopicList).text == #"{"topicList":["U1","U3"]}"#)
        #expect(node.call(RequestCode.getHasUnitSubTopicList).text == #"{"topicList":["U2","U3"]}"#)
        #expect(node.call(RequestCode.getHasUnitSubUnunitTopicList).text == #"{"topicList":["U2"]}"#)
    }

    @Test("101: lists can be switched off") func disablesLists() {
        let node = CoreNode()
        let lists = [
            RequestCode.getTopicsByCluster, RequestCode.getUnitTopicList, RequestCode.getHasUnitSubTopicList,
            RequestCode.getHasUnitSubUnunitTopicList,
        ]
        _ = node.call(RequestCode.updateNameServerConfig, body: "enableTopicList=false")
        for code in lists {
            #expect(node.call(code).code == 1)
            #expect(node.call(code).remark == "disable")
        }
        #expect(node.call(RequestCode.getAllTopicListFromNameServer).code == 0)
        #expect(node.call(RequestCode.getSystemTopicListFromNameServer).code == 0)
        _ = node.call(RequestCode.updateNameServerConfig, body: "enableAllTopicList=false")
        #expect(node.call(RequestCode.getAllTopicListFromNameServer).remark == "disable")
    }

    @Test("102: the registered DataVersion") func comparesVersions() {
        let node = CoreNode()
        node.register()
        let stored = #"{"counter":1,"stateVersion":0,"timestamp":1700000000000}"#
        func query(_ body: String, _ address: String = "10.0.0.1:10911") -> RemotingCommand {
            node.call(RequestCode.queryDataVersion, ["clusterName": "C", "brokerAddr": address], body: body)
        }
        #expect(query(stored)["changed"] == "false")
        #expect(query(stored).text == stored)
        #expect(query(#"{"counter":2,"timestamp":1700000000000}"#)["changed"] == "true")
        #expect(query(#"{"counter":2,"timestamp":1700000000000}"#).text == stored)
        #expect(query("")["changed"] == "true")
        #expect(query("null")["changed"] == "true")
        #expect(query("xx").code == 1)
        #expect(query(stored, "x:1")["changed"] == "true")
        #expect(query(stored, "x:1").body.isEmpty)
        #expect(node.call(RequestCode.queryDataVersion, ["clusterName": "C"]).code == 1)
    }

    @Test("103: member groups") func showsMembers() {
        let node = CoreNode()
        node.register()
        let known = node.call(RequestCode.getBrokerMemberGroup, ["clusterName": "X", "brokerName": "broker-a"])
        #expect(known.remark == "not set any response code")
        #expect(
            known.text
                == #"{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"X"}}"#)
        #expect(
            node.call(RequestCode.getBrokerMemberGroup, ["clusterName": "X"]).text
                == #"{"brokerMemberGroup":{"brokerAddrs":{},"cluster":"X"}}"#)
    }

    @Test("20 to 23: envelopes") func answersEnvelopes() {
        let node = CoreNode()
        var command = RemotingCommand(request: RequestCode.getAllTopicListFromNameServer)
        #expect(node.send(command)?.code == 0)
        #expect(node.send(command, as: .rocketMQ)?.code == 0)
        command.flag = RemotingCommand.onewayFlag
        #expect(node.send(command) == nil)
        command.flag = RemotingCommand.responseFlag
        #expect(node.send(command) == nil)
        let unknown = node.call(9999)
        #expect(unknown.code == 3)
        #expect(unknown.remark == " request type 9999 not supported")
        #expect(unknown.fields == nil)
        var oneway = Registration().command
        oneway.flag = RemotingCommand.onewayFlag
        #expect(node.send(oneway) == nil)
        #expect(node.routeData("A") != nil)
    }
}
