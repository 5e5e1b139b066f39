import Basics

/// Decrypted bytes that the handler has not consumed, in a block of their own; no memory while there are none.
struct PlainBytes: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private(set) var count = 0
    private var capacity = 0

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    deinit { base?.deallocate() }

    /// Room for `length` bytes at the end. A block that grows at least doubles, but not beyond `expected` bytes.
    mutating func room(_ length: Int, expected: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - count < length { resize(to: max(count + length, min(expected, 2 * capacity))) }
        return UnsafeMutableRawBufferPointer(start: base! + count, count: capacity - count)
    }

    /// `length` bytes were put into the room.
    mutating func filled(_ length: Int) { count += length }

    /// Forgets the first `length` bytes, and the memory that the rest does not need.
    mutating func consume(_ length: Int) {
        let rest = count - length
        if rest > 0, length > 0 { base!.copyMemory(from: base! + length, byteCount: rest) }
        count = rest
        if rest == 0 { free() } else if capacity > 2 * rest { resize(to: rest) }
    }

    mutating func free() {
        base?.deallocate()
        base = nil
        count = 0
        capacity = 0
    }

    private mutating func resize(to size: Int) {
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 1)
        if let base {
            block.copyMemory(from: base, byteCount: count)
            base.deallocate()
        }
        base = block
        capacity = size
    }
}
