import Basics

/// The time that this node's own clock may have lost, by who noticed: its reports of older events are made older by it.
///
/// All of them add up. Two observers mostly saw the same loss, but each may have missed one that the other saw, and too
/// old is harmless (rule R3).
struct StallLedger {
    private struct Entry {
        var observer: String
        var noticedAt: Instant
        var loss: Duration
    }

    private var entries: [Entry] = []

    /// All that was ever noted, for the status.
    private(set) var total = Duration.zero

    mutating func note(_ loss: Duration, by observer: String, at now: Instant) {
        guard loss > .zero else { return }
        total += loss
        let own = entries.indices.filter { entries[$0].observer == observer }
        if own.count >= GossipLimits.stalls {
            // The two oldest become one, noticed at the later moment: no event gets younger by that.
            entries[own[1]].loss += entries[own[0]].loss
            entries.remove(at: own[0])
        }
        entries.append(Entry(observer: observer, noticedAt: now, loss: loss))
    }

    /// What is added to the age of an event heard at `instant`.
    func loss(since instant: Instant) -> Duration {
        entries.reduce(.zero) { $1.noticedAt < instant ? $0 : $0 + $1.loss }
    }

    /// Forgets what no event of any use is older than.
    mutating func prune(before instant: Instant) { entries.removeAll { $0.noticedAt < instant } }
}
