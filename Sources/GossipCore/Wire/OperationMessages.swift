import Basics

/// A write or deletion of one key-value pair; the highest (`hlc`, `node`) wins.
///
/// | bytes | meaning |
/// |---|---|
/// | text, 0 to 1,024 | namespace |
/// | text, 0 to 1,024 | key |
/// | 0, or 1 and text | value, 0 to 32,768; none for a deletion |
/// | 8 | hybrid logical clock |
/// | text, 1 to 64 | node |
public struct KVOperation: Hashable, Sendable {
    /// The pair's namespace.
    public var namespace: String
    /// The pair's key.
    public var key: String
    /// Nil when the pair was deleted.
    public var value: String?
    /// Hybrid logical clock of the write: milliseconds since 1970 in the upper 48 bits, a counter in the lower 16. 0 for
    /// a value from before writes were stamped.
    public var hlc: UInt64
    /// The node that took the write; 1 to 64 bytes.
    public var node: String

    /// Puts the parts together.
    public init(namespace: String, key: String, value: String?, hlc: UInt64, node: String) {
        self.namespace = namespace
        self.key = key
        self.value = value
        self.hlc = hlc
        self.node = node
    }

    /// Whether it may travel: its texts are within `WireLimits`. Encoding one that may not traps.
    public var isCarriable: Bool {
        namespace.utf8.count <= WireLimits.nameBytes && key.utf8.count <= WireLimits.nameBytes
            && value?.utf8.count ?? 0 <= WireLimits.valueBytes && (1...WireLimits.nodeBytes).contains(node.utf8.count)
    }

    /// Bytes on the wire, exactly.
    public var encodedSize: Int {
        WireSize.text(namespace) + WireSize.text(key) + WireSize.optionalText(value) + 8 + WireSize.text(node)
    }

    static let leastBytes = 13
}

/// The granting or wiping of a broker's write permission; the highest (`hlc`, `node`) wins.
///
/// | bytes | meaning |
/// |---|---|
/// | text, 0 to 1,024 | broker name |
/// | 1 | 1 granted, 0 wiped |
/// | 8 | hybrid logical clock |
/// | text, 1 to 64 | node |
/// | 8 | registration hash |
public struct PermissionOperation: Hashable, Sendable {
    /// The group whose permission changed.
    public var brokerName: String
    /// ADD_WRITE_PERM when true, WIPE_WRITE_PERM when false.
    public var grants: Bool
    /// Hybrid logical clock of the command, as in `KVOperation`.
    public var hlc: UInt64
    /// The node that took the command; 1 to 64 bytes.
    public var node: String
    /// What the group had registered at that node then (`FirstHandTables.permissionBasis`): for another registration the
    /// command was not meant.
    public var registrationHash: UInt64

    /// Puts the parts together.
    public init(brokerName: String, grants: Bool, hlc: UInt64, node: String, registrationHash: UInt64) {
        self.brokerName = brokerName
        self.grants = grants
        self.hlc = hlc
        self.node = node
        self.registrationHash = registrationHash
    }

    /// Whether it may travel: its texts are within `WireLimits`. Encoding one that may not traps.
    public var isCarriable: Bool {
        brokerName.utf8.count <= WireLimits.nameBytes && (1...WireLimits.nodeBytes).contains(node.utf8.count)
    }

    /// Bytes on the wire, exactly.
    public var encodedSize: Int { WireSize.text(brokerName) + 17 + WireSize.text(node) }

    static let leastBytes = 20
}

extension GossipMessage {
    /// Writes to replicate.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | cursor of the next part |
    /// | varint, `KVOperation` each | at most 1,024 |
    /// | varint, `PermissionOperation` each | at most 1,024 |
    ///
    /// Without operations it says that the journal ends at this cursor; later ones are asked for from there.
    ///
    /// The sender fills it up to `WireLimits.frameBytes`: `overhead` and each operation's `encodedSize`.
    public struct Operations: Hashable, Sendable {
        /// What to ask for next.
        public var nextCursor: UInt64
        /// At most `WireLimits.operations`.
        public var keyValues: [KVOperation]
        /// At most `WireLimits.operations`.
        public var permissions: [PermissionOperation]

        /// Puts the parts together.
        public init(nextCursor: UInt64 = 0, keyValues: [KVOperation], permissions: [PermissionOperation]) {
            self.nextCursor = nextCursor
            self.keyValues = keyValues
            self.permissions = permissions
        }

        /// Bytes of the frame without operations, at most.
        public static let overhead = GossipFrame.headerBytes + 12
    }

    /// Asks for writes to replicate: eight bytes cursor.
    public struct OperationsRequest: Hashable, Sendable {
        /// 0 to begin, then what the last part said.
        public var cursor: UInt64

        /// Wraps the cursor.
        public init(cursor: UInt64 = 0) { self.cursor = cursor }
    }
}

extension KVOperation: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(!node.isEmpty, "operation of nobody")
        output.append(text: namespace, atMost: WireLimits.nameBytes, "namespace")
        output.append(text: key, atMost: WireLimits.nameBytes, "key")
        output.append(optionalText: value, atMost: WireLimits.valueBytes, "value")
        output.append(bigEndian: hlc)
        output.append(text: node, atMost: WireLimits.nodeBytes, "node")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        namespace = try reader.readText(atMost: WireLimits.nameBytes, "namespace")
        key = try reader.readText(atMost: WireLimits.nameBytes, "key")
        value = try reader.readOptionalText(atMost: WireLimits.valueBytes, "value")
        hlc = try reader.readWord("hybrid logical clock")
        node = try reader.readText(atMost: WireLimits.nodeBytes, atLeast: 1, "node")
    }
}

extension PermissionOperation: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(!node.isEmpty, "operation of nobody")
        output.append(text: brokerName, atMost: WireLimits.nameBytes, "broker")
        output.append(flag: grants)
        output.append(bigEndian: hlc)
        output.append(text: node, atMost: WireLimits.nodeBytes, "node")
        output.append(bigEndian: registrationHash)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        brokerName = try reader.readText(atMost: WireLimits.nameBytes, "broker")
        grants = try reader.readFlag("grants")
        hlc = try reader.readWord("hybrid logical clock")
        node = try reader.readText(atMost: WireLimits.nodeBytes, atLeast: 1, "node")
        registrationHash = try reader.readWord("registration hash")
    }
}

extension GossipMessage.Operations: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: nextCursor)
        output.append(list: keyValues, atMost: WireLimits.operations, "key-value operations")
        output.append(list: permissions, atMost: WireLimits.operations, "permission operations")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        nextCursor = try reader.readWord("next cursor")
        keyValues = try reader.readList(
            atMost: WireLimits.operations, of: KVOperation.leastBytes, "key-value operations")
        permissions = try reader.readList(
            atMost: WireLimits.operations, of: PermissionOperation.leastBytes, "permission operations")
    }
}

extension GossipMessage.OperationsRequest: WireCodable {
    func encode(into output: inout ByteWriter) { output.append(bigEndian: cursor) }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) { cursor = try reader.readWord("cursor") }
}
