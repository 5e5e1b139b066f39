// Who lacks what: from each node's answers to a sorted list of differences. Pure; the asking is ClusterSurvey's.
//
//   readings ──┬─▶ nodes that do not answer
//              ├─▶ replicas: missing, late, two addresses, two clusters        (this file)
//              ├─▶ ORDER_TOPIC_CONFIG                                          (KeyValueComparison)
//              └─▶ what the nodes' gossip reports, with since                  (GossipFindings)
//   routes of all topics, one topic at a time ──▶ TopicComparison
//   all of them ──▶ merged by kind and subject

import Basics
import Remoting

/// Compares what nodes say, and what they say of each other.
public enum ClusterComparison {
    /// All differences, the gravest first.
    ///
    /// - Parameter topics: the compared routes; nil when none were.
    public static func differences(
        _ readings: [NodeReading], topics: TopicComparison? = nil
    ) -> [ClusterDifference] {
        let direct =
            unreachable(readings) + replicas(readings) + keyValues(readings) + (topics?.differences(readings) ?? [])
        return merged(direct, with: reported(readings), order: readings.map(\.name))
    }

    /// Differences of the brokers alone, found and reported: for screens that ask often.
    public static func brokerDifferences(_ readings: [NodeReading]) -> [ClusterDifference] {
        merged(replicas(readings), with: reported(readings), order: readings.map(\.name))
    }

