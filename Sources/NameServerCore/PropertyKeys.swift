import Remoting

// How the settings of NamesrvProperties are named, read and printed (protocol.md 2.21, 5.4).

/// What a changed setting takes to count.
public enum PropertyEffect: Hashable, Sendable {
    /// Nothing.
    case atOnce
    /// The node must be started again.
    case afterRestart
    /// It is stored and reported, and means nothing to this server.
    case none
}

/// A setting whose value is another one now.
public struct PropertyChange: Hashable, Sendable {
    /// RocketMQ's name of it.
    public var name: String
    /// As text.
    public var old: String
    /// As text.
    public var new: String
    /// What it takes.
    public var effect: PropertyEffect
}

/// A setting by its name.
private struct PropertyKey: Sendable {
    typealias Path<Value> = any WritableKeyPath<NamesrvProperties, Value> & Sendable

    enum Kind: Sendable {
        case boolean(Path<Bool>)
        case int(Path<Int32>)
        case long(Path<Int64>)
        case string(Path<String>)
        /// A place in the file system, or what guards one.
        case path(Path<String>)
    }

    var name: String
    var kind: Kind
    var effect: PropertyEffect

    static let all: [PropertyKey] = [
        .init("rocketmqHome", .path(\.rocketmqHome), .none),
        .init("kvConfigPath", .path(\.kvConfigPath), .afterRestart),
        .init("configStorePath", .path(\.configStorePath), .afterRestart),
        .init("configBlackList", .path(\.configBlackList), .afterRestart),
        .init("productEnvName", .string(\.productEnvName), .none),
        .init("clusterTest", .boolean(\.clusterTest), .none),
        .init("orderMessageEnable", .boolean(\.orderMessageEnable), .atOnce),
        .init("returnOrderTopicConfigToBroker", .boolean(\.returnOrderTopicConfigToBroker), .atOnce),
        .init("clientRequestThreadPoolNums", .int(\.clientRequestThreadPoolNums), .none),
        .init("defaultThreadPoolNums", .int(\.defaultThreadPoolNums), .none),
        .init("clientRequestThreadPoolQueueCapacity", .int(\.clientRequestThreadPoolQueueCapacity), .none),
        .init("defaultThreadPoolQueueCapacity", .int(\.defaultThreadPoolQueueCapacity), .none),
        .init("scanNotActiveBrokerInterval", .long(\.scanNotActiveBrokerInterval), .afterRestart),
        .init("unRegisterBrokerQueueCapacity", .int(\.unRegisterBrokerQueueCapacity), .none),
        .init("supportActingMaster", .boolean(\.supportActingMaster), .atOnce),
        .init("enableAllTopicList", .boolean(\.enableAllTopicList), .atOnce),
        .init("enableTopicList", .boolean(\.enableTopicList), .atOnce),
        .init("notifyMinBrokerIdChanged", .boolean(\.notifyMinBrokerIdChanged), .atOnce),
        .init("enableControllerInNamesrv", .boolean(\.enableControllerInNamesrv), .none),
        .init("needWaitForService", .boolean(\.needWaitForService), .atOnce),
        .init("waitSecondsForService", .int(\.waitSecondsForService), .atOnce),
        .init("deleteTopicWithBrokerRegistration", .boolean(\.deleteTopicWithBrokerRegistration), .atOnce),
        .init("listenPort", .int(\.listenPort), .afterRestart),
        .init("bindAddress", .string(\.bindAddress), .afterRestart),
        .init("serverWorkerThreads", .int(\.serverWorkerThreads), .none),
        .init("serverCallbackExecutorThreads", .int(\.serverCallbackExecutorThreads), .none),
        .init("serverSelectorThreads", .int(\.serverSelectorThreads), .none),
        .init("serverOnewaySemaphoreValue", .int(\.serverOnewaySemaphoreValue), .none),
        .init("serverAsyncSemaphoreValue", .int(\.serverAsyncSemaphoreValue), .none),
        .init("serverChannelMaxIdleTimeSeconds", .int(\.serverChannelMaxIdleTimeSeconds), .afterRestart),
        .init("serverSocketSndBufSize", .int(\.serverSocketSndBufSize), .none),
        .init("serverSocketRcvBufSize", .int(\.serverSocketRcvBufSize), .none),
        .init("writeBufferHighWaterMark", .int(\.writeBufferHighWaterMark), .afterRestart),
        .init("writeBufferLowWaterMark", .int(\.writeBufferLowWaterMark), .none),
        .init("serverSocketBacklog", .int(\.serverSocketBacklog), .afterRestart),
        .init("serverPooledByteBufAllocatorEnable", .boolean(\.serverPooledByteBufAllocatorEnable), .none),
        .init("useEpollNativeSelector", .boolean(\.useEpollNativeSelector), .none),
        .init("serverNettyWorkerGroupEnable", .boolean(\.serverNettyWorkerGroupEnable), .none),
        .init("enableShutdownGracefully", .boolean(\.enableShutdownGracefully), .atOnce),
        .init("shutdownWaitTimeSeconds", .int(\.shutdownWaitTimeSeconds), .atOnce),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    init(_ name: String, _ kind: Kind, _ effect: PropertyEffect) {
        self.name = name
        self.kind = kind
        self.effect = effect
    }

    var isPath: Bool { if case .path = kind { true } else { false } }

    /// Why the text is no value of this setting; nil when it is one.
    func fault(in text: String) -> String? {
        switch kind {
        case .boolean: ["true", "false"].contains(text.lowercased()) ? nil : "is neither true nor false"
        case .int: Int32(text) == nil ? "is no whole number of 32 bits" : nil
        case .long: Int64(text) == nil ? "is no whole number of 64 bits" : nil
        // Written to a properties file and read back, it would be something else.
        case .string, .path: text.isPlain ? nil : "has a line break, a control character or a backslash"
        }
    }

    /// Converts and stores the text; one that does not convert leaves the old value, as in RocketMQ.
    func set(_ text: String, in properties: inout NamesrvProperties) {
        switch kind {
        case .boolean(let path): properties[keyPath: path] = text.lowercased() == "true"
        case .int(let path): if let value = Int32(text) { properties[keyPath: path] = value }
        case .long(let path): if let value = Int64(text) { properties[keyPath: path] = value }
        case .string(let path), .path(let path): properties[keyPath: path] = text.trimmed
        }
    }

    /// nil for a path that is not set.
    func text(in properties: NamesrvProperties) -> String? {
        switch kind {
        case .boolean(let path): properties[keyPath: path] ? "true" : "false"
        case .int(let path): String(properties[keyPath: path])
        case .long(let path): String(properties[keyPath: path])
        case .string(let path): properties[keyPath: path]
        case .path(let path): properties[keyPath: path].isEmpty ? nil : properties[keyPath: path]
        }
    }
}

extension NamesrvProperties {
    /// Whether it has a setting of that name.
    public static func hasSetting(_ name: String) -> Bool { PropertyKey.byName[name] != nil }

