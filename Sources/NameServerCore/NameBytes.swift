// Comparing names as bytes, without making strings.

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes. Eight at a time: names are short, a call to memcmp costs more than it saves.
    func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while offset + 8 <= count {
            if loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset += 8
        }
        while offset < count {
            if self[offset] != other[offset] { return false }
            offset += 1
        }
        return true
    }

    /// Whether these bytes stand before the others in byte order.
    func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let shared = Swift.min(count, other.count)
        for offset in 0..<shared where self[offset] != other[offset] { return self[offset] < other[offset] }
        return count < other.count
    }

    /// Whether these bytes are `text`'s UTF-8.
    func isSame(as text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { isSame(as: UnsafeRawBufferPointer($0)) }
            ?? elementsEqual(text.utf8)
    }
}

/// Whether an optional field of a request and a remembered text are both absent or both the same.
func isSame(_ field: UnsafeRawBufferPointer?, _ text: String?) -> Bool {
    guard let field, let text else { return field == nil && text == nil }
    return field.isSame(as: text)
}

extension String {
    /// Calls `body` with the text's UTF-8 bytes.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var copy = self
        return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    /// Whether this text stands before the other in byte order.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
