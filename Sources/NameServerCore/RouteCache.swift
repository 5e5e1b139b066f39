import Remoting

/// Where a topic's encoded routes lie in the cache, by dialect; -1 for nowhere.
struct CachedRoutes {
    var standard: Int32 = -1
    var legacy: Int32 = -1

    subscript(dialect: JSONDialect) -> Int32 {
        get { dialect == .standard ? standard : legacy }
        set { if dialect == .standard { standard = newValue } else { legacy = newValue } }
    }
}

/// Encoded route bodies, ready to be copied into an answer; bounded by bytes.
///
/// A body is good while neither its topic nor one of its brokers has changed since it was made, which the ticks tell
/// (`RouteTables`); the cache itself only stores and forgets. Room is made by the clock rule: a hand goes round the
/// slots, spares a body that was used since it last passed, and drops one that was not.
struct RouteCache: ~Copyable {
    struct Slot {
        var bytes: UnsafeMutableRawBufferPointer
        var topic: TopicID
        var dialect: JSONDialect
        /// The tick at which the body was last known to be good.
        var goodAt: UInt64
        var wasUsed: Bool
    }

    private var slots: ContiguousArray<Slot?> = []
    private var vacant: ContiguousArray<Int32> = []
    private var hand = 0
    /// Bytes held by bodies and their slots.
    private(set) var byteCount = 0
    var limit: Int

    /// What a slot costs besides its bytes, so that many tiny bodies are counted fairly.
    private static let overhead = 96

    init(limit: Int) { self.limit = limit }

    deinit { for slot in slots { slot?.bytes.deallocate() } }

    /// The slot's body, if it is this topic's in this dialect.
    @inline(__always)
    func body(at index: Int32, topic: TopicID, dialect: JSONDialect) -> (bytes: UnsafeRawBufferPointer, goodAt: UInt64)?
    {
        guard index >= 0, let slot = slots[Int(index)], slot.topic == topic, slot.dialect == dialect else { return nil }
        return (UnsafeRawBufferPointer(slot.bytes), slot.goodAt)
    }

    /// The body was served: it is good as of `tick`, and worth keeping.
    @inline(__always)
    mutating func used(_ index: Int32, goodAt tick: UInt64) {
        slots[Int(index)]?.goodAt = tick
        slots[Int(index)]?.wasUsed = true
    }

    /// Keeps a copy of the body; gives its slot, or nil when it is too large to be worth it.
    mutating func store(
        _ body: UnsafeRawBufferPointer, topic: TopicID, dialect: JSONDialect, replacing old: Int32, goodAt tick: UInt64
    ) -> Int32? {
        if self.body(at: old, topic: topic, dialect: dialect) != nil { drop(Int(old)) }
        let cost = body.count + Self.overhead
        guard cost <= limit / 4 else { return nil }
        while byteCount + cost > limit { advance() }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count, alignment: 16)
        copy.copyMemory(from: body)
        let slot = Slot(bytes: copy, topic: topic, dialect: dialect, goodAt: tick, wasUsed: false)
        byteCount += cost
        if let index = vacant.popLast() {
            slots[Int(index)] = slot
            return index
        }
        slots.append(slot)
        return Int32(slots.count - 1)
    }

    /// Forgets everything.
    mutating func removeAll() {
        for index in slots.indices where slots[index] != nil { drop(index) }
    }

    private mutating func advance() {
        if hand >= slots.count { hand = 0 }
        if slots[hand]?.wasUsed == true {
            slots[hand]?.wasUsed = false
        } else if slots[hand] != nil {
            drop(hand)
        }
        hand += 1
    }

    private mutating func drop(_ index: Int) {
        guard let slot = slots[index] else { preconditionFailure("slot \(index) is vacant") }
        slot.bytes.deallocate()
        byteCount -= slot.bytes.count + Self.overhead
        slots[index] = nil
        vacant.append(Int32(index))
    }
}
