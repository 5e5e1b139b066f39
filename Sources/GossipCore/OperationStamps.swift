import Basics

// Stamps survive a restart in a file of our own; RocketMQ's kvConfig.json stays as it is. A stamp belongs to a value: if
// the value in kvConfig.json is another one (the two files are not written at one instant, and anybody may edit the
// one), the key is unstamped, which is the safe side: it then loses against every stamped write.

extension OperationLog {
    /// The file of stamps.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | `HSTAMPS1` |
    /// | 8 | stamp of the latest deletion that was forgotten |
    /// | varint | number of entries, by namespace and key |
    /// | 8 | hash of all bytes before: a damaged file is no file |
    ///
    /// An entry: namespace and key (varint length, UTF-8), stamp (8), node (varint length, UTF-8), 0 for a deletion, or 1
    /// and the hash of the value (8). The hash has no key: it protects from accidents.
    func encodedStamps() -> [UInt8] {
        var output = ByteWriter(capacity: 4_096)
        output.append(utf8: Self.magic)
        output.append(bigEndian: forgotten)
        var entries: [(key: Key, stamp: UInt64, claim: KeyValueRegister.Claim)] = []
        for key in sortedKeys {
            if case .written(let stamp, let claim) = self[key] { entries.append((key, stamp, claim)) }
        }
        output.append(varint: UInt64(entries.count))
        for (key, stamp, claim) in entries {
            output.append(text: key.namespace, atMost: .max, "namespace")
            output.append(text: key.key, atMost: .max, "key")
            output.append(bigEndian: stamp)
            output.append(text: claim.node, atMost: WireLimits.nodeBytes, "node")
            output.append(flag: claim.value != nil)
            if let value = claim.value { output.append(bigEndian: Self.hash(of: value)) }
        }
        output.append(bigEndian: Self.fileHash.hash(output.bytes))
        return output.array()
    }

    /// What the tables hold at the start, with the stamps of a file if there is a good one; returns the highest stamp.
    ///
    /// - Throws: when the file is damaged; then all is unstamped.
    mutating func restore(
        _ values: [String: [String: String]], node: String, stamps: [UInt8]?
    ) throws(GossipFormatError) -> UInt64 {
        var highest: UInt64 = 0
        defer {
            for (namespace, pairs) in values {
                for (key, value) in pairs where self[Key(namespace: namespace, key: key)] == nil {
                    record(KVOperation(namespace: namespace, key: key, value: value, hlc: 0, node: node))
                }
            }
        }
        guard let stamps else { return 0 }
        let file = try StampFile(stamps)
        restore(forgotten: file.forgotten)
        for entry in file.entries where entry.stamp > 0 && entry.stamp < HybridClock.highest {
            let value = values[entry.key.namespace]?[entry.key.key]
            guard value.map(Self.hash) == entry.valueHash else { continue }
            highest = max(highest, entry.stamp)
            record(
                KVOperation(
                    namespace: entry.key.namespace, key: entry.key.key, value: value, hlc: entry.stamp,
                    node: entry.node))
        }
        return highest
    }

    fileprivate static let magic = "HSTAMPS1"
    fileprivate static let fileHash = KeyedHash(low: 0, high: 0)

    private static func hash(of value: String) -> UInt64 { fileHash.hash(Array(value.utf8)) }
}

/// The decoded file of stamps.
private struct StampFile {
    struct Entry {
        var key: OperationLog.Key
        var stamp: UInt64
        var node: String
        /// Nil for a deletion.
        var valueHash: UInt64?
    }

    static let leastBytes = 13

    var forgotten: UInt64 = 0
    var entries: [Entry] = []

    init(_ bytes: [UInt8]) throws(GossipFormatError) {
        let read = bytes.withUnsafeBytes { bytes in
            Result { () throws(GossipFormatError) in try StampFile(decoding: bytes) }
        }
        self = try read.get()
    }

    private init(decoding bytes: UnsafeRawBufferPointer) throws(GossipFormatError) {
        guard bytes.count >= 25 else { throw GossipFormatError(.truncated, "file of stamps") }
        let content = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 8)])
        var end = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - 8)...]))
        guard content.prefix(8).elementsEqual(OperationLog.magic.utf8),
            try end.readWord("hash") == OperationLog.fileHash.hash(content)
        else { throw GossipFormatError(.contradiction, "hash of the file of stamps") }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: content[8...]))
        forgotten = try reader.readWord("forgotten")
        let count = try reader.readCount(atMost: .max >> 8, of: Self.leastBytes, "entries")
        entries.reserveCapacity(count)
        for _ in 0..<count {
            entries.append(
                Entry(
                    key: OperationLog.Key(
                        namespace: try reader.readText(atMost: content.count, "namespace"),
                        key: try reader.readText(atMost: content.count, "key")),
                    stamp: try reader.readWord("stamp"),
                    node: try reader.readText(atMost: WireLimits.nodeBytes, "node"),
                    valueHash: try reader.readFlag("value") ? try reader.readWord("hash of the value") : nil))
        }
        guard reader.remaining == 0 else { throw GossipFormatError(.trailing, "file of stamps") }
    }
}
