import Remoting

// How the settings of NamesrvProperties are named, read and printed (protocol.md 2.21, 5.4).

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

    static let all: [PropertyKey] = [
        .init("rocketmqHome", .path(\.rocketmqHome)),
        .init("kvConfigPath", .path(\.kvConfigPath)),
        .init("configStorePath", .path(\.configStorePath)),
        .init("configBlackList", .path(\.configBlackList)),
        .init("productEnvName", .string(\.productEnvName)),
        .init("clusterTest", .boolean(\.clusterTest)),
        .init("orderMessageEnable", .boolean(\.orderMessageEnable)),
        .init("returnOrderTopicConfigToBroker", .boolean(\.returnOrderTopicConfigToBroker)),
        .init("clientRequestThreadPoolNums", .int(\.clientRequestThreadPoolNums)),
        .init("defaultThreadPoolNums", .int(\.defaultThreadPoolNums)),
        .init("clientRequestThreadPoolQueueCapacity", .int(\.clientRequestThreadPoolQueueCapacity)),
        .init("defaultThreadPoolQueueCapacity", .int(\.defaultThreadPoolQueueCapacity)),
        .init("scanNotActiveBrokerInterval", .long(\.scanNotActiveBrokerInterval)),
        .init("unRegisterBrokerQueueCapacity", .int(\.unRegisterBrokerQueueCapacity)),
        .init("supportActingMaster", .boolean(\.supportActingMaster)),
        .init("enableAllTopicList", .boolean(\.enableAllTopicList)),
        .init("enableTopicList", .boolean(\.enableTopicList)),
        .init("notifyMinBrokerIdChanged", .boolean(\.notifyMinBrokerIdChanged)),
        .init("enableControllerInNamesrv", .boolean(\.enableControllerInNamesrv)),
        .init("needWaitForService", .boolean(\.needWaitForService)),
        .init("waitSecondsForService", .int(\.waitSecondsForService)),
        .init("deleteTopicWithBrokerRegistration", .boolean(\.deleteTopicWithBrokerRegistration)),
        .init("listenPort", .int(\.listenPort)),
        .init("bindAddress", .string(\.bindAddress)),
        .init("serverWorkerThreads", .int(\.serverWorkerThreads)),
        .init("serverCallbackExecutorThreads", .int(\.serverCallbackExecutorThreads)),
        .init("serverSelectorThreads", .int(\.serverSelectorThreads)),
        .init("serverOnewaySemaphoreValue", .int(\.serverOnewaySemaphoreValue)),
        .init("serverAsyncSemaphoreValue", .int(\.serverAsyncSemaphoreValue)),
        .init("serverChannelMaxIdleTimeSeconds", .int(\.serverChannelMaxIdleTimeSeconds)),
        .init("serverSocketSndBufSize", .int(\.serverSocketSndBufSize)),
        .init("serverSocketRcvBufSize", .int(\.serverSocketRcvBufSize)),
        .init("writeBufferHighWaterMark", .int(\.writeBufferHighWaterMark)),
        .init("writeBufferLowWaterMark", .int(\.writeBufferLowWaterMark)),
        .init("serverSocketBacklog", .int(\.serverSocketBacklog)),
        .init("serverPooledByteBufAllocatorEnable", .boolean(\.serverPooledByteBufAllocatorEnable)),
        .init("useEpollNativeSelector", .boolean(\.useEpollNativeSelector)),
        .init("serverNettyWorkerGroupEnable", .boolean(\.serverNettyWorkerGroupEnable)),
        .init("enableShutdownGracefully", .boolean(\.enableShutdownGracefully)),
        .init("shutdownWaitTimeSeconds", .int(\.shutdownWaitTimeSeconds)),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    var isPath: Bool { if case .path = kind { true } else { false } }

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

    /// Applies a text that came over the network (318): known keys that are no paths. Everything else is ignored, and so
    /// is a value that could, once written to a properties file and read back, say something else than a value.
    mutating func update(_ text: PropertiesText) {
        for entry in text.entries {
            guard let key = PropertyKey.byName[entry.key], !key.isPath, entry.value.isPlain else { continue }
            key.set(entry.value, in: &self)
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
