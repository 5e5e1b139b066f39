/// The running hash over everything that was delivered, and, if wanted, the last lines of it in words.
///
/// Two runs of one seed must have the same hash, on any machine and in any process (invariant 26).
public struct Trace {
    /// The hash so far.
    public private(set) var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// How many things were delivered.
    public private(set) var count = 0
    /// How many lines are kept; 0, the default, keeps none and makes none.
    public var lineLimit = 0
    /// Hears each line as it is made.
    public var onLine: ((String) -> Void)?
    private var ring: [String] = []
    private var next = 0

    /// Whether it is worth making a line.
    public var wantsLines: Bool { lineLimit > 0 || onLine != nil }

    /// The last lines, oldest first.
    public var lines: [String] { Array(ring[next...] + ring[..<next]) }

    /// Takes in one thing that happened.
    @inline(__always)
    public mutating func mix(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
        count += 1
        hash = Trace.folded(Trace.folded(Trace.folded(hash, first), second), third)
    }

    /// Keeps a line.
    public mutating func add(_ line: String) {
        onLine?(line)
        guard lineLimit > 0 else { return }
        if ring.count < lineLimit {
            ring.append(line)
        } else {
            ring[next] = line
            next = (next + 1) % lineLimit
        }
    }

    @inline(__always)
    private static func folded(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        let product = (hash ^ value).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low &+ 0xA076_1D64_78BD_642F
    }

    /// A hash of bytes; not keyed, for traces only.
    static func hash(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = folded(hash, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        while offset < bytes.count {
            hash = folded(hash, UInt64(bytes[offset]))
            offset += 1
        }
        return hash
    }
}
