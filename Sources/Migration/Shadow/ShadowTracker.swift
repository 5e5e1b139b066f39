import Basics

/// Follows findings from one reading to the next: which have lasted, since when, and which healed. Pure.
///
/// A broker registers with both servers, milliseconds apart, and what one of them missed is mended by the next
/// registration, 30 s later: only what every reading shows for longer than that is a difference.
struct ShadowTracker {
    /// A finding with its history.
    struct Entry: Sendable {
        var finding: ShadowFinding
        /// When a reading showed it first.
        var since: Instant
        /// Whether every reading showed it, for `settle` at least.
        var isLasting = false
    }

    /// What one reading changed.
    struct Change: Sendable {
        /// Findings that have lasted long enough just now.
        var appeared: [Entry] = []
        /// Lasting ones that this reading did not show any more.
        var healed: [Entry] = []
    }

    private let settle: Duration
    private var entries: [ShadowFinding.Key: Entry] = [:]

    init(settle: Duration) { self.settle = settle }

    /// Those that have lasted, in the order of their keys.
    var lasting: [Entry] { entries.values.filter(\.isLasting).sorted { $0.finding.key < $1.finding.key } }

    /// How many have not lasted long enough to tell.
    var unsettledCount: Int { entries.values.count { !$0.isLasting } }

    /// Topics that must be read again to see whether what was found still stands.
    var topics: Set<String> { Set(entries.values.compactMap(\.finding.topic)) }

    /// When the next entry will have lasted long enough; nil when none is waiting.
    var nextSettled: Instant? { entries.values.filter { !$0.isLasting }.map { $0.since + settle }.min() }

    /// Takes what a reading found that looked at everything that was found before.
    ///
    /// - Parameter began: when the reading began: nothing it shows can be older news than that.
    mutating func take(_ findings: [ShadowFinding], began: Instant, now: Instant) -> Change {
        var change = Change()
        var next: [ShadowFinding.Key: Entry] = [:]
        for finding in findings {
            var entry = entries[finding.key] ?? Entry(finding: finding, since: now)
            entry.finding = finding
            if !entry.isLasting, began - entry.since >= settle {
                entry.isLasting = true
                change.appeared.append(entry)
            }
            next[finding.key] = entry
        }
        change.healed = entries.values.filter { $0.isLasting && next[$0.finding.key] == nil }
        change.appeared.sort { $0.finding.key < $1.finding.key }
        change.healed.sort { $0.finding.key < $1.finding.key }
        entries = next
        return change
    }
}
