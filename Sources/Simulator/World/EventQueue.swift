// What happens next, in the order of (true time, sequence). Elements are plain words in one block of memory: moving one
// costs no reference counting, and a million queued events cost no object of their own.

/// Something that events can happen to.
///
/// A class to subclass, not a protocol: one virtual call per event.
class EventTarget {
    /// An event whose time has come; `argument` is the target's own code for what it is.
    func occur(_ argument: UInt64) { preconditionFailure("an event for \(type(of: self)), which has none") }
}

/// A binary heap of events, earliest first, equal times in the order they were added.
struct EventQueue: ~Copyable {
    struct Event {
        /// True time, in nanoseconds.
        var time: Int64
        var order: UInt64
        /// Holds one reference.
        var target: Unmanaged<EventTarget>
        var argument: UInt64
    }

    private(set) var count = 0
    private var base: UnsafeMutablePointer<Event>
    private var capacity = 1_024
    private var orders: UInt64 = 0

    init() { base = .allocate(capacity: capacity) }

    deinit {
        for index in 0..<count { base[index].target.release() }
        base.deallocate()
    }

    /// When the next event is due; `Int64.max` when there is none.
    var nextTime: Int64 { count == 0 ? .max : base[0].time }

    mutating func add(_ target: EventTarget, _ argument: UInt64, at time: Int64) {
        if count == capacity { grow() }
        orders += 1
        let event = Event(time: time, order: orders, target: .passRetained(target), argument: argument)
        var place = count
        count += 1
        while place > 0 {
            let parent = (place - 1) / 2
            if EventQueue.precedes(base[parent], event) { break }
            base[place] = base[parent]
            place = parent
        }
        base[place] = event
    }

    /// Takes the first event, which must exist; the caller owns its reference to the target.
    mutating func takeFirst() -> Event {
        precondition(count > 0, "no event is queued")
        let first = base[0]
        count -= 1
        let last = base[count]
        var place = 0
        while true {
            var least = 2 * place + 1
            if least >= count { break }
            if least + 1 < count, EventQueue.precedes(base[least + 1], base[least]) { least += 1 }
            if EventQueue.precedes(last, base[least]) { break }
            base[place] = base[least]
            place = least
        }
        if count > 0 { base[place] = last }
        return first
    }

    /// Forgets everything.
    mutating func removeAll() {
        for index in 0..<count { base[index].target.release() }
        count = 0
    }

    @inline(__always)
    private static func precedes(_ left: Event, _ right: Event) -> Bool {
        left.time != right.time ? left.time < right.time : left.order < right.order
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Event>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }
}
