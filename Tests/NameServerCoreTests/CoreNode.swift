import Basics
import NameServerCore
import Remoting

/// A NameServer core under test: requests go in as encoded frames, answers are decoded; time stands still unless moved.
final class CoreNode {
    var core: NameServer
    var now = Instant(nanoseconds: 1_000_000_000)
    var wallTime = WallTime(milliseconds: 1_800_000_000_000)
    /// All directives since the last `takeDirectives`.
    var directives: [Directive] = []
    /// Topics of a registration decoded elsewhere that enter the tables in one step, and what happens between two steps.
    var stepTopics = Int.max
    var betweenSteps: (() -> Void)?
    private var header = CommandHeader()
    private var opaque: Int32 = 0

    init(
        properties: NamesrvProperties = NamesrvProperties(), limits: NameServerLimits = NameServerLimits(),
        kv: KVConfigFile = KVConfigFile(), tracking hash: KeyedHash? = nil
    ) {
        core = NameServer(
            name: "ns-1", software: "hearsay test", properties: properties, limits: limits, kv: kv, startedAt: now)
        if let hash { core.trackFirstHand(hash: hash) }
    }

    /// Hands in one command; nil when no answer came.
    @discardableResult
    func send(_ command: RemotingCommand, from connection: UInt64 = 1, as type: SerializeType = .json)
        -> RemotingCommand?
    {
        let (answer, handled) = handle(command, from: connection, as: type)
        if case .decode(let pending) = handled { return finish(pending) }
        return answer
    }

    /// Hands in one command without decoding what is left pending.
    func handle(
        _ command: RemotingCommand, from connection: UInt64 = 1, as type: SerializeType = .json
    ) -> (answer: RemotingCommand?, handled: Handled) {
        opaque += 1
        var command = command
        command.opaque = opaque
        var output = ByteWriter()
        let handled = command.encoded(as: type).withUnsafeBytes { bytes in
            guard let result = try? Frame.first(in: bytes), case .frame(let frame) = result,
                (try? header.decode(frame)) != nil
            else { preconditionFailure("the test's own frame is malformed") }
            return core.handle(
                header, body: frame.body, from: connection, now: now, wallTime: wallTime, output: &output,
                directives: &directives)
        }
        return (decoded(output), handled)
    }

    func finish(_ pending: PendingRegistration) -> RemotingCommand? {
        let number = opaque
        var output = ByteWriter()
        var isOver = core.begin(
            pending.withoutBody, pending.decode(), atMost: stepTopics, output: &output, directives: &directives)
        while !isOver {
            precondition(output.count == 0, "an answer before the end")
            betweenSteps?()
            isOver = core.proceed(atMost: stepTopics, output: &output, directives: &directives)
        }
        return decoded(output, to: number)
    }

    func hasRoom(for bytes: Int) -> Bool { core.hasRoom(for: bytes) }

    private func decoded(_ output: borrowing ByteWriter, to number: Int32? = nil) -> RemotingCommand? {
        guard output.count > 0 else { return nil }
        guard let result = try? Frame.first(in: output.bytes), case .frame(let frame) = result,
            frame.length == output.count, let answer = try? RemotingCommand(decoding: frame)
        else { preconditionFailure("not exactly one frame: \(String(decoding: output.bytes, as: UTF8.self))") }
        precondition(answer.opaque == number ?? opaque && answer.isResponse, "answer to something else: \(answer)")
        return answer
    }

    func pass(_ duration: Duration) {
        now = now + duration
        wallTime.milliseconds += duration.wholeMilliseconds
    }

    func scan() { core.scan(now: now, wallTime: wallTime, directives: &directives) }

    func close(_ connection: UInt64, isIdle: Bool = false) {
        core.connectionClosed(connection, isIdle: isIdle, now: now, wallTime: wallTime, directives: &directives)
    }

    func takeDirectives() -> [Directive] {
        defer { directives = [] }
        return directives
    }

    /// The kinds of the events since the last `takeDirectives`.
    var eventKinds: [TableEvent.Kind] {
        directives.compactMap { if case .event(let event) = $0 { event.kind } else { nil } }
    }

    /// First-hand changes since the last `takeDirectives`.
    var changes: [FirstHandChange] {
        directives.compactMap { if case .firstHand(let change) = $0 { change } else { nil } }
    }

    /// The first-hand entry of the replica that registers so.
    func token(of registration: Registration = Registration()) -> ReplicaToken? {
        core.token(of: registration.identity)
    }

    func summary(of registration: Registration) -> RegistrationSummary? {
        token(of: registration).flatMap { core.summary(of: $0) }
    }

    var closed: [UInt64] {
        directives.compactMap { if case .close(let connection) = $0 { connection } else { nil } }
    }

    var notifications: [(addresses: [String], command: RemotingCommand)] {
        directives.compactMap { if case .notify(let addresses, let command) = $0 { (addresses, command) } else { nil } }
    }

