import Basics

/// The loop's hot state, kept behind a `let` pointer: class variables would pay a dynamic exclusivity check per access,
/// half of the user time of a plain design.
struct LoopCore: ~Copyable {
    /// One read: large enough for hundreds of pipelined requests, small enough to stay in the second-level cache.
    static let readBufferBytes = 64 << 10
    /// What the output buffer keeps once it is empty; one rare large answer does not stay resident.
    static let outputBytesKept = 256 << 10

    /// Bytes of large frames that one turn of the loop reads or hands out, all streams together: about half a millisecond
    /// of copying and checksums. Hundreds of brokers may send megabytes at once, and libuv would read up to 32 times from each
    /// before it looks at a timer or a worker's result. Small reads go on beyond it.
    static let bulkBytesPerTurn = 512 << 10
    /// One read of a large frame at most.
    static let bulkReadBytes = 256 << 10
    /// What a stream without a large frame may read at a time once the turn's share is used up.
    static let smallReadBytes = 4 << 10

    /// What may become `spare`: a block of its own mapping (`EventLoop.mappedBytes`), but no memory to speak of.
    static let spareBytes = (1 << 20)...(4 << 20)

    /// Where every read of every stream lands.
    let readBuffer = UnsafeMutableRawPointer.allocate(byteCount: readBufferBytes, alignment: 64)
    /// Where every handler call builds its answers.
    var output = ByteWriter(capacity: 64 << 10)
    /// Bytes that `write` was given for the stream whose handler is running: they follow `output`.
    var afterOutput = ByteWriter()
    /// What is left of `bulkBytesPerTurn`.
    var bulkBytesLeft = bulkBytesPerTurn
    /// The block of a large frame that was handed out, for the next one: the system takes as long to map and clear a new one
    /// as to read into it.
    var spare: HeldBytes?
    /// The stream whose handler is in `received`; 0 = none.
    var delivering: UInt64 = 0

    /// The id of the stream made last.
    var lastStreamID: UInt64 = 0
    /// Streams up and not yet closed.
    var openStreams = 0
    /// Blocks of memory that streams own now: partial frames and queued writes. An idle connection owns none.
    var liveBlocks = 0
    /// Bytes of those blocks.
    var ownedBytes = 0
    /// What all streams together may own; see `EventLoop.ownedBytesLimit`.
    var ownedBytesLimit = 1 << 30
    /// When the operator may be told again that it is too much.
    var nextOwnedWarning = Instant.zero
    /// libuv handles whose close callback is still to come.
    var handles = 0
    let workerPriority = WorkerPriority()
    /// Calls of `offload` whose completion is still to come.
    var offloaded = 0
    /// `stop` was called: nothing new opens.
    var isStopping = false

    deinit {
        readBuffer.deallocate()
        var block = spare
        block?.free()
    }
}
