// The requests of protocol.md §2 as one-line calls on a raw connection, for tests that talk to a NameServer.

extension RawConnection {
    /// Sends `request` with a fresh opaque and receives its answer.
    ///
    /// - Throws: `TestSupportError` when no answer comes, or one that belongs to another request.
    public func call(_ request: RawRequest) throws -> RawFrame {
        let opaque = nextOpaque()
        try send(request.frame(opaque: opaque))
        let answer = try receiveFrame()
        guard answer.opaque == Int64(opaque), answer.flag == 1 else {
            throw TestSupportError("answer to another request than \(opaque): \(answer.headerText)")
        }
        return answer
    }

    /// Sends a request without parameters, or with `fields`.
    public func call(_ code: Int32, _ fields: KeyValuePairs<String, String?> = [:], body: String = "") throws
        -> RawFrame
    {
        try call(RawRequest(code, fields, body: body))
    }

    /// REG{...}.
    @discardableResult
    public func register(_ registration: Registration = Registration()) throws -> RawFrame {
        try call(registration.request)
    }

    /// UNREG{...} of §8.
    @discardableResult
    public func unregister(
        cluster: String? = "C", broker: String? = "broker-a", id: String? = "0", address: String? = "10.0.0.1:10911"
    ) throws -> RawFrame {
        try call(104, ["brokerName": broker, "brokerAddr": address, "clusterName": cluster, "brokerId": id])
    }

    /// ROUTE(topic) of §8, or from a caller of another version.
    public func route(_ topic: String, version: Int32 = 479) throws -> RawFrame {
        try call(RawRequest(105, ["topic": topic]).with(version: version))
    }

    /// 106 as text.
    public func clusterInfo() throws -> String {
        try call(106).bodyText
    }

    /// The addresses of a replica group by id as text, from 901; empty when there is none.
    public func group(_ broker: String = "broker-a", cluster: String = "C") throws -> [String: String] {
        let answer = try call(901, ["clusterName": cluster, "brokerName": broker])
        return try answer.json()["brokerMemberGroup"]?["brokerAddrs"]?.members.compactMapValues(\.text) ?? [:]
    }

    /// The queue data of `topic` by broker name; nil when there is no route.
    public func queues(_ topic: String) throws -> [String: RouteQueue]? {
        let answer = try route(topic)
        guard answer.code == 0 else { return nil }
        return RouteQueue.byBroker(try answer.json())
    }

    /// 322 with `dataVersion` as body.
    public func queryDataVersion(
        _ dataVersion: String?, cluster: String? = "C", address: String? = "10.0.0.1:10911"
    ) throws -> RawFrame {
        try call(
            322, ["brokerName": "broker-a", "brokerAddr": address, "clusterName": cluster, "brokerId": "0"],
            body: dataVersion ?? "")
    }

    /// The topic list of an answer, sorted, to a request such as 206.
    public func topicList(_ code: Int32, _ fields: KeyValuePairs<String, String?> = [:]) throws -> [String] {
        let answer = try call(code, fields)
        guard answer.code == 0 else { throw TestSupportError("\(code): \(answer.headerText)") }
        return try answer.json()["topicList"]?.elements.compactMap(\.text).sorted() ?? []
    }
}

/// One QueueData of a route.
public struct RouteQueue: Hashable, Sendable {
    /// `readQueueNums`.
    public var read: Int64?
    /// `writeQueueNums`.
    public var write: Int64?
    /// The permission bits: 4 read, 2 write, 1 inherit.
    public var perm: Int64?
    /// `topicSysFlag`.
    public var sysFlag: Int64?

    /// Makes the value a test expects.
    public init(read: Int64 = 8, write: Int64 = 8, perm: Int64 = 6, sysFlag: Int64 = 0) {
        self.read = read
        self.write = write
        self.perm = perm
        self.sysFlag = sysFlag
    }

    /// The `queueDatas` of a route body by broker name.
    public static func byBroker(_ route: JSONMeaning) -> [String: RouteQueue] {
        var result: [String: RouteQueue] = [:]
        for queue in route["queueDatas"]?.elements ?? [] {
            var value = RouteQueue()
            value.read = queue["readQueueNums"]?.integer
            value.write = queue["writeQueueNums"]?.integer
            value.perm = queue["perm"]?.integer
            value.sysFlag = queue["topicSysFlag"]?.integer
            result[queue["brokerName"]?.text ?? ""] = value
        }
        return result
    }

    /// The addresses by id of each broker in the `brokerDatas` of a route body.
    public static func addresses(_ route: JSONMeaning) -> [String: [String: String]] {
        var result: [String: [String: String]] = [:]
        for broker in route["brokerDatas"]?.elements ?? [] {
            result[broker["brokerName"]?.text ?? ""] = broker["brokerAddrs"]?.members.compactMapValues(\.text) ?? [:]
        }
        return result
    }
}
