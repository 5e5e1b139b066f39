import Basics
import Glibc
import Remoting

/// One connection of the generator: requests that wait to be written, and the beginning of an answer that is not whole.
struct LoadSocket {
    /// A request that has not been written whole.
    struct Pending {
        var request: RequestBook.RequestID
        var opaque: Int32
    }

    /// -1 once it is closed.
    private(set) var descriptor: Int32
    /// Whether something is left to write: wait until the kernel has room.
    private(set) var isBlocked = false
    /// Whether it stands in the generator's list of sockets to be written.
    var isDirty = false

    private var pending: [Pending] = []
    private var firstPending = 0
    private var sentOfFirst = 0
    /// The beginning of an answer that has not arrived whole.
    var partial: [UInt8] = []

    var isOpen: Bool { descriptor >= 0 }
    var hasPending: Bool { firstPending < pending.count }

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    mutating func enqueue(_ request: RequestBook.RequestID, opaque: Int32) {
        pending.append(Pending(request: request, opaque: opaque))
    }

    /// Whether the next request to be written takes a while.
    func hasLargeRequest(_ entries: [RequestBook.Entry]) -> Bool {
        hasPending && entries[Int(pending[firstPending].request)].count > Self.largeRequest
    }

    /// Bytes; below it writing costs the call, not the copying.
    private static let largeRequest = 16 << 10

    mutating func close() {
        guard isOpen else { return }
        Glibc.close(descriptor)
        descriptor = -1
        pending = []
        firstPending = 0
        partial = []
    }

    /// Writes what one call takes; `isBlocked` says whether something is left, for when the kernel has room again.
    ///
    /// One call only: hundreds of connections with large bodies must not hold up the requests that are due meanwhile.
    ///
    /// - Returns: false when the connection is broken.
    mutating func flush(_ entries: [RequestBook.Entry], _ gather: inout GatherBuffer) -> Bool {
        var (next, skipped) = (firstPending, sentOfFirst)
        gather.removeAll()
        while next < pending.count, gather.add(entries[Int(pending[next].request)], pending[next].opaque, skipped) {
            next += 1
            skipped = 0
        }
        if gather.count > 0 {
            let written = gather.write(to: descriptor)
            guard written >= 0 || errno == EAGAIN else { return false }
            consume(max(0, written), entries)
        }
        isBlocked = hasPending
        if !isBlocked {
            pending.removeAll(keepingCapacity: true)
            firstPending = 0
        }
        return true
    }

    private mutating func consume(_ written: Int, _ entries: [RequestBook.Entry]) {
        var left = written + sentOfFirst
        while hasPending {
            let size = entries[Int(pending[firstPending].request)].count
            guard left >= size else { break }
            left -= size
            firstPending += 1
        }
        sentOfFirst = left
        // A queue that never empties must not grow for ever.
        if firstPending > 4_096, firstPending * 2 > pending.count {
            pending.removeFirst(firstPending)
            firstPending = 0
        }
    }
}

/// What one call of writev takes: heads are copied, with their opaque set; bodies are pointed at.
struct GatherBuffer: ~Copyable {
    private static let pieces = 128
    private static let scratchSize = 64 << 10
    /// One call's bytes at most; copying them takes some 50 us.
    private static let sizeLimit = 128 << 10

    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: GatherBuffer.pieces)
    private let scratch = UnsafeMutableRawPointer.allocate(byteCount: GatherBuffer.scratchSize, alignment: 64)
    private var used = 0
    private var scratchUsed = 0
    private(set) var count = 0

    deinit {
        vectors.deallocate()
        scratch.deallocate()
    }

    mutating func removeAll() {
        used = 0
        scratchUsed = 0
        count = 0
    }

    /// Adds a request but for its first `skipped` bytes, and as much of its body as there is room for; false when there is none.
    mutating func add(_ entry: RequestBook.Entry, _ opaque: Int32, _ skipped: Int) -> Bool {
        guard used + 2 <= Self.pieces, scratchUsed + entry.head.count <= Self.scratchSize, count < Self.sizeLimit,
            let source = entry.head.baseAddress
        else { return false }
        let head = scratch + scratchUsed
        head.copyMemory(from: source, byteCount: entry.head.count)
        Self.write(opaque, to: head + entry.opaqueOffset, isBinary: entry.isBinary)
        scratchUsed += entry.head.count
        if skipped < entry.head.count {
            append(head + skipped, entry.head.count - skipped)
        }
        let bodySkipped = max(0, skipped - entry.head.count)
        if entry.body.count > bodySkipped, let body = entry.body.baseAddress {
            let size = min(entry.body.count - bodySkipped, max(0, Self.sizeLimit - count))
            append(UnsafeMutableRawPointer(mutating: body) + bodySkipped, size)
        }
        return true
    }

    func write(to descriptor: Int32) -> Int { writev(descriptor, vectors, Int32(used)) }

    /// Heads that follow each other in the scratch buffer are one piece.
    private mutating func append(_ bytes: UnsafeMutableRawPointer, _ size: Int) {
        guard size > 0 else { return }
        count += size
        if used > 0, vectors[used - 1].iov_base + vectors[used - 1].iov_len == bytes {
            vectors[used - 1].iov_len += size
            return
        }
        vectors[used] = iovec(iov_base: bytes, iov_len: size)
        used += 1
    }

    private static func write(_ opaque: Int32, to place: UnsafeMutableRawPointer, isBinary: Bool) {
        if isBinary {
            place.storeBytes(of: opaque.bigEndian, as: Int32.self)
            return
        }
        var rest = UInt32(opaque)
        for index in stride(from: 9, through: 0, by: -1) {
            place.storeBytes(of: UInt8(truncatingIfNeeded: 0x30 + rest % 10), toByteOffset: index, as: UInt8.self)
            rest /= 10
        }
    }
}
