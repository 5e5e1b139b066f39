import Basics
import ClusterView

/// One way in which the servers differ, and all topics that differ in it.
public struct ShadowRow: Hashable, Sendable, Encodable {
    /// What it is about.
    public var aspect: ShadowFinding.Aspect
    /// Whose view it is.
    public var audience: ShadowFinding.Audience
    /// The broker group; nil when it is about none.
    public var broker: String?
    /// Topics, replicas, clusters or keys, sorted.
    public var items: [String]
    /// What the reference says of each of them.
    public var reference: String
    /// What the candidate says of each of them.
    public var candidate: String
    /// How long the oldest of them has been seen.
    public var seenMillis: Int64

    /// Puts entries together that say the same of many topics.
    static func rows(_ entries: [ShadowTracker.Entry], now: Instant) -> [ShadowRow] {
        struct Group: Hashable {
            var aspect: ShadowFinding.Aspect
            var audience: ShadowFinding.Audience
            var broker: String
            var reference: String
            var candidate: String
        }
        var rows: [Group: ShadowRow] = [:]
        for entry in entries {
            let key = entry.finding.key
            let group = Group(
                aspect: key.aspect, audience: key.audience, broker: key.broker, reference: entry.finding.reference,
                candidate: entry.finding.candidate)
            let seen = (now - entry.since).wholeMilliseconds
            rows[
                group,
                default: ShadowRow(
                    aspect: key.aspect, audience: key.audience, broker: key.broker.isEmpty ? nil : key.broker,
                    items: [], reference: entry.finding.reference, candidate: entry.finding.candidate, seenMillis: 0)
            ].add(key.item, seen: seen)
        }
        return rows.values.map { row in
            var row = row
            row.items.sort()
            return row
        }.sorted {
            ($0.aspect, $0.broker ?? "", $0.items[0], $0.reference, $0.candidate, $0.audience.rawValue)
                < ($1.aspect, $1.broker ?? "", $1.items[0], $1.reference, $1.candidate, $1.audience.rawValue)
        }
    }

    private mutating func add(_ item: String, seen: Int64) {
        items.append(item)
        seenMillis = max(seenMillis, seen)
    }

    /// `Orders and 11 more on broker-a`, `broker-a:1`.
    public var subject: String {
        let more = items.count > 1 ? " and \(items.count - 1) more" : ""
        let place = broker.map { items[0] == $0 || items[0].hasPrefix("\($0):") ? "" : " on \($0)" } ?? ""
        let audience: String =
            switch self.audience {
            case .all: ""
            case .standard: " (as clients from 4.9.4 on read it)"
            case .legacy: " (as older, C++ and Go clients read it)"
            }
        return items[0] + more + place + audience
    }

    /// One line for a log.
    var line: String {
        printable(
            "\(aspect.rawValue) \(subject): reference '\(reference)', candidate '\(candidate)', "
                + "seen for \(DurationText.short(seenMillis))")
    }
}

/// What `hearsay shadow` has found.
public struct ShadowReport: Hashable, Sendable, Encodable {
    /// One of the two.
    public struct Server: Hashable, Sendable, Encodable {
        /// Where it was asked.
        public var address: String
        /// The RocketMQ release it speaks as, when known.
        public var software: String?
        /// Why it did not answer the last time; nil when it did.
        public var error: String?
    }

    /// The trusted one.
    public var reference: Server
    /// The one that shall take its place.
    public var candidate: Server
    /// Readings of everything.
    public var readings: Int
    /// Broker groups that either lists.
    public var groups: Int
    /// Topics whose routes were compared.
    public var topics: Int
    /// KV values that either has.
    public var keyValues: Int
    /// What has lasted and still stands.
    public var differences: [ShadowRow]
    /// Findings that have not lasted long enough to count.
    public var unsettled: Int
    /// Lasting differences that healed while it looked.
    public var healed: Int
    /// How long no difference has stood.
    public var quietMillis: Int64
    /// What could not be compared, one clause each.
    public var notes: [String]

