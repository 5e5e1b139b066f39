/// One of RocketMQ's own NameServer properties under RocketMQ's own name (protocol.md 5.1 and 5.2).
public struct NameServerProperty: Hashable, Sendable {
    /// As in namesrv.properties.
    public var name: String
    /// Its canonical text: `true`, `false` or decimal digits.
    public var value: String

    /// The properties that are understood.
    package enum Key: String, SectionKey {
        case orderMessageEnable, returnOrderTopicConfigToBroker
        case supportActingMaster, notifyMinBrokerIdChanged
        case enableTopicList, enableAllTopicList, deleteTopicWithBrokerRegistration
        case needWaitForService, waitSecondsForService
        case enableShutdownGracefully, shutdownWaitTimeSeconds
        /// Its name in files.
        package static let section = "nameserver"
    }
}

extension NameServerProperty {
    /// What the file sets, in its order.
    package static func properties(_ reader: MappingReader<Key>) -> [NameServerProperty] {
        reader.keys.map { key in
            let value =
                switch key {
                case .waitSecondsForService: String(reader.integer(key, in: 0...3600, default: 45))
                case .shutdownWaitTimeSeconds: String(reader.integer(key, in: 0...3600, default: 30))
                default: String(reader.boolean(key, default: false))
                }
            return NameServerProperty(name: key.rawValue, value: value)
        }
    }
}