    // MARK: Requests

    func call(
        _ code: Int32, _ fields: KeyValuePairs<String, String> = [:], body: String = "", version: Int32 = 479,
        from connection: UInt64 = 1
    ) -> RemotingCommand {
        var command = RemotingCommand(request: code, fields: fields, body: [UInt8](body.utf8))
        command.version = version
        guard let answer = send(command, from: connection) else { preconditionFailure("no answer to \(code)") }
        return answer
    }

    @discardableResult
    func register(_ registration: Registration = Registration(), from connection: UInt64 = 1) -> RemotingCommand {
        guard let answer = send(registration.command, from: connection) else {
            preconditionFailure("no answer to a registration")
        }
        return answer
    }

    @discardableResult
    func unregister(
        _ address: String = "10.0.0.1:10911", name: String = "broker-a", cluster: String = "C", id: Int64 = 0,
        from connection: UInt64 = 1
    ) -> RemotingCommand {
        call(
            RequestCode.unregisterBroker,
            ["brokerName": name, "brokerAddr": address, "clusterName": cluster, "brokerId": "\(id)"],
            from: connection)
    }

    func route(_ topic: String, version: Int32 = 479) -> RemotingCommand {
        call(RequestCode.getRouteInfoByTopic, ["topic": topic], version: version)
    }

    /// The decoded route; nil for code 17.
    func routeData(_ topic: String) -> TopicRouteData? {
        let answer = route(topic)
        return answer.code == 0 ? try? TopicRouteData.decode(answer.body) : nil
    }

    func clusterInfo() -> String { call(RequestCode.getBrokerClusterInfo).text }
    func topicList() -> String { call(RequestCode.getAllTopicListFromNameServer).text }

    /// The addresses of a group by id.
    func group(_ name: String = "broker-a") -> [Int64: String] {
        let body = call(RequestCode.getBrokerClusterInfo).body
        guard let info = try? ClusterInfo.decode(body) else { preconditionFailure("no ClusterInfo") }
        return info.brokerAddrTable[name]?.brokerAddrs ?? [:]
    }
}

extension RemotingCommand {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A REGISTER_BROKER with the defaults of protocol.md section 8.
struct Registration {
    var cluster: String? = "C"
    var name: String? = "broker-a"
    var id: String? = "0"
    var address: String? = "10.0.0.1:10911"
    var haAddress: String? = "10.0.0.1:10912"
    var actingMaster: String?
    var zone: String?
    var timeoutMillis: Int64?
    var topics = [
        TopicConfig(topicName: "A", readQueueNums: 8, writeQueueNums: 8),
        TopicConfig(topicName: "B", readQueueNums: 4, writeQueueNums: 4),
    ]
    var version = DataVersion(counter: 1, timestamp: 1_700_000_000_000)
    var filterServers: [String] = []
    var compressed = false
    var requestVersion: Int32 = 479
    /// nil computes the right one.
    var crc: String?
    /// nil encodes the topics.
    var body: [UInt8]?

    var identity: ReplicaIdentity {
        ReplicaIdentity(cluster: cluster!, name: name!, id: Int64(id!)!, address: address!)
    }

    static func topic(_ name: String, _ read: Int32 = 4, _ write: Int32 = 4, perm: Int32 = 6, flag: Int32 = 0)
        -> TopicConfig
    {
        var config = TopicConfig(topicName: name, readQueueNums: read, writeQueueNums: write, perm: perm)
        config.topicSysFlag = flag
        return config
    }

    static func slave(_ id: Int64 = 1, _ address: String = "10.0.0.2:10911", acting: String? = nil) -> Registration {
        var registration = Registration()
        registration.id = "\(id)"
        registration.address = address
        registration.haAddress = nil
        registration.actingMaster = acting
        return registration
    }

    func with(_ change: (inout Registration) -> Void) -> Registration {
        var copy = self
        change(&copy)
        return copy
    }

    var command: RemotingCommand {
        let body =
            body
            ?? RegistrationBody.encode(
                topics: topics, dataVersion: version, filterServers: filterServers, compressed: compressed,
                version: requestVersion)
        var command = RemotingCommand(request: RequestCode.registerBroker, body: body)
        command.version = requestVersion
        var fields: [RemotingCommand.Field] = []
        func add(_ name: String, _ value: String?) {
            if let value { fields.append(.init(name: name, value: value)) }
        }
        add("brokerName", name)
        add("brokerAddr", address)
        add("clusterName", cluster)
        add("haServerAddr", haAddress)
        add("brokerId", id)
        add("heartbeatTimeoutMillis", timeoutMillis.map(String.init))
        add("enableActingMaster", actingMaster)
        add("compressed", compressed ? "true" : nil)
        add("bodyCrc32", crc ?? "\(body.withUnsafeBytes { Checksum.bodyCRC32($0) })")
        add("__ZONE_NAME", zone)
        command.fields = fields
        return command
    }
}