    /// 0 = equal, 1 = they differ, 2 = one does not answer, or nothing was read to its end.
    public var exitStatus: Int32 {
        if readings == 0 || reference.error != nil || candidate.error != nil { return 2 }
        return differences.isEmpty && unsettled == 0 ? 0 : 1
    }
}

/// A `ShadowReport` for people.
public struct ShadowTable: Sendable {
    private let colour: Bool

    /// - Parameter colour: whether to colour.
    public init(colour: Bool) { self.colour = colour }

    /// The lines, without line feeds.
    public func lines(_ report: ShadowReport) -> [String] {
        var lines = summary(report)
        if !report.differences.isEmpty {
            var table = TextTable([
                .left("WHAT"), .left("ABOUT"), .left("REFERENCE SAYS"), .left("CANDIDATE SAYS"), .right("SEEN FOR"),
            ])
            for row in report.differences {
                table.add([
                    row.aspect.rawValue, row.subject, row.reference, row.candidate, DurationText.short(row.seenMillis),
                ])
            }
            lines += [""] + table.lines + [""] + hints(report)
        }
        return (lines + report.notes.map { "note: \($0)" }).map(printable)
    }

    private func summary(_ report: ShadowReport) -> [String] {
        var lines = ShadowServer.allCases.map { server in
            let side = server == .reference ? report.reference : report.candidate
            let software = side.software.map { ", speaks as \($0)" } ?? ""
            return "\(server.rawValue) \(side.address)\(side.error.map { " does not answer: \($0)" } ?? software)"
        }
        let what =
            "\(counted(report.groups, "broker group")), \(counted(report.topics, "topic")), "
            + "\(counted(report.keyValues, "key value"))"
        switch report.exitStatus {
        case 2 where report.readings == 0: lines.append(paint("nothing could be compared", .red))
        case 2: lines.append(paint("compared \(what) while both answered", .red))
        case 1 where report.differences.isEmpty:
            lines.append(
                "nothing lasting so far, but \(counted(report.unsettled, "difference")) seen too shortly to tell: \(what)"
            )
        case 1: lines.append(paint(counted(report.differences.count, "lasting difference"), .red) + ": \(what)")
        default: lines.append(paint("equal", .green) + ": \(what)")
        }
        if report.readings > 1 {
            let quiet = report.differences.isEmpty ? ", quiet for \(DurationText.short(report.quietMillis))" : ""
            lines.append(
                "\(report.readings) readings\(quiet); \(counted(report.healed, "difference")) healed meanwhile")
        }
        return lines
    }

    private func paint(_ text: String, _ colour: Palette.Colour) -> String {
        Palette(isOn: self.colour).paint(text, colour)
    }

    private func hints(_ report: ShadowReport) -> [String] {
        Set(report.differences.map(\.aspect)).sorted().map { "\($0.rawValue): \($0.hint)" }
    }
}

extension ShadowFinding.Aspect {
    /// What to look at.
    var hint: String {
        switch self {
        case .answer: "look at the log of the one that refuses"
        case .group, .replica:
            "brokers register with every NameServer in their namesrvAddr: are both in it, and reachable from the broker?"
        case .cluster:
            "Apache's keeps the name of a group that left under another clusterName until it restarts"
        case .topic, .listing:
            "a topic that its broker dropped stays until a restart, unless deleteTopicWithBrokerRegistration=true; "
                + "deleteTopic is told to each NameServer by itself"
        case .queues:
            "the next registration (30 s) should settle it; if not, look for refused registrations in the logs"
        case .permission:
            "wiping and adding write permission is told to each NameServer by itself (mqadmin wipeWritePerm -n ...)"
        case .addresses: "supportActingMaster must be the same on both"
        case .order: "orderMessageEnable must be the same on both, and so must ORDER_TOPIC_CONFIG"
        case .filterServers, .mapping: "the next registration (30 s) should settle it"
        case .keyValue:
            "KV values are told to each NameServer by itself (mqadmin updateKvConfig -n ...), or copy kvConfig.json "
                + "before the candidate starts"
        case .bytes: "the values are equal; only who compares texts sees this"
        }
    }
}
