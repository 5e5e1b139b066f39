import Basics

/// What to say about a replica that one side of the cluster has and the other lacks.
struct ReplicaWords {
    var key: ReplicaKey
    /// Nodes that have it.
    var here: [ReplicaView]
    /// Nodes that lack it, or are late.
    var there: [ReplicaView]

    /// A node this young may simply not have heard everybody yet: one and a half of RocketMQ's registration periods.
    static let settledUptime: Int64 = 45_000
    /// Events that say why a replica is not there.
    static let departures: Set<String> = ["expired", "connectionClosed", "unregistered", "refused", "conflict"]

    /// The first node that lacks it speaks for all.
    private var lacking: NodeReading { there[0].node }
    private var departure: (event: NodeStatus.Event, ago: Int64)? { lacking.lastEvent(of: key, Self.departures) }
    private var freshest: (view: ReplicaView, age: Int64, timeout: Int64)? {
        here.compactMap { view in view.sight.firstHand.map { (view, $0.age, $0.timeout) } }.min { $0.1 < $1.1 }
    }
    /// Where the broker runs, for people who look at networks.
    private var host: String {
        let address = (here + there).lazy.compactMap { $0.replica?.address }.first ?? "the broker's host"
        guard let colon = address.lastIndex(of: ":") else { return address }
        return String(address[..<colon])
    }
    private var theirPlaces: String { enumeration(there.map { $0.node.place }) }

    // MARK: Missing

    /// Since when it is missing: the longest of what the lacking nodes say.
    var missingSince: Int64? {
        let told = there.compactMap { view -> Int64? in
            if let departure = view.node.lastEvent(of: key, Self.departures) { return departure.ago }
            guard let status = view.node.status else { return nil }
            // Never heard there: since it started, or since others heard the broker first.
            let heardFirst = here.compactMap { $0.node.lastEvent(of: key, ["registered"])?.ago }.max()
            return heardFirst.map { min($0, status.uptimeMillis) }
        }
        return told.max()
    }

    var missingText: String {
        let names = enumeration(there.map(\.node.name))
        let other: String
        if let freshest {
            other = "while \(freshest.view.node.name) heard it \(DurationText.short(freshest.age)) ago"
        } else {
            other = "while \(enumeration(here.map(\.node.name))) \(here.count == 1 ? "lists" : "list") it"
        }
        return "\(names) \(absence) \(other)"
    }

    private var absence: String {
        let many = there.count > 1
        if case .learned(_, let origin, _) = there[0].sight {
            return "\(many ? "serve" : "serves") it only as learned from \(origin ?? "a peer")"
        }
        if let departure {
            let ago = DurationText.short(departure.ago)
            switch departure.event.kind {
            case "expired": return "dropped it \(ago) ago, after silence,"
            case "connectionClosed": return "dropped it \(ago) ago, when its connection closed,"
            case "unregistered": return "dropped it \(ago) ago, when it said goodbye,"
            default: return "refused it \(ago) ago (\(departure.event.text))"
            }
        }
        if let status = lacking.status, status.lastEventSequence == UInt64(status.events.count) {
            return many
                ? "have not heard it since they started"
                : "has not heard it since its start \(DurationText.short(status.uptimeMillis)) ago"
        }
        return many ? "do not list it" : "does not list it"
    }

    var missingAdvice: String {
        if let freshest, freshest.age > Lateness.limit(timeout: freshest.timeout) {
            let rest = DurationText.short(freshest.timeout - freshest.age)
            return "see whether it runs on \(host): no node hears it any more, "
                + "and \(freshest.view.node.name) drops it in \(rest)"
        }
        switch departure?.event.kind {
        case "refused", "conflict":
            return "look for the reason in the log of \(lacking.place) and of the broker on \(host)"
        case "unregistered":
            return "if it was stopped on purpose, \(enumeration(here.map(\.node.name))) "
                + "\(here.count == 1 ? "drops" : "drop") it by itself when its timeout has passed; "
                + "otherwise it is back at its next heartbeat"
        case "connectionClosed":
            return "wait for its next heartbeat (30 s), which brings it back; if not, \(checkNetwork)"
        default: break
        }
        if departure == nil, let status = lacking.status, status.uptimeMillis < Self.settledUptime {
            return "wait for its next registration (30 s): \(lacking.name) started only "
                + "\(DurationText.short(status.uptimeMillis)) ago; if it stays away, \(checkNetwork)"
        }
        // A node that has heard the broker before is in its namesrvAddr.
        if departure != nil { return checkNetwork }
        return checkNetwork + ", and that its namesrvAddr names "
            + enumeration(there.map { $0.node.address.description })
    }

    private var checkNetwork: String { "check the network from \(host) to \(theirPlaces)" }

    // MARK: Late

    var lateText: String {
        let names = enumeration(there.map(\.node.name))
        let age = there.compactMap { $0.sight.firstHand?.age }.max() ?? 0
        let other = freshest.map { " while \($0.view.node.name) heard it \(DurationText.short($0.age)) ago" } ?? ""
        return "\(names) \(there.count == 1 ? "has" : "have") not heard it for \(DurationText.short(age))\(other)"
    }

    var lateAdvice: String {
        let fates = there.map { view -> String in
            switch view.sight {
            case .protected(_, _, let held):
                let time = held.map { "for \(DurationText.short($0)) more, " } ?? ""
                return "\(view.node.name) keeps it \(time)as long as a peer hears it"
            case .heard(let age, let timeout):
                return age > timeout
                    ? "\(view.node.name) drops it at its next scan"
                    : "\(view.node.name) drops it in \(DurationText.short(timeout - age))"
            default: return ""
            }
        }
        return "\(checkNetwork); \(enumeration(fates))"
    }
}
