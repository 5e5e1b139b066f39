import Basics
import CLibuv
import Platform

/// The streams with one idle timeout, longest idle first, linked through their states; one timer for all of them.
///
/// A stream moves to the end when its last move is a sixteenth of the timeout ago or more, so that the busy ones cost a
/// comparison per read, and is closed after the timeout at the earliest, a sixteenth later at the latest.
final class IdleList {
    typealias Link = UnsafeMutablePointer<StreamState>

    /// In milliseconds of libuv's loop time.
    let timeout: UInt64
    private let step: UInt64
    private let uv: UnsafeMutablePointer<uv_loop_t>
    private let timers: TimerQueue
    private var first: Link?
    private var last: Link?
    private var timer: LoopTimer?

    init(_ loop: EventLoop, timeout: UInt64) {
        self.timeout = timeout
        step = max(timeout / 16, 1)
        uv = loop.uv
        timers = loop.timers
    }

    static func milliseconds(_ timeout: Duration) -> UInt64 { UInt64(max(timeout.wholeMilliseconds, 1)) }

    /// The stream is up: its idle time starts.
    func insert(_ stream: Link) {
        append(stream)
        if timer == nil { timer = LoopTimer(timers) { [unowned self] in sweep() } }
        if first == stream { schedule() }
    }

    /// Something useful happened.
    @inline(__always)
    func touch(_ stream: Link) {
        if uv_now(uv) &- stream.pointee.activeAt >= step { moveToEnd(stream) }
    }

    /// The stream has ended.
    func remove(_ stream: Link) {
        let (before, after) = (stream.pointee.idlePrevious, stream.pointee.idleNext)
        if let before { before.pointee.idleNext = after } else { first = after }
        if let after { after.pointee.idlePrevious = before } else { last = before }
        stream.pointee.idlePrevious = nil
        stream.pointee.idleNext = nil
    }

    private func moveToEnd(_ stream: Link) {
        remove(stream)
        append(stream)
    }

    private func append(_ stream: Link) {
        stream.pointee.activeAt = uv_now(uv)
        stream.pointee.idlePrevious = last
        if let last { last.pointee.idleNext = stream } else { first = stream }
        last = stream
    }

    private func sweep() {
        while let stream = first, uv_now(uv) &- stream.pointee.activeAt >= timeout + step {
            // Takes it off this list.
            TCPStream.of(stream).finish(.idle)
        }
        schedule()
    }

    private func schedule() {
        guard let first else { return }
        let idle = uv_now(uv) &- first.pointee.activeAt
        let wait = max(timeout + step, idle + step) - idle
        timer?.start(at: Clock.monotonic() + .milliseconds(Int64(wait)))
    }
}
