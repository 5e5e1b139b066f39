import Remoting

/// As which release a broker registers.
public enum BrokerStyle: String, CaseIterable, Codable, Sendable {
    /// 4.9.8: no acting master, five fields a topic.
    case v4 = "4.9"
    /// 5.3.3.
    case v5 = "5.3"

    /// What the commands carry as their version.
    public var version: Int32 {
        switch self {
        case .v4: RemotingVersion.v4_9_8
        case .v5: RemotingVersion.v5_3_3
        }
    }
}

/// How headers are written.
public enum HeaderForm: String, CaseIterable, Codable, Sendable {
    /// `rocketmq.serialize.type=JSON`, the default of all clients.
    case json
    /// `rocketmq.serialize.type=ROCKETMQ`.
    case binary

    var serializeType: SerializeType { self == .json ? .json : .rocketMQ }
}
