import Basics

/// Keys by the instant at which they are due, to an eighth of a second. A key may stand in it more than once; who takes
/// one out checks whether it still means anything, so nothing is ever searched for.
///
/// Putting one in and taking one out costs the same however many there are: each replica of a node passes through here
/// about every 40 s, and a heap of 100,000 of them cost more than all exchanges.
struct DeadlineWheel<Key> {
    /// How much later than due a key may be given out.
    static var grain: Int64 { 125_000_000 }

    private var slots: [Int64: ContiguousArray<Key>] = [:]
    /// What is being given out; all earlier slots are empty.
    private var open: ContiguousArray<Key> = []
    private var nextSlot: Int64
    private(set) var count = 0

    init(now: Instant) { nextSlot = now.nanoseconds / Self.grain }

    mutating func insert(_ key: Key, due: Instant) {
        // Rounded up: never before it is due.
        let slot = due.nanoseconds / Self.grain + (due.nanoseconds % Self.grain > 0 ? 1 : 0)
        slots[max(slot, nextSlot), default: []].append(key)
        count += 1
    }

    /// Takes out a key that is due at `now`.
    mutating func popDue(at now: Instant) -> Key? {
        let last = now.nanoseconds / Self.grain
        while open.isEmpty, nextSlot <= last {
            // After a long pause it is shorter to look at the slots there are.
            if slots.count < last - nextSlot { nextSlot = min(slots.keys.min() ?? last, last) }
            open = slots.removeValue(forKey: nextSlot) ?? []
            nextSlot += 1
        }
        guard let key = open.popLast() else { return nil }
        count -= 1
        return key
    }
}
