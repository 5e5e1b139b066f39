import Basics
import Remoting
import Testing

@testable import BrokerAgent

/// One broker core in virtual time; what it sends is gathered per connection.
struct BrokerScript {
    var core: BrokerCore
    var now = Instant.zero
    var sent: [(connection: UInt64, command: RemotingCommand)] = []
    var registered: [[String]] = []
    private var lastOpaque: Int32 = 100

    init(id: Int64 = 0, limits: BrokerLimits = BrokerLimits(), wallTime: Int64 = 1_700_000_000_000) {
        let identity = BrokerIdentity(name: "broker-a", brokerID: id, address: Address(host: "127.0.0.1", port: 10_911))
        core = BrokerCore(
            identity: identity, limits: limits, now: .zero, wallTime: WallTime(milliseconds: wallTime))
    }

    var wallTime: WallTime { WallTime(milliseconds: 1_700_000_000_000 + now.milliseconds(since: .zero)) }

    /// Sends a request and gives the answer that came at once, if any.
    mutating func ask(
        _ code: Int32, _ fields: KeyValuePairs<String, String> = [:], body: [UInt8] = [], from connection: UInt64 = 1,
        oneway: Bool = false
    ) -> RemotingCommand? {
        var command = RemotingCommand(request: code, fields: fields, body: body)
        lastOpaque += 1
        command.opaque = lastOpaque
        if oneway { command.flag = RemotingCommand.onewayFlag }
        let before = sent.count
        deliver(command, from: connection)
        return sent[before...].first { $0.connection == connection && $0.command.opaque == command.opaque }?.command
    }

    mutating func deliver(_ command: RemotingCommand, from connection: UInt64) {
        var directives: [BrokerCore.Directive] = []
        core.handle(
            command, from: connection, at: Address(host: "10.0.0.9", port: 40_000), now: now, wallTime: wallTime,
            directives: &directives)
        take(directives)
    }

    /// Lets time pass, stopping at every deadline on the way.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while true {
            now = min(max(core.nextDeadline, now), end)
            var directives: [BrokerCore.Directive] = []
            core.advance(now: now, wallTime: wallTime, directives: &directives)
            take(directives)
            if now == end { return }
        }
    }

    mutating func close(_ connection: UInt64) {
        var directives: [BrokerCore.Directive] = []
        core.connectionClosed(connection, directives: &directives)
        take(directives)
    }

    mutating func take(_ directives: [BrokerCore.Directive]) {
        for directive in directives {
            switch directive {
            case .send(let connection, let command): sent.append((connection, command))
            case .topicsChanged(let names): registered.append(names)
            }
        }
    }

    // MARK: What clients do

    mutating func send(
        _ text: String, to topic: String = "T", queue: Int32 = 0, properties: String = "", sysFlag: Int32 = 0,
        from connection: UInt64 = 1
    ) -> RemotingCommand? {
        ask(
            310,
            [
                "a": "PG", "b": topic, "c": "TBW102", "d": "4", "e": "\(queue)", "f": "\(sysFlag)",
                "g": "1700000000000", "h": "0", "i": properties, "j": "0", "k": "false", "m": "false",
            ], body: Array(text.utf8), from: connection)
    }

    mutating func pull(
        _ topic: String = "T", queue: Int32 = 0, from offset: Int64, suspend: Int64 = 0, tags: String? = nil,
        connection: UInt64 = 2, group: String = "CG"
    ) -> RemotingCommand? {
        var sysFlag: Int32 = suspend > 0 ? 2 : 0
        if tags != nil { sysFlag |= 4 }
        return ask(
            11,
            [
                "consumerGroup": group, "topic": topic, "queueId": "\(queue)", "queueOffset": "\(offset)",
                "maxMsgNums": "32", "sysFlag": "\(sysFlag)", "commitOffset": "0", "suspendTimeoutMillis": "\(suspend)",
                "subscription": tags ?? "", "subVersion": "1", "expressionType": "TAG",
            ], from: connection)
    }
}

extension RemotingCommand {
    /// The bodies of the messages in a pull answer.
    var texts: [String] {
        let messages = body.withUnsafeBytes { try? StoredMessage.decodeAll($0) }
        return (messages ?? []).map { String(decoding: $0.body, as: UTF8.self) }
    }

    /// The messages in a pull answer.
    var messages: [StoredMessage] { body.withUnsafeBytes { try? StoredMessage.decodeAll($0) } ?? [] }
}

/// `#require` for the result of a mutating call, which the macro cannot take.
func found<Value>(_ value: Value?, _ location: SourceLocation = #_sourceLocation) throws -> Value {
    try #require(value, sourceLocation: location)
}
