import Basics
import Platform
import Remoting
import RemotingTransport

/// What an operator or an admin tool asks of nodes and brokers during an experiment, straight and not through links.
final class OperatorCalls {
    /// A request was refused or not answered: whom it went to and why.
    var onTrouble: ((String) -> Void)?

    private let platform: any Platform
    private var connections: [Address: RemotingConnection] = [:]

    /// A node that takes longer is not there.
    private static let timeout = Duration.seconds(2)

    init(platform: any Platform) { self.platform = platform }

    /// Sends a request to each address, and goes on when all have answered or will not.
    func call(
        _ request: RemotingCommand, what: String, at addresses: [Address], then action: @escaping () -> Void = {}
    ) {
        var waiting = addresses.count
        if waiting == 0 { return action() }
        for address in addresses {
            let connection = connections[address] ?? RemotingConnection(platform: platform, address: address)
            connections[address] = connection
            connection.call(request, timeout: Self.timeout) { [weak self] result in
                if let trouble = Self.trouble(result) { self?.onTrouble?("\(what) at \(address): \(trouble)") }
                waiting -= 1
                if waiting == 0 { action() }
            }
        }
    }

    /// Closes everything.
    func stop() {
        onTrouble = nil
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    private static func trouble(_ result: Result<RemotingCommand, RemotingCallError>) -> String? {
        switch result {
        case .failure(let error): error.description
        case .success(let answer) where answer.code == ResponseCode.success: nil
        case .success(let answer): "refused with code \(answer.code): \(answer.remark ?? "no reason given")"
        }
    }

    // MARK: Requests

    /// UNREGISTER_BROKER (104).
    static func unregister(_ replica: Scenario.Replica, at address: Address) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.unregisterBroker,
            fields: [
                "brokerName": replica.group, "brokerAddr": "\(address)", "clusterName": "DefaultCluster",
                "brokerId": "\(replica.id)",
            ])
    }

    /// UPDATE_AND_CREATE_TOPIC (17) with 4 queues.
    static func createTopic(_ name: String) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.updateAndCreateTopic,
            fields: [
                "topic": name, "defaultTopic": "TBW102", "readQueueNums": "4", "writeQueueNums": "4", "perm": "6",
                "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false",
            ])
    }

    /// PUT_KV_CONFIG (100).
    static func put(_ namespace: String, _ key: String, _ value: String) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.putKVConfig, fields: ["namespace": namespace, "key": key, "value": value])
    }

    /// DELETE_KV_CONFIG (102).
    static func delete(_ namespace: String, _ key: String) -> RemotingCommand {
        RemotingCommand(request: RequestCode.deleteKVConfig, fields: ["namespace": namespace, "key": key])
    }

    /// WIPE_WRITE_PERM_OF_BROKER (205).
    static func wipe(_ group: String) -> RemotingCommand {
        RemotingCommand(request: RequestCode.wipeWritePermOfBroker, fields: ["brokerName": group])
    }
}
