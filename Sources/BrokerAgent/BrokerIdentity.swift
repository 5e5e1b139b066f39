import Basics

/// Who a broker is to NameServers and clients (protocol.md 2.4, 6.1).
public struct BrokerIdentity: Hashable, Sendable {
    /// The cluster's name. Default `DefaultCluster`, as RocketMQ's.
    public var cluster: String
    /// The replica group's name: master and slaves share it.
    public var name: String
    /// 0 is the master, above 0 a slave.
    public var brokerID: Int64
    /// Where clients reach it.
    public var address: Address
    /// The zone of the replica group; nil leaves the field out.
    public var zone: String?
    /// What it sends as enableActingMaster; nil leaves the field out and so looks like a 4.x broker. Default false.
    public var enableActingMaster: Bool?
    /// After how long a silence the NameServers shall drop it; nil leaves the field out, which means 120 s.
    public var heartbeatTimeout: Duration?

    /// A broker with the defaults of a RocketMQ 5 broker.
    public init(
        cluster: String = "DefaultCluster", name: String, brokerID: Int64, address: Address, zone: String? = nil,
        enableActingMaster: Bool? = false, heartbeatTimeout: Duration? = nil
    ) {
        self.cluster = cluster
        self.name = name
        self.brokerID = brokerID
        self.address = address
        self.zone = zone
        self.enableActingMaster = enableActingMaster
        self.heartbeatTimeout = heartbeatTimeout
    }

    /// Where slaves would reach a RocketMQ broker: its port + 1. Here it is only told.
    public var haAddress: Address { Address(host: address.host, port: address.port &+ 1) }

    /// Whether it takes messages from producers.
    public var isMaster: Bool { brokerID == 0 }
}
