// Time on one uv_timer_t: a binary heap in the order of our own clock. libuv's own heap counts whole milliseconds of a
// clock that stops in suspend, and would fire two deadlines within one millisecond in the order of their starts.

import Basics
import CLibuv
import Platform

/// All running timers of one loop. It does not retain them: a timer that is released is cancelled.
final class TimerQueue: HandleOwner {
    private let handle: UnsafeMutablePointer<uv_timer_t>
    /// Stands in for `handle` when something is due that was started while timers fired.
    private let nextTurn: UnsafeMutablePointer<uv_idle_t>
    private var heap: [Unmanaged<LoopTimer>] = []
    private var starts: UInt64 = 0
    private var isFiring = false
    private var isClosed = false

    init(_ uv: UnsafeMutablePointer<uv_loop_t>) {
        handle = .allocate(capacity: 1)
        nextTurn = .allocate(capacity: 1)
        uv_timer_init(uv, handle)
        uv_idle_init(uv, nextTurn)
    }

    deinit {
        handle.deallocate()
        nextTurn.deallocate()
    }

    func open() {
        adopt(handle)
        adopt(nextTurn)
    }

    override func close() {
        isClosed = true
        for timer in heap { timer._withUnsafeGuaranteedRef { $0.position = nil } }
        heap.removeAll()
        closeHandle(handle)
        closeHandle(nextTurn)
    }

    func start(_ timer: LoopTimer, at deadline: Instant) {
        guard !isClosed else { return }
        remove(timer)
        timer.deadline = deadline
        starts += 1
        timer.order = starts
        heap.append(.passUnretained(timer))
        timer.position = heap.count - 1
        siftUp(from: heap.count - 1)
        if timer.position == 0, !isFiring { arm() }
    }

    /// An armed handle stays armed: it finds nothing due and arms itself anew.
    func remove(_ timer: LoopTimer) {
        guard let position = timer.position else { return }
        timer.position = nil
        let last = heap.removeLast()
        guard position < heap.count else { return }
        place(last, at: position)
        siftUp(from: position)
        siftDown(from: position)
    }

    private func fire() {
        isFiring = true
        let now = Clock.monotonic()
        let started = starts
        // What a handler starts now waits for the next turn, so that streams get theirs.
        while let first = heap.first?.takeUnretainedValue(), first.deadline <= now, first.order <= started {
            remove(first)
            first.handler()
        }
        isFiring = false
        if !isClosed { arm() }
    }

    /// libuv's clock may be a little behind ours; a wake-up that comes early arms again for the rest.
    private func arm() {
        guard let first = heap.first else { return }
        let remaining = first._withUnsafeGuaranteedRef { $0.deadline.nanoseconds }
            .subtractingReportingOverflow(Clock.monotonic().nanoseconds).partialValue
        if remaining <= 0 { return armForNextTurn() }
        startHandle(UInt64(remaining) / 1_000_000 + 1)
    }

    /// A timer of no time that is started while timers fire would fire among them in libuv 1.44, and streams would wait. The
    /// idle handle starts it behind them, and keeps the poll from blocking.
    private func armForNextTurn() {
        uv_idle_start(nextTurn) { idle in
            uv_idle_stop(idle)
            Unmanaged<TimerQueue>.fromOpaque(idle!.pointee.data)._withUnsafeGuaranteedRef { $0.startHandle(0) }
        }
    }

    private func startHandle(_ milliseconds: UInt64) {
        uv_timer_start(
            handle,
            { handle in
                Unmanaged<TimerQueue>.fromOpaque(handle!.pointee.data).takeUnretainedValue().fire()
            }, milliseconds, 0)
    }

    private func place(_ timer: Unmanaged<LoopTimer>, at position: Int) {
        heap[position] = timer
        timer._withUnsafeGuaranteedRef { $0.position = position }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        heap[left]._withUnsafeGuaranteedRef { left in
            heap[right]._withUnsafeGuaranteedRef { right in
                (left.deadline, left.order) < (right.deadline, right.order)
            }
        }
    }

    private func swap(_ left: Int, _ right: Int) {
        let timer = heap[left]
        place(heap[right], at: left)
        place(timer, at: right)
    }

    private func siftUp(from start: Int) {
        var position = start
        while position > 0, precedes(position, (position - 1) / 2) {
            swap(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    private func siftDown(from start: Int) {
        var position = start
        while true {
            var least = position
            let child = 2 * position + 1
            if child < heap.count, precedes(child, least) { least = child }
            if child + 1 < heap.count, precedes(child + 1, least) { least = child + 1 }
            if least == position { return }
            swap(position, least)
            position = least
        }
    }
}

/// One timer; it costs memory only, no libuv handle.
final class LoopTimer: PlatformTimer {
    private let queue: TimerQueue
    let handler: () -> Void
    var deadline = Instant.zero
    /// Counts starts: equal deadlines fire in the order they were started.
    var order: UInt64 = 0
    /// Where in the heap; nil = not running.
    var position: Int?

    init(_ queue: TimerQueue, _ handler: @escaping () -> Void) {
        self.queue = queue
        self.handler = handler
    }

    deinit { queue.remove(self) }

    func start(at instant: Instant) { queue.start(self, at: instant) }
    func cancel() { queue.remove(self) }
}
