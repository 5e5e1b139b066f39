import Basics
import Remoting

/// Builds the requests a broker sends to NameServers (protocol.md 2.4, 2.9, 2.12, 6.3).
struct RegistrationRequests {
    let identity: BrokerIdentity
    /// The last full body, which every NameServer gets until the topics change.
    private var cached: (dataVersion: DataVersion, body: [UInt8])?

    init(identity: BrokerIdentity) { self.identity = identity }

    /// REGISTER_BROKER (103) with every topic.
    mutating func full(_ topics: TopicTable) -> RemotingCommand {
        if let cached, cached.dataVersion == topics.dataVersion { return register(cached.body) }
        let body = RegistrationBody.encode(topics: topics.all, dataVersion: topics.dataVersion)
        cached = (topics.dataVersion, body)
        return register(body)
    }

    /// REGISTER_BROKER (103) with some topics and the DataVersion of all. Deleted ones among them are left out.
    func incremental(_ names: [String], of topics: TopicTable) -> RemotingCommand {
        register(RegistrationBody.encode(topics: names.compactMap { topics[$0] }, dataVersion: topics.dataVersion))
    }

    /// BROKER_HEARTBEAT (904).
    func heartbeat() -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.brokerHeartbeat,
            fields: [
                "clusterName": identity.cluster, "brokerAddr": "\(identity.address)", "brokerName": identity.name,
                "brokerId": "\(identity.brokerID)",
            ])
    }

    /// UNREGISTER_BROKER (104).
    func unregister() -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.unregisterBroker,
            fields: [
                "brokerName": identity.name, "brokerAddr": "\(identity.address)", "clusterName": identity.cluster,
                "brokerId": "\(identity.brokerID)",
            ])
    }

    private func register(_ body: [UInt8]) -> RemotingCommand {
        let checksum = body.withUnsafeBytes { Checksum.bodyCRC32($0) }
        var command = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: [
                "brokerAddr": "\(identity.address)", "brokerId": "\(identity.brokerID)", "brokerName": identity.name,
                "clusterName": identity.cluster, "haServerAddr": "\(identity.haAddress)", "compressed": "false",
                "bodyCrc32": "\(checksum)",
            ], body: body)
        if let acting = identity.enableActingMaster { command["enableActingMaster"] = "\(acting)" }
        if let timeout = identity.heartbeatTimeout {
            command["heartbeatTimeoutMillis"] = "\(timeout.wholeMilliseconds)"
        }
        if let zone = identity.zone {
            command["__ZONE_NAME"] = zone
            command["__ZONE_MODE"] = "true"
        }
        return command
    }
}
