import Basics
import Platform

/// All running timers of one process, in the order of (deadline, start); released timers are cancelled.
final class SimulatedTimerQueue {
    /// Until its process ends. (Not weak: weak references make every count of the platform's references slow.)
    var platform: SimulatedPlatform?
    private var heap: [Unmanaged<SimulatedTimer>] = []
    private var starts: UInt64 = 0
    private var isFiring = false

    var first: SimulatedTimer? { heap.first?.takeUnretainedValue() }

    func start(_ timer: SimulatedTimer, at deadline: Instant) {
        guard let platform, platform.isAlive else { return }
        remove(timer)
        if deadline == .distantFuture { return }
        timer.deadline = deadline
        starts += 1
        timer.order = starts
        heap.append(.passUnretained(timer))
        timer.position = heap.count - 1
        siftUp(from: heap.count - 1)
        if timer.position == 0, !isFiring { platform.arm() }
    }

    func remove(_ timer: SimulatedTimer) {
        guard let position = timer.position else { return }
        timer.position = nil
        let last = heap.removeLast()
        guard position < heap.count else { return }
        place(last, at: position)
        siftUp(from: position)
        siftDown(from: position)
    }

    func removeAll() {
        for timer in heap { timer._withUnsafeGuaranteedRef { $0.position = nil } }
        heap.removeAll()
    }

    /// Calls all that is due, except what a handler starts meanwhile; false when nothing was.
    func fire(now: Instant) -> Bool {
        isFiring = true
        let started = starts
        var hasFired = false
        while let first = heap.first?.takeUnretainedValue(), first.deadline <= now, first.order <= started {
            remove(first)
            hasFired = true
            first.handler()
        }
        isFiring = false
        return hasFired
    }

    private func place(_ timer: Unmanaged<SimulatedTimer>, at position: Int) {
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

/// One timer on a host's clock.
final class SimulatedTimer: PlatformTimer {
    private let queue: SimulatedTimerQueue
    let handler: () -> Void
    var deadline = Instant.zero
    /// Counts starts: equal deadlines fire in the order they were started.
    var order: UInt64 = 0
    /// Where in the heap; nil = not running.
    var position: Int?

    init(_ queue: SimulatedTimerQueue, _ handler: @escaping () -> Void) {
        self.queue = queue
        self.handler = handler
    }

    deinit { queue.remove(self) }

    func start(at instant: Instant) { queue.start(self, at: instant) }
    func cancel() { queue.remove(self) }
}
