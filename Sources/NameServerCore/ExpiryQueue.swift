import Basics

/// When each live entry is to be looked at next: a binary heap ordered by instant that knows where each entry stands.
///
/// The instant queued for an entry is never later than its true deadline, but may be earlier: a heartbeat moves only the
/// entry's time stamp and leaves the queue alone. When the scan reaches the queued instant it looks at the stamp, and
/// puts the entry back with its true deadline if that is still to come. So a heartbeat costs nothing here, and a scan
/// costs only what is due: each entry comes up at most once per timeout.
struct ExpiryQueue {
    private struct Item {
        var due: Instant
        var entry: LiveID
    }

    private var heap: ContiguousArray<Item> = []
    /// Where in the heap each entry stands, by its number; -1 for none.
    private var positions: ContiguousArray<Int32> = []

    /// How many entries are queued.
    var count: Int { heap.count }

    /// The entry to look at first, and when.
    var first: (due: Instant, entry: LiveID)? { heap.first.map { ($0.due, $0.entry) } }

    /// When the entry is to be looked at; nil when it is not queued.
    func due(of entry: LiveID) -> Instant? {
        guard entry.index < positions.count, positions[entry.index] >= 0 else { return nil }
        return heap[Int(positions[entry.index])].due
    }

    /// Queues the entry for `due`, wherever it stood before.
    mutating func set(_ entry: LiveID, due: Instant) {
        while positions.count <= entry.index { positions.append(-1) }
        let position = Int(positions[entry.index])
        if position < 0 {
            heap.append(Item(due: due, entry: entry))
            positions[entry.index] = Int32(heap.count - 1)
            rise(from: heap.count - 1)
        } else {
            heap[position].due = due
            settle(position)
        }
    }

    /// Queues the entry for `due` unless it comes up earlier than that anyway.
    mutating func setNoLater(_ entry: LiveID, due: Instant) {
        let position = entry.index < positions.count ? Int(positions[entry.index]) : -1
        if position < 0 || due < heap[position].due { set(entry, due: due) }
    }

    /// Forgets the entry.
    mutating func remove(_ entry: LiveID) {
        guard entry.index < positions.count, positions[entry.index] >= 0 else { return }
        let position = Int(positions[entry.index])
        positions[entry.index] = -1
        let last = heap.removeLast()
        guard position < heap.count else { return }
        heap[position] = last
        positions[last.entry.index] = Int32(position)
        settle(position)
    }

    private mutating func settle(_ position: Int) {
        rise(from: position)
        sink(from: position)
    }

    private mutating func rise(from start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard heap[position].due < heap[parent].due else { return }
            exchange(position, parent)
            position = parent
        }
    }

    private mutating func sink(from start: Int) {
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
            guard heap[child].due < heap[position].due else { return }
            exchange(position, child)
            position = child
        }
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        positions[heap[left].entry.index] = Int32(left)
        positions[heap[right].entry.index] = Int32(right)
    }
}
