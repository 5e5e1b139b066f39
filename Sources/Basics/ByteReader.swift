/// Reads big-endian integers and runs of bytes from memory it does not own, front to back.
///
/// Every read returns nil when the bytes run out and then leaves the position where it was.
public struct ByteReader {
    /// All bytes, read or not.
    public let bytes: UnsafeRawBufferPointer
    /// Offset of the next unread byte, 0 to `bytes.count`.
    @inlinable public var position: Int { offset }

    @usableFromInline var offset = 0

    /// Starts at the first byte.
    @inlinable public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How many bytes are unread.
    @inlinable public var remaining: Int { bytes.count - position }

    /// The next `count` bytes; nil when fewer are left or `count` is negative.
    @inlinable public mutating func readBytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remaining else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// The next big-endian integer of `Value`'s width.
    @inlinable public mutating func readInteger<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        guard MemoryLayout<Value>.size <= remaining else { return nil }
        defer { offset += MemoryLayout<Value>.size }
        return Value(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }
}
