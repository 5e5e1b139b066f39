import Basics

/// How what two nodes heard themselves differs.
public enum DivergenceKind: UInt8, Hashable, Comparable, Sendable, CaseIterable {
    /// The peer has a replica that this node lacks.
    case missingHere
    /// This node has a replica that the peer lacks.
    case missingThere
    /// The peer hears a replica that has fallen silent here: a cut between the two.
    case lateHere
    /// This node hears a replica that has fallen silent at the peer.
    case lateThere
    /// Both have the replica, with other topics, queues or attributes.
    case content
    /// The same content under another DataVersion.
    case versionOnly
    /// Write permissions or topics were changed by request on one of the two only.
    case permission
    /// The key-value configurations differ.
    case keyValue
    /// Two nodes take part under one name.
    case duplicateID
    /// A clock stood still, or runs faster or slower than clocks may.
    case clock
    /// Label, key, timings or protocol of the two do not fit.
    case configuration

    /// As status and commands spell it.
    public var name: String { "\(self)" }

    /// In the order of urgency, as listed above.
    public static func < (left: DivergenceKind, right: DivergenceKind) -> Bool { left.rawValue < right.rawValue }

    /// Whether one exchange proves it. The others may be a change that is on its way to both nodes, and are reported only when they
    /// last.
    var isProvenAtOnce: Bool {
        switch self {
        case .lateHere, .duplicateID, .clock, .configuration: true
        case .missingHere, .missingThere, .lateThere, .content, .versionOnly, .permission, .keyValue: false
        }
    }
}

/// One difference between this node and a peer.
public struct Divergence: Hashable, Sendable {
    /// How they differ.
    public var kind: DivergenceKind
    /// The peer.
    public var peer: String
    /// The replica it is about; nil when it is about none, or when its name is not known yet.
    public var replica: ReplicaIdentity?
    /// Since when it is known here.
    public var since: Instant
    /// Whether it has lasted long enough to be told.
    public var isReported: Bool
    /// What differs, in one line.
    public var text: String
    /// What to do about it.
    public var advice: String
}

/// All divergences of a node, and when each is worth a line of log.
///
/// A difference is reported when it has lasted for two exchanges and a sixth of a heartbeat (5 s): below that it may be a registration
/// on its way. It is over as soon as an exchange no longer shows it.
struct DivergenceTable {
    struct Key: Hashable, Comparable {
        var peer: Int
        var kind: DivergenceKind
        /// `KeyedHash.replica`, or 0 for none.
        var subject: UInt64

        /// What alarms are counted by. A replica that is silent or missing here is one trouble, however many peers hear it.
        var ofAlarm: Key {
            kind == .lateHere || kind == .missingHere ? Key(peer: -1, kind: kind, subject: subject) : self
        }

        /// What its kind and peer are counted under.
        var group: Key { Key(peer: peer, kind: kind, subject: 0) }

        static func < (left: Key, right: Key) -> Bool {
            (left.peer, left.kind, left.subject) < (right.peer, right.kind, right.subject)
        }
    }

    /// One object, so that counting an exchange copies none of its texts. The table is never copied.
    final class Entry {
        var divergence: Divergence
        var exchanges = 0

        init(_ divergence: Divergence) { self.divergence = divergence }
    }

    /// What became of a divergence.
    enum Change {
        /// It is to be told. `isAlarm` is false when it was told less than `alarmInterval` ago.
        case reported(Divergence, isAlarm: Bool)
        case healed(Divergence, after: Duration)
    }

    /// How long one must last, beside two exchanges, before it is told.
    let persistence: Duration
    /// One alarm about a link that comes and goes, however often it does.
    static let alarmInterval: Duration = .seconds(300)

    private(set) var entries: [Key: Entry] = [:]
    /// How many there are of each peer and kind: mostly none, and then nothing is walked over.
    private var counts: [Key: Int] = [:]
    /// Divergences that found no room.
    private(set) var uncounted = 0
    /// When an alarm was last logged, also about what is over; by `Key.ofAlarm`.
    private var lastAlarms: [Key: Instant] = [:]

    var isEmpty: Bool { entries.isEmpty }

    init(persistence: Duration) { self.persistence = persistence }

    /// How many there are of this peer and kind.
    func count(peer: Int, kind: DivergenceKind) -> Int { counts[Key(peer: peer, kind: kind, subject: 0), default: 0] }

    /// One exchange showed the difference.
    mutating func saw(
        _ key: Key, _ replica: ReplicaIdentity?, peer: String, at now: Instant, text: @autoclosure () -> String,
        advice: @autoclosure () -> String
    ) -> Change? {
        if entries[key] == nil {
            guard entries.count < GossipLimits.divergences else {
                uncounted += 1
                return nil
            }
            let divergence = Divergence(
                kind: key.kind, peer: peer, replica: replica, since: now, isReported: false, text: text(),
                advice: advice())
            entries[key] = Entry(divergence)
            counts[key.group, default: 0] += 1
        }
        return sawAgain(key, replica, at: now)
    }

    /// One more exchange showed a difference that is held.
    mutating func sawAgain(_ key: Key, _ replica: ReplicaIdentity? = nil, at now: Instant) -> Change? {
        guard let entry = entries[key] else { return nil }
        entry.exchanges += 1
        if let replica, entry.divergence.replica == nil { entry.divergence.replica = replica }
        return entry.divergence.isReported ? nil : report(entry, key, at: now)
    }

    private mutating func report(_ entry: Entry, _ key: Key, at now: Instant) -> Change? {
        let lasted = entry.exchanges >= 2 && now - entry.divergence.since >= persistence
        guard lasted || key.kind.isProvenAtOnce else { return nil }
        entry.divergence.isReported = true
        let alarm = key.ofAlarm
        let isAlarm = lastAlarms[alarm].map { now - $0 >= Self.alarmInterval } ?? true
        if isAlarm { lastAlarms[alarm] = now }
        return .reported(entry.divergence, isAlarm: isAlarm)
    }

    /// The difference is gone.
    mutating func cleared(_ key: Key, at now: Instant) -> Change? {
        if planted(.divergenceForEver) { return nil }
        guard let entry = entries.removeValue(forKey: key) else { return nil }
        counts[key.group, default: 1] -= 1
        guard entry.divergence.isReported else { return nil }
        return .healed(entry.divergence, after: now - entry.divergence.since)
    }

    /// Keys of one peer and some kinds, in order.
    func keys(
        peer: Int, of kinds: [DivergenceKind] = DivergenceKind.allCases, where matches: (Key) -> Bool = { _ in true }
    ) -> [Key] {
        let isAny = kinds.contains { counts[Key(peer: peer, kind: $0, subject: 0), default: 0] > 0 }
        guard isAny else { return [] }
        return entries.keys.filter { $0.peer == peer && kinds.contains($0.kind) && matches($0) }.sorted()
    }

    /// Whether the divergence is held, and whether it has been reported.
    func isReported(_ key: Key) -> Bool? { entries[key]?.divergence.isReported }

    /// All of them, the most urgent first.
    var sorted: [Divergence] {
        entries.sorted { ($0.key.kind, $0.key) < ($1.key.kind, $1.key) }.map(\.value.divergence)
    }

    mutating func prune(at now: Instant) {
        guard lastAlarms.values.contains(where: { now - $0 >= Self.alarmInterval }) else { return }
        let current = Set(entries.keys.map(\.ofAlarm))
        lastAlarms = lastAlarms.filter { now - $0.value < Self.alarmInterval || current.contains($0.key) }
    }
}
