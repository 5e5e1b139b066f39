import Basics

/// A binary heap of keys ordered by instant, earliest first. A key may stand in it more than once; who takes one out
/// checks whether it still means anything, so nothing is ever searched for.
struct DeadlineHeap<Key> {
    private var items: ContiguousArray<(due: Instant, key: Key)> = []

    var count: Int { items.count }
    var first: (due: Instant, key: Key)? { items.first }

    mutating func insert(_ key: Key, due: Instant) {
        items.append((due, key))
        var position = items.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard items[position].due < items[parent].due else { return }
            items.swapAt(position, parent)
            position = parent
        }
    }

    /// Takes out the earliest key that is due at `now`.
    mutating func popDue(at now: Instant) -> Key? {
        guard let first = items.first, first.due <= now else { return nil }
        let last = items.removeLast()
        if !items.isEmpty {
            items[0] = last
            sink()
        }
        return first.key
    }

    private mutating func sink() {
        var position = 0
        while true {
            var child = 2 * position + 1
            guard child < items.count else { return }
            if child + 1 < items.count, items[child + 1].due < items[child].due { child += 1 }
            guard items[child].due < items[position].due else { return }
            items.swapAt(position, child)
            position = child
        }
    }
}
