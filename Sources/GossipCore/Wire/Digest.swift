import Basics

/// All that a node holds, in 49 bytes or a few more: equal digests mean that there is nothing to talk about.
///
/// | bytes | meaning |
/// |---|---|
/// | 1 | state |
/// | 1 | mode |
/// | 1 | local health, 0 (well) to 8 |
/// | varint | replicas heard first-hand, at most 2^24 |
/// | varint | how many of them are late; no more than there are |
/// | 8, 8, varint | symbol 0 of the registration sketch: sum, check, count (at most 2^24) |
/// | 8 | XOR of the keyed hashes of all replicas' DataVersions |
/// | 8 | digest of the key-value configuration |
/// | 8 | digest of what operators changed (permissions, topics) |
/// | 4 | epoch of the sketch |
public struct Digest: Hashable, Sendable {
    /// How far the node's word counts.
    public var state: NodeState
    /// What it may do.
    public var mode: GossipMode
    /// Its own doubt in itself, 0 to 8 (Lifeguard).
    public var localHealth: Int
    /// Replicas heard first-hand.
    public var replicas: Int
    /// Those of them that are late.
    public var late: Int
    /// Symbol 0 of the registration sketch.
    public var root: SketchSymbol
    /// XOR over the replicas' versions: explains a difference, decides none.
    public var versionXor: UInt64
    /// Digest of the key-value configuration.
    public var keyValueDigest: UInt64
    /// Digest of what operators changed.
    public var administrationDigest: UInt64
    /// Raised whenever the sketch changes, so that symbols of two states are never mixed.
    public var epoch: UInt32

    /// Puts the parts together.
    public init(
        state: NodeState, mode: GossipMode, localHealth: Int, replicas: Int, late: Int, root: SketchSymbol,
        versionXor: UInt64, keyValueDigest: UInt64, administrationDigest: UInt64, epoch: UInt32
    ) {
        self.state = state
        self.mode = mode
        self.localHealth = localHealth
        self.replicas = replicas
        self.late = late
        self.root = root
        self.versionXor = versionXor
        self.keyValueDigest = keyValueDigest
        self.administrationDigest = administrationDigest
        self.epoch = epoch
    }
}

extension Digest: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(state.rawValue)
        output.append(mode.rawValue)
        precondition((0...WireLimits.localHealth).contains(localHealth), "local health \(localHealth)")
        output.append(UInt8(localHealth))
        output.append(count: replicas, atMost: SketchLimits.items, "replicas")
        output.append(count: late, atMost: replicas, "late")
        output.append(bigEndian: root.sum)
        output.append(bigEndian: root.check)
        output.append(count: root.count, atMost: SketchLimits.items, "items")
        output.append(bigEndian: versionXor)
        output.append(bigEndian: keyValueDigest)
        output.append(bigEndian: administrationDigest)
        output.append(bigEndian: epoch)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        state = try reader.readCase("state")
        mode = try reader.readCase("mode")
        localHealth = Int(try reader.readByte("local health"))
        guard localHealth <= WireLimits.localHealth else { throw GossipFormatError(.limit, "local health") }
        replicas = try reader.readCount(atMost: SketchLimits.items, "replicas")
        late = try reader.readCount(atMost: SketchLimits.items, "late")
        guard late <= replicas else { throw GossipFormatError(.contradiction, "late") }
        root = SketchSymbol(
            sum: try reader.readWord("sum"), check: try reader.readWord("check"),
            count: try reader.readCount(atMost: SketchLimits.items, "items"))
        versionXor = try reader.readWord("versions")
        keyValueDigest = try reader.readWord("key-value digest")
        administrationDigest = try reader.readWord("administration digest")
        epoch = try reader.readEpoch()
    }
}

extension ByteReader {
    /// The next four bytes as the epoch of a sketch.
    mutating func readEpoch() throws(GossipFormatError) -> UInt32 {
        guard let epoch = readInteger(UInt32.self) else { throw GossipFormatError(.truncated, "epoch") }
        return epoch
    }
}
