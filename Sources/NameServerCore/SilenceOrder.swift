import Basics

/// Live entries in the order in which they were last heard, so that whoever has been silent for unusually long stands in front.
///
/// A heartbeat takes its entry to the end of a list, which costs some instructions and no memory; whom gossip should ask the
/// peers about (`Silence.unusual`) is then found without a look at anybody else. Who tolerates how much silence differs: there is one list
/// for each rank of tolerance, each rank a fifth or so wide. The lower bound of a rank is never less than its entries' usual
/// interval, so none that keeps to it is looked at in vain.
struct SilenceOrder {
    private struct Place {
        var previous: Int32 = -1
        var next: Int32 = -1
        /// The list it stands in; -1 for none.
        var rank: Int16 = -1
    }

    /// By live entry.
    private var places: ContiguousArray<Place> = []
    /// By rank.
    private var first = ContiguousArray<Int32>(repeating: -1, count: Self.ranks)
    private var last = ContiguousArray<Int32>(repeating: -1, count: Self.ranks)

    /// Four to each power of two of nanoseconds.
    private static let ranks = 256

    @inline(__always)
    private static func rank(of tolerance: Int64) -> Int {
        guard tolerance >= 4 else { return 0 }
        let exponent = 63 - tolerance.leadingZeroBitCount
        return exponent * 4 + Int(tolerance >> Int64(exponent - 2)) & 3
    }

    /// The least tolerance of a rank.
    private static func least(of rank: Int) -> Int64 {
        rank < 8 ? 0 : Int64(4 + rank & 3) << Int64(rank / 4 - 2)
    }

    /// The entry was heard just now, after all others.
    ///
    /// - Parameter tolerance: nanoseconds of silence from which on it counts as late.
    @inline(__always)
    mutating func heard(_ id: LiveID, tolerance: Int64) {
        while places.count <= id.index { places.append(Place()) }
        let rank = Self.rank(of: tolerance)
        let number = Int32(truncatingIfNeeded: id.number)
        if last[rank] == number { return }
        remove(id)
        places[id.index] = Place(previous: last[rank], next: -1, rank: Int16(rank))
        if last[rank] >= 0 { places[Int(last[rank])].next = number } else { first[rank] = number }
        last[rank] = number
    }

    /// Forgets the entry.
    mutating func remove(_ id: LiveID) {
        guard id.index < places.count, places[id.index].rank >= 0 else { return }
        let place = places[id.index]
        if place.previous >= 0 {
            places[Int(place.previous)].next = place.next
        } else {
            first[Int(place.rank)] = place.next
        }
        if place.next >= 0 {
            places[Int(place.next)].previous = place.previous
        } else {
            last[Int(place.rank)] = place.previous
        }
        places[id.index] = Place()
    }

    /// The entries that may be late at `now`: of each list those in front whose silence has reached the least tolerance of its rank.
    ///
    /// - Parameter lastHeard: tells when an entry was last heard.
    func candidates(at now: Instant, lastHeard: (LiveID) -> Instant) -> [LiveID] {
        var found: [LiveID] = []
        for rank in 0..<Self.ranks where first[rank] >= 0 {
            let least = Self.least(of: rank)
            var next = first[rank]
            while next >= 0 {
                let id = LiveID(number: UInt32(next))
                guard lastHeard(id).advanced(byNanoseconds: least) <= now else { break }
                found.append(id)
                next = places[id.index].next
            }
        }
        return found
    }
}

extension RouteTables {
    /// A sign of life of the entry.
    @inline(__always)
    mutating func heard(_ id: LiveID, at now: Instant) {
        live[id.index].heard(at: now)
        noteHeard(id)
    }

    /// The entry's time stamp, or what it tolerates, has moved.
    @inline(__always)
    mutating func noteHeard(_ id: LiveID) { silence?.heard(id, tolerance: live[id.index].tolerance) }
}

extension LiveEntry {
    /// Nanoseconds of silence from which on it counts as late.
    @inline(__always)
    var tolerance: Int64 { Silence.unusual(interval: interval, timeout: timeout) }
}

extension NameServer {
    /// The first-hand entries that have been silent for `Silence.unusual` or longer, in no particular order. Costs what is late; empty
    /// without tracking.
    public func lateReplicas(at now: Instant) -> [ReplicaToken] {
        guard let silence = tables.silence else { return [] }
        let candidates = silence.candidates(at: now) { tables.live[$0.index].lastHeard }
        return candidates.compactMap { id in
            let entry = tables.live[id.index]
            return entry.lastHeard.advanced(byNanoseconds: entry.tolerance) <= now ? id.token : nil
        }
    }
}
