import Basics
import Remoting
import RemotingTransport

/// What an administrator does to one node.
public enum OperatorCommand: Hashable, Sendable {
    /// 205.
    case wipeWritePermission(broker: String)
    /// 327.
    case addWritePermission(broker: String)
    /// 216.
    case deleteTopic(String)
    /// 100.
    case putKeyValue(String, String)
    /// 102.
    case deleteKeyValue(String)

    var request: RemotingCommand {
        switch self {
        case .wipeWritePermission(let broker):
            RemotingCommand(request: RequestCode.wipeWritePermOfBroker, fields: ["brokerName": broker])
        case .addWritePermission(let broker):
            RemotingCommand(request: RequestCode.addWritePermOfBroker, fields: ["brokerName": broker])
        case .deleteTopic(let topic):
            RemotingCommand(request: RequestCode.deleteTopicInNameServer, fields: ["topic": topic])
        case .putKeyValue(let key, let value):
            RemotingCommand(
                request: RequestCode.putKVConfig,
                fields: ["namespace": "ORDER_TOPIC_CONFIG", "key": key, "value": value])
        case .deleteKeyValue(let key):
            RemotingCommand(
                request: RequestCode.deleteKVConfig, fields: ["namespace": "ORDER_TOPIC_CONFIG", "key": key])
        }
    }
}

/// An administrator's machine with a connection to every node.
public final class Operator {
    /// The machine.
    public let host: Host
    private let platform: SimulatedPlatform
    private let connections: [RemotingConnection]

    init(host: Host, nameServers: [Address], seed: UInt64) {
        self.host = host
        let platform = SimulatedPlatform(on: host, seed: seed)
        self.platform = platform
        connections = nameServers.map { RemotingConnection(platform: platform, address: $0) }
    }

    /// Sends a request to one node; `completion` hears the answer, or that there is none.
    public func send(
        _ request: RemotingCommand, to node: Int,
        completion: @escaping (Result<RemotingCommand, RemotingCallError>) -> Void = { _ in }
    ) {
        connections[node].call(request, timeout: .seconds(3), completion: completion)
    }

    /// Asks one node, as a broker would, whether it must register again; `completion` hears true for "it need not".
    func queryDataVersion(
        of broker: ReplicaIdentity, counter: Int64?, timestamp: Int64, stateVersion: Int64, to node: Int,
        completion: @escaping (Bool) -> Void
    ) {
        let version = DataVersion(counter: counter, timestamp: timestamp, stateVersion: stateVersion)
        let request = RemotingCommand(
            request: RequestCode.queryDataVersion,
            fields: ["clusterName": broker.cluster, "brokerAddr": broker.address, "brokerName": broker.name],
            body: version.encoded())
        send(request, to: node) { result in
            guard case .success(let answer) = result else { return }
            completion((answer.fields ?? []).contains { $0.name == "changed" && $0.value == "false" })
        }
    }

    /// Gives one node a command.
    public func send(_ command: OperatorCommand, to node: Int) { send(command.request, to: node) }
}
