import Basics
import Platform

/// One way of one connection: what was read from its source waits here until it may be written to its sink.
///
///     source ──▶ chunks, each with the time of its arrival ──▶ sink
///
/// The source's end is news like any other: it travels behind the last byte, and not at all while the way is cut.
final class LinkFlow {
    /// How a source ended.
    enum Ending {
        case orderly
        case reset
    }

    /// Bytes under way in one connection, above which its source is not read: what a TCP window of ordinary size holds.
    static let bufferLimit = 256 << 10
    /// Bytes that a sink has not taken, above which it gets no more for now.
    private static let sinkLimit = 64 << 10
    /// How often a sink that takes nothing is looked at; the platform does not tell when it takes something.
    private static let sinkInterval = Duration.milliseconds(10)

    /// What a connection is still good for.
    private enum Life {
        case works
        /// Nothing passes any more, and nobody is told.
        case silent
        /// One end has forgotten it: whoever still sends something hears a reset.
        case forgotten
    }

    private struct Chunk {
        var due: Instant
        var bytes: [UInt8]
    }

    /// Who sends; nil when it is not there yet, or has ended.
    var source: (any ByteStream)?
    /// Who gets it; nil when it is not there yet, or has ended.
    var sink: (any ByteStream)?

    private let platform: any Platform
    private let pipe: LinkPipe
    private let onEnd: (Ending) -> Void
    private lazy var timer = platform.makeTimer { [weak self] in self?.advance() }
    private var chunks: [Chunk] = []
    /// Chunks before this one are written.
    private var first = 0
    private var waitingBytes = 0
    private var lastDue = Instant.zero
    private var ending: (due: Instant, kind: Ending)?
    private var life = Life.works
    private var isSinkGone = false
    private var isPaused = false

    /// - Parameter onEnd: called once, when the source's end has arrived.
    init(platform: any Platform, pipe: LinkPipe, onEnd: @escaping (Ending) -> Void) {
        (self.platform, self.pipe, self.onEnd) = (platform, pipe, onEnd)
    }

    private var isStopped: Bool { life == .silent || pipe.conditions.isCut }

    /// The source has sent something.
    func received(_ bytes: UnsafeRawBufferPointer) {
        if life == .forgotten { return source?.reset() ?? () }
        if isSinkGone { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pipe.pieceBytes)
            rest = rest.dropFirst(piece.count)
            chunks.append(Chunk(due: due(piece.count), bytes: Array(piece)))
            waitingBytes += piece.count
        }
        advance()
    }

    /// The source has ended; no more comes from it.
    func sourceEnded(_ kind: Ending) {
        source = nil
        if life == .forgotten { return }
        // As small as a packet gets.
        ending = (due(1), kind)
        advance()
    }

    /// The sink is not there any more: what is sent to it is lost.
    func sinkEnded() {
        sink = nil
        isSinkGone = true
        discard()
        advance()
    }

    /// The connection goes dead: nothing passes any more, whatever becomes of the link.
    func goSilent() {
        life = .silent
        advance()
    }

    /// A silent connection is unknown to one end from now on, as after a restart of its machine.
    func forget() {
        guard life == .silent else { return }
        life = .forgotten
        ending = nil
        discard()
        advance()
    }

    private func discard() {
        chunks = []
        (first, waitingBytes) = (0, 0)
    }

    /// Later than everything before it, since TCP keeps order.
    private func due(_ count: Int) -> Instant {
        lastDue = max(lastDue, pipe.arrival(of: count, now: platform.now))
        return lastDue
    }

    /// Passes on what is due. To be called whenever something has changed, the conditions too.
    func advance() {
        timer.cancel()
        if !isStopped { deliver() }
        let paused = isStopped || waitingBytes >= Self.bufferLimit
        guard paused != isPaused, let source else { return }
        isPaused = paused
        if paused { source.pauseReading() } else { source.resumeReading() }
    }

    private func deliver() {
        let now = platform.now
        while let sink, first < chunks.count, chunks[first].due <= now {
            if sink.unsentBytes > Self.sinkLimit { return timer.start(at: now + Self.sinkInterval) }
            chunks[first].bytes.withUnsafeBytes { sink.write($0) }
            waitingBytes -= chunks[first].bytes.count
            chunks[first].bytes = []
            first += 1
        }
        dropWritten()
        if first < chunks.count {
            // Without a sink the next look is when there is one.
            if sink != nil { timer.start(at: chunks[first].due) }
        } else if let ending {
            guard ending.due <= now else { return timer.start(at: ending.due) }
            self.ending = nil
            onEnd(ending.kind)
        }
    }

    /// Moving what waits up costs time, so not for every chunk.
    private func dropWritten() {
        guard first == chunks.count || first >= 1_000 else { return }
        chunks.removeFirst(first)
        first = 0
    }
}