    /// Applies an operator's own text: a `-c` file. Every key counts; unknown ones are remembered and reported.
    public mutating func load(_ text: PropertiesText) {
        for entry in text.entries {
            if let key = PropertyKey.byName[entry.key] {
                key.set(entry.value, in: &self)
            } else {
                unknownKeys[entry.key] = entry.value
            }
        }
    }

    /// Applies a text that came over the network (318) and has no faults: known keys that are no paths.
    mutating func update(_ text: PropertiesText) {
        for entry in text.entries {
            guard let key = PropertyKey.byName[entry.key], !key.isPath else { continue }
            key.set(entry.value, in: &self)
        }
    }

    /// The first value of the text that its setting cannot have: `listenPort=abc is no whole number of 32 bits`. RocketMQ would
    /// leave it out or, of a boolean, make it false.
    public static func fault(in text: PropertiesText) -> String? {
        for entry in text.entries {
            if let fault = PropertyKey.byName[entry.key]?.fault(in: entry.value) {
                let shown = entry.value.isPlain ? String(entry.value.prefix(40)) : "..."
                return "\(entry.key)=\(shown) \(fault)"
            }
        }
        return nil
    }

    /// Each setting that has another value there, in RocketMQ's order.
    public func changes(to other: NamesrvProperties) -> [PropertyChange] {
        PropertyKey.all.compactMap { key in
            let (old, new) = (key.text(in: self) ?? "", key.text(in: other) ?? "")
            return old == new ? nil : PropertyChange(name: key.name, old: old, new: new, effect: key.effect)
        }
    }

    /// Takes over what counts while a node runs; the rest stays as it was at the start.
    mutating func takeOver(_ other: NamesrvProperties) {
        for key in PropertyKey.all where key.effect == .atOnce {
            if let text = key.text(in: other) { key.set(text, in: &self) }
        }
    }

    /// The keys that 318 refuses: all paths, and what `configBlackList` says.
    var refusedKeys: Set<String> {
        Set(PropertyKey.all.filter(\.isPath).map(\.name))
            .union(configBlackList.split(separator: ";").map { String($0).trimmed })
    }

    /// `key=value` lines sorted by key: the answer to 319, and what 318 stores (protocol.md 2.21).
    public func encoded() -> [UInt8] {
        var text = PropertiesText()
        for (name, value) in unknownKeys { text[name] = value }
        for key in PropertyKey.all { text[key.name] = key.text(in: self) }
        return text.encoded()
    }

    /// The same as text.
    public var text: String { String(decoding: encoded(), as: UTF8.self) }
}

extension String {
    /// Without what Java's `trim` takes off: everything up to U+0020 at both ends.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { $0.value > 0x20 }),
            let last = scalars.lastIndex(where: { $0.value > 0x20 })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Whether the text survives a properties file as it is: no line break, no other control, no backslash.
    fileprivate var isPlain: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\\" && !(0x7F...0x9F).contains($0.value) }
    }
}
