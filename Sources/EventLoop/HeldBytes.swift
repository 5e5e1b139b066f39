import Glibc

/// A run of bytes in a block of its own: the part of a frame that has arrived, or what was written before the stream
/// was up. Owns no memory while empty. Its owner frees it.
struct HeldBytes {
    private(set) var base: UnsafeMutableRawPointer?
    /// Four bytes each: every idle connection has them. A block stays far below `TCPStream.heldLimit` twice over.
    private var length: UInt32 = 0
    private var size: UInt32 = 0

    private(set) var count: Int {
        get { Int(length) }
        set { length = UInt32(newValue) }
    }

    private(set) var capacity: Int {
        get { Int(size) }
        set { size = UInt32(newValue) }
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Keeps exactly these bytes, in a block of exactly their size. They may lie inside the block, at its end.
    mutating func keep(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return free() }
        if bytes.count > capacity { resize(to: bytes.count) }
        base!.copyMemory(from: source, byteCount: bytes.count)
        count = bytes.count
        if capacity > count { resize(to: count) }
    }

    /// Appends; a block that must grow at least doubles, but not beyond `needed`.
    mutating func append(_ bytes: UnsafeRawBufferPointer, needed: Int) {
        if capacity - count < bytes.count {
            resize(to: max(count + bytes.count, min(needed, 2 * (count + bytes.count))))
        }
        (base! + count).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        count += bytes.count
    }

    /// Room at the end to read into. What a peer announces (`needed`) is believed only as far as twice what it sent.
    mutating func room(needed: Int) -> UnsafeMutableRawBufferPointer {
        if capacity == count { resize(to: needed > count ? min(needed, 2 * count) : 2 * count) }
        return UnsafeMutableRawBufferPointer(start: base! + count, count: capacity - count)
    }

    /// `length` bytes were read into the room.
    mutating func filled(_ length: Int) { count += length }

    /// Moves into a larger block.
    mutating func move(into block: HeldBytes) {
        let old = self
        self = block
        count = old.count
        if let source = old.base { base!.copyMemory(from: source, byteCount: old.count) }
        Glibc.free(old.base)
    }

    mutating func free() {
        Glibc.free(base)
        self = HeldBytes()
    }

    private mutating func resize(to size: Int) {
        guard let block = realloc(base, size) else { fatalError("no memory for \(size) bytes of a frame") }
        base = block
        capacity = size
    }
}
