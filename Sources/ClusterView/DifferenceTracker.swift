import Basics

/// Follows differences from one look to the next: which stand, and which appeared or healed.
///
/// A broker's heartbeat reaches nodes milliseconds apart; what the nodes do not report themselves must last before it counts.
struct DifferenceTracker: Sendable {
    /// How long a difference must last before it counts.
    static let patience = Duration.seconds(2)
    /// Lines of one kind told at a time: a node that starts lacks every broker at once.
    static let lineLimit = 10

    private struct Entry: Sendable {
        var difference: ClusterDifference
        var firstSeen: Instant
        var isStanding = false
    }

    private var entries: [ClusterDifference.Key: Entry] = [:]

    /// Those that count, the gravest first, each with the time it has lasted.
    private(set) var standing: [ClusterDifference] = []

    /// Takes what is found now and answers one line for each that appeared or healed.
    ///
    /// - Parameter up: the nodes that answer. What ends because a node no longer answers has not healed.
    mutating func update(_ found: [ClusterDifference], up: [String], now: Instant) -> [String] {
        var appeared: [String] = []
        var healed: [String] = []
        var next: [ClusterDifference.Key: Entry] = [:]
        standing = []
        for difference in found.sorted(by: { $0.key < $1.key }) {
            var entry = entries[difference.key] ?? Entry(difference: difference, firstSeen: now)
            let hasWorsened = entries[difference.key] == nil && isStanding(difference.key.sibling)
            entry.difference = difference
            let seen = now - entry.firstSeen
            if entry.difference.sinceMillis == nil { entry.difference.sinceMillis = seen.wholeMilliseconds }
            if !entry.isStanding, hasWorsened || difference.isReportedByNodes || seen >= Self.patience {
                entry.isStanding = true
                appeared.append(
                    "DIVERGENCE \(difference.kind.rawValue) \(difference.subject): \(difference.text): \(difference.advice)"
                )
            }
            if entry.isStanding { standing.append(entry.difference) }
            next[difference.key] = entry
        }
        for (key, entry) in entries.sorted(by: { $0.key < $1.key }) where entry.isStanding && next[key] == nil {
            guard entry.difference.there.allSatisfy(up.contains), next[key.sibling ?? key] == nil else {
                continue
            }
            let lasted = DurationText.short((now - entry.firstSeen).wholeMilliseconds)
            healed.append("HEALED \(key.kind.rawValue) \(key.subject), seen for \(lasted)")
        }
        entries = next
        return Self.limited(appeared, "DIVERGENCE") + Self.limited(healed, "HEALED")
    }

    private static func limited(_ lines: [String], _ word: String) -> [String] {
        guard lines.count > lineLimit else { return lines }
        return lines.prefix(lineLimit - 1) + ["\(word) and \(lines.count - lineLimit + 1) more; hearsay diff lists all"]
    }

    private func isStanding(_ key: ClusterDifference.Key?) -> Bool {
        key.flatMap { entries[$0] }?.isStanding ?? false
    }
}
