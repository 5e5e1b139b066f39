import Basics

/// Values by the time they are due, earliest first (a binary heap); equal times come in the order of their insertion.
struct DeadlineHeap<Value: Sendable>: Sendable {
    private struct Item: Sendable {
        var due: Instant
        var number: UInt64
        var value: Value

        func isBefore(_ other: Item) -> Bool { (due, number) < (other.due, other.number) }
    }

    private var items: [Item] = []
    private var inserted: UInt64 = 0

    var count: Int { items.count }

    /// When the earliest value is due.
    var next: Instant { items.first?.due ?? .distantFuture }

    mutating func insert(_ value: Value, due: Instant) {
        inserted += 1
        items.append(Item(due: due, number: inserted, value: value))
        var child = items.count - 1
        while child > 0, items[child].isBefore(items[(child - 1) / 2]) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest value if it is due.
    mutating func popDue(now: Instant) -> Value? {
        guard let first = items.first, first.due <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        sink(0)
        return first.value
    }

    /// Drops every value that is of no use any more.
    mutating func removeAll(where condition: (Value) -> Bool) {
        items.removeAll { condition($0.value) }
        for parent in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(parent) }
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
                if items[child].isBefore(items[smallest]) { smallest = child }
            }
            if smallest == parent { return }
            items.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