    /// Those of `later` that were there in `earlier` too: what changes from one reading to the next is under way.
    ///
    /// A node counts as lacking something only if it lacked it both times.
    static func lasting(_ earlier: [ClusterDifference], _ later: [ClusterDifference]) -> [ClusterDifference] {
        let before = Dictionary(earlier.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        return later.compactMap { difference in
            let key = difference.key
            guard let old = before[key] ?? key.sibling.flatMap({ before[$0] }) else { return nil }
            // Between mere opinions, which side is which may turn; that there are two is what lasts.
            guard difference.kind.hasClearSides else { return difference }
            var kept = difference
            kept.there = difference.there.filter(old.there.contains)
            return kept.there.isEmpty ? nil : kept
        }
    }

    private static func unreachable(_ readings: [NodeReading]) -> [ClusterDifference] {
        readings.compactMap { node in
            guard let error = node.error else { return nil }
            return ClusterDifference(
                kind: .unreachable, subject: node.name, here: readings.filter(\.isUp).map(\.name), there: [node.name],
                text: "\(node.place) does not answer: \(error)",
                advice: "start it, or check the network from here to \(node.address)")
        }
    }

    // MARK: Replicas

    private static func replicas(_ readings: [NodeReading]) -> [ClusterDifference] {
        let tables = readings.map(\.replicas)
        var differences: [ClusterDifference] = []
        for key in Set(tables.flatMap(\.keys)).sorted() {
            let views = zip(readings, tables).compactMap { reading, table in
                reading.isUp ? ReplicaView(node: reading, replica: table[key]) : nil
            }
            differences += missing(key, views)
            differences += late(key, views)
            differences += moved(key, views)
        }
        return differences + clusterNames(readings)
    }

    private static func missing(_ key: ReplicaKey, _ views: [ReplicaView]) -> [ClusterDifference] {
        let there = views.filter { $0.sight.isNotFirstHand }
        let here = views.filter { !$0.sight.isNotFirstHand }
        guard !there.isEmpty, !here.isEmpty else { return [] }
        let words = ReplicaWords(key: key, here: here, there: there)
        return [
            ClusterDifference(
                kind: .missing, subject: "\(key)", broker: key.name, here: here.map(\.node.name),
                there: there.map(\.node.name),
                sinceMillis: words.missingSince, text: words.missingText, advice: words.missingAdvice)
        ]
    }

    private static func late(_ key: ReplicaKey, _ views: [ReplicaView]) -> [ClusterDifference] {
        let heard = views.filter { $0.sight.firstHand != nil }
        guard let freshest = heard.compactMap({ $0.sight.firstHand?.age }).min() else { return [] }
        func isLate(_ view: ReplicaView) -> Bool {
            guard let (age, timeout) = view.sight.firstHand else { return false }
            return age > Lateness.limit(timeout: timeout) && age - freshest > Lateness.margin(timeout: timeout)
        }
        let there = heard.filter(isLate)
        guard !there.isEmpty else { return [] }
        let here = heard.filter { !isLate($0) }
        let words = ReplicaWords(key: key, here: here, there: there)
        return [
            ClusterDifference(
                kind: .late, subject: "\(key)", broker: key.name, here: here.map(\.node.name),
                there: there.map(\.node.name),
                sinceMillis: there.compactMap { $0.sight.firstHand?.age }.max(), text: words.lateText,
                advice: words.lateAdvice)
        ]
    }

    /// One id at two addresses: a broker that moved, or two that claim to be the same.
    private static func moved(_ key: ReplicaKey, _ views: [ReplicaView]) -> [ClusterDifference] {
        let sides = sides(views) { $0.replica?.address }
        guard sides.count > 1 else { return [] }
        let text = sides.map { "\($0.value) at \(enumeration($0.members.map(\.node.name)))" }.joined(separator: "; ")
        return [
            ClusterDifference(
                kind: .duplicateID, subject: "\(key)", broker: key.name, here: sides[0].members.map(\.node.name),
                there: sides.dropFirst().flatMap(\.members).map(\.node.name), text: "its address is \(text)",
                advice: "if it moved, the old address leaves when its timeout has passed; if both run, "
                    + "give one of them another brokerName or brokerId")
        ]
    }

    private static func clusterNames(_ readings: [NodeReading]) -> [ClusterDifference] {
        let nodes = readings.filter(\.isUp)
        let names = Set(nodes.flatMap { $0.groups.map { Array($0.keys) } ?? [] }).sorted()
        return names.compactMap { name in
            let sides = sides(nodes) { $0.groups?[name].flatMap { $0.brokerAddrs.isEmpty ? nil : $0.cluster } }
            guard sides.count > 1 else { return nil }
            let text = sides.map { "in \($0.value) at \(enumeration($0.members.map(\.name)))" }.joined(separator: "; ")
            return ClusterDifference(
                kind: .content, subject: name, broker: name, here: sides[0].members.map(\.name),
                there: sides.dropFirst().flatMap(\.members).map(\.name), text: "it is listed \(text)",
                advice: "look at brokerClusterName in the broker.conf of every replica of \(name), "
                    + "then restart those that were wrong")
        }
    }

    /// Splits by value those that have one; the largest side first, of equal ones the first in order.
    static func sides<Member, Value: Hashable>(
        _ members: [Member], by value: (Member) -> Value?
    ) -> [(value: Value, members: [Member])] {
        var sides: [(value: Value, members: [Member])] = []
        for member in members {
            guard let value = value(member) else { continue }
            if let index = sides.firstIndex(where: { $0.value == value }) {
                sides[index].members.append(member)
            } else {
                sides.append((value, [member]))
            }
        }
        return sides.enumerated()
            .sorted { ($1.element.members.count, $0.offset) < ($0.element.members.count, $1.offset) }.map(\.element)
    }

    // MARK: Merging

    /// One row per kind and subject, nodes in the order of the cluster.
    private static func merged(
        _ direct: [ClusterDifference], with reported: [ClusterDifference], order: [String]
    ) -> [ClusterDifference] {
        var rows: [ClusterDifference.Key: ClusterDifference] = [:]
        for difference in direct {
            var row = difference
            // A group may be wiped in two ways, at one node for these topics and at another for those.
            if rows[row.key] != nil { row.subject += " at \(row.there.joined(separator: ","))" }
            rows[row.key] = row
        }
        for difference in reported {
            if explain(difference, in: &rows) { continue }
            guard var row = rows[difference.key] else {
                rows[difference.key] = difference
                continue
            }
            row.there += difference.there.filter { !row.there.contains($0) }
            row.here += difference.here.filter { !row.here.contains($0) }
            row.here.removeAll(where: row.there.contains)
            row.sinceMillis = [row.sinceMillis, difference.sinceMillis].compactMap { $0 }.max()
            row.isReportedByNodes = true
            rows[difference.key] = row
        }
        func place(_ name: String) -> (Int, String) { (order.firstIndex(of: name) ?? order.count, name) }
        return rows.sorted { $0.key < $1.key }.map { _, row in
            var row = row
            row.here.sort { place($0) < place($1) }
            row.there.sort { place($0) < place($1) }
            return row
        }
    }
}

extension ClusterComparison {
    /// Whether rows found here say all that the nodes' report does, which only counts or compares digests: they name the
    /// topics, or the keys. They learn since when.
    private static func explain(
        _ report: ClusterDifference, in rows: inout [ClusterDifference.Key: ClusterDifference]
    ) -> Bool {
        let named = rows.filter { key, row in
            switch report.kind {
            case .content, .residue: row.broker == report.broker && !row.topics.isEmpty
            case .permission: !row.topics.isEmpty && (report.broker == nil || report.broker == row.broker)
            case .keyValue: key.kind == .keyValue
            default: false
            }
        }.keys
        for key in named {
            let since = [rows[key]?.sinceMillis, report.sinceMillis].compactMap { $0 }.max()
            rows[key]?.sinceMillis = since
            rows[key]?.isReportedByNodes = true
        }
        return !named.isEmpty
    }
}

/// What one node that answered says of a replica.
struct ReplicaView {
    var node: NodeReading
    var replica: NodeReading.Replica?

    var sight: ReplicaSight { replica?.sight ?? .missing }
}

extension ClusterDifference.Kind {
    /// Whether `there` is at fault, rather than merely of the other opinion.
    fileprivate var hasClearSides: Bool {
        switch self {
        case .unreachable, .missing, .late: true
        default: false
        }
    }
}
