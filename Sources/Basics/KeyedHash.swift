/// SipHash-2-4 with a 128-bit key and a 64-bit result: the only hash of the gossip layer.
///
/// Brokers choose their own names, so an unkeyed hash could be attacked with names that collide; without the key nobody
/// can tell two names apart by their hash. Not a general cryptographic hash: results are 64 bits.
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
public struct KeyedHash: Hashable, Sendable {
    private let low: UInt64
    private let high: UInt64

    /// Bytes in a key.
    public static let keyBytes = 16

    /// A hash under the key whose first eight bytes, little-endian, are `low` and whose last eight are `high`.
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// A hash under the first 16 bytes of key material; nil unless there are exactly 16.
    public init?(key: [UInt8]) {
        guard key.count == KeyedHash.keyBytes else { return nil }
        (low, high) = key.withUnsafeBytes { (littleEndianWord($0, at: 0), littleEndianWord($0, at: 8)) }
    }

    /// The hash of a run of bytes, of any length.
    public func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = SipState(low: low, high: high)
        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) { state.compress(littleEndianWord(bytes, at: offset)) }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        for (position, byte) in bytes[whole...].enumerated() { last |= UInt64(byte) << (8 * UInt64(position)) }
        state.compress(last)
        return state.finish()
    }

    /// The hash of an array's bytes.
    public func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { hash($0) } }

    /// The hash of one word, as if of its eight little-endian bytes.
    public func hash(_ word: UInt64) -> UInt64 {
        var state = SipState(low: low, high: high)
        state.compress(word)
        state.compress(8 << 56)
        return state.finish()
    }
}

extension KeyedHash: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never shows the key.
    public var description: String { "KeyedHash(key hidden)" }
    /// Never shows the key.
    public var debugDescription: String { description }
    /// Never shows the key, not even to `dump`.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The four words of SipHash's state.
private struct SipState {
    var v0: UInt64
    var v1: UInt64
    var v2: UInt64
    var v3: UInt64

    init(low: UInt64, high: UInt64) {
        v0 = low ^ 0x736F_6D65_7073_6575
        v1 = high ^ 0x646F_7261_6E64_6F6D
        v2 = low ^ 0x6C79_6765_6E65_7261
        v3 = high ^ 0x7465_6462_7974_6573
    }

    /// c = 2 rounds for each word.
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    /// d = 4 rounds at the end.
    mutating func finish() -> UInt64 {
        v2 ^= 0xFF
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v1 = rotated(v1, by: 13) ^ v0
        v0 = rotated(v0, by: 32)
        v2 &+= v3
        v3 = rotated(v3, by: 16) ^ v2
        v0 &+= v3
        v3 = rotated(v3, by: 21) ^ v0
        v2 &+= v1
        v1 = rotated(v1, by: 17) ^ v2
        v2 = rotated(v2, by: 32)
    }

    private func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 { (word << bits) | (word >> (64 - bits)) }
}

private func littleEndianWord(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}
