import Basics
import Remoting

/// The key-value configuration: namespace, key, value (protocol.md 2.2, 5.5).
struct KeyValueStore {
    /// The namespace that brokers and ordered producers read; key: topic, value: `broker-a:8;broker-b:8`.
    static let orderTopicNamespace = "ORDER_TOPIC_CONFIG"

    private(set) var file: KVConfigFile
    /// Bytes of all namespaces, keys and values.
    private(set) var byteCount = 0
    /// The order configuration as every accepted registration gets it back; nil when the namespace does not exist.
    private(set) var orderTopicBody: [UInt8]?

    init(_ file: KVConfigFile) {
        self.file = file
        for (namespace, values) in file.configTable {
            byteCount += namespace.utf8.count
            for (key, value) in values { byteCount += key.utf8.count + value.utf8.count }
        }
        encodeOrderTopics()
    }

    subscript(namespace: String, key: String) -> String? { file.configTable[namespace]?[key] }

    /// All values of a namespace; nil when it does not exist.
    subscript(namespace: String) -> [String: String]? { file.configTable[namespace] }

    /// How many bytes the store would have after `put`.
    func byteCount(putting value: String, at key: String, in namespace: String) -> Int {
        let isKnown = file.configTable[namespace] != nil
        let old = self[namespace, key].map { key.utf8.count + $0.utf8.count } ?? 0
        return byteCount - old + (isKnown ? 0 : namespace.utf8.count) + key.utf8.count + value.utf8.count
    }

    /// Sets the value, creating the namespace. A null value only creates the namespace and hides what was there: it shows
    /// nowhere and does not survive a restart (2.2).
    mutating func put(_ value: String?, at key: String, in namespace: String) {
        if file.configTable[namespace] == nil {
            file.configTable[namespace] = [:]
            byteCount += namespace.utf8.count
        }
        if let old = file.configTable[namespace]?.removeValue(forKey: key) {
            byteCount -= key.utf8.count + old.utf8.count
        }
        if let value {
            file.configTable[namespace]?[key] = value
            byteCount += key.utf8.count + value.utf8.count
        }
        if namespace == Self.orderTopicNamespace { encodeOrderTopics() }
    }

    /// Removes the key; a namespace that becomes empty stays.
    mutating func remove(_ key: String, from namespace: String) {
        if file.configTable[namespace] != nil { put(nil, at: key, in: namespace) }
    }

    private mutating func encodeOrderTopics() {
        orderTopicBody = self[Self.orderTopicNamespace].map { KVTable(table: $0).encoded() }
    }
}
