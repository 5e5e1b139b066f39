import Basics
import FoundationEssentials

/// Makes of the answers of one round after the other what is known of a cluster.
///
/// Pure, so that it can run on whichever thread has time for it: a round of thousands of brokers takes milliseconds.
struct ClusterAccount: Sendable {
    /// What is known now.
    private(set) var model: ClusterModel

    /// Events kept of each node, as many as it keeps itself.
    static let eventsRemembered = 64

    /// Whether a node's first answer is told as its being up.
    private let tellsFirstSight: Bool
    private var previous: [Sample?]
    private var differences = DifferenceTracker()
    private var fresh: [ClusterModel.Event] = []
    private var wallTime = WallTime(milliseconds: 0)
    /// Nodes worth asking for their gossip: not those that said they have none.
    private(set) var hasGossip: [Bool]

    /// Nodes that have answered, or failed to.
    private var isAsked: [Bool]

    private struct Sample: Sendable {
        var at: Instant
        var status: NodeStatus

        /// Whether both are from one life of the process: its age has grown as much as time has passed.
        func isSameLife(as later: Sample) -> Bool {
            let passed = (later.at - at).wholeMilliseconds
            return abs(later.status.uptimeMillis - status.uptimeMillis - passed) < 1_000
        }
    }

    init(cluster: String, nodes: [(name: String, address: Address)], tellsFirstSight: Bool) {
        self.tellsFirstSight = tellsFirstSight
        model = ClusterModel(cluster: cluster, nodes: nodes)
        previous = nodes.map { _ in nil }
        hasGossip = nodes.map { _ in true }
        isAsked = nodes.map { _ in false }
    }

    /// The number of the last event known of a node, 0 for none.
    func lastEvent(_ index: Int) -> UInt64 { previous[index]?.status.lastEventSequence ?? 0 }

    /// Takes the answers of a round and gives what happened since the last one.
    mutating func take(_ round: PollRound, now: Instant, wallTime: WallTime) -> [ClusterModel.Event] {
        self.wallTime = wallTime
        fresh = round.notes
        for (index, answers) in round.nodes.enumerated() {
            take(status: answers.status, of: index, at: answers.at)
            if model.nodes[index].status != nil { take(gossip: answers.gossip, of: index) }
        }
        let readings = model.nodes.map(\.reading)
        for line in differences.update(
            ClusterComparison.brokerDifferences(readings), up: readings.filter(\.isUp).map(\.name), now: now)
        {
            note(line)
        }
        model.differences = differences.standing
        model.add(fresh)
        defer { fresh = [] }
        return fresh
    }

    private mutating func note(_ line: String) { fresh.append(.init(seenAt: wallTime, line)) }

    private mutating func take(status: PollRound.Answer, of index: Int, at time: Instant) {
        switch status {
        case .none: break
        case .refused(let code): down(index, "status refused, code \(code)")
        case .failed(let reason): down(index, reason)
        case .body(let bytes):
            do {
                update(index, try JSONDecoder().decode(NodeStatus.self, from: Data(bytes)), at: time)
            } catch {
                down(index, "its status cannot be read")
            }
        }
    }

    private mutating func take(gossip: PollRound.Answer, of index: Int) {
        switch gossip {
        case .none: break
        case .body(let bytes):
            model.nodes[index].gossip = try? JSONDecoder().decode(GossipStatus.self, from: Data(bytes))
        case .refused:
            model.nodes[index].gossip = nil
            hasGossip[index] = false
        case .failed: model.nodes[index].gossip = nil
        }
    }

    private mutating func update(_ index: Int, _ status: NodeStatus, at now: Instant) {
        let name = model.nodes[index].name
        if model.nodes[index].status == nil, tellsFirstSight || isAsked[index] { note("\(name) up") }
        isAsked[index] = true
        var sample = Sample(at: now, status: status)
        var isSameLife = true
        if let before = previous[index] {
            isSameLife = before.isSameLife(as: sample)
            if isSameLife {
                let seconds = max(Double((now - before.at).wholeMilliseconds) / 1000, 0.001)
                let (old, new) = (before.status.counters, status.counters)
                model.nodes[index].registrationsPerSecond = Double(new.registrations - old.registrations) / seconds
                model.nodes[index].lookupsPerSecond = Double(new.lookups - old.lookups) / seconds
            } else {
                // The new life counts its events from 1 again: the next round asks for all of them. And it may gossip.
                hasGossip[index] = true
                sample.status.events = []
                sample.status.lastEventSequence = 0
            }
        }
        for event in sample.status.events {
            fresh.append(.init(seenAt: WallTime(milliseconds: event.wallMillis), "\(name) \(event.text)"))
        }
        // The node tells each event once; why a broker is missing is asked for later.
        let remembered = isSameLife ? model.nodes[index].status?.events ?? [] : []
        previous[index] = sample
        model.nodes[index].answeredAt = now
        model.nodes[index].status = status
        model.nodes[index].status?.events = (remembered + sample.status.events).suffix(Self.eventsRemembered)
        model.nodes[index].error = nil
    }

    private mutating func down(_ index: Int, _ reason: String) {
        isAsked[index] = true
        if model.nodes[index].status != nil { note("\(model.nodes[index].name) down: \(reason)") }
        model.nodes[index].status = nil
        model.nodes[index].gossip = nil
        model.nodes[index].error = reason
        (model.nodes[index].registrationsPerSecond, model.nodes[index].lookupsPerSecond) = (0, 0)
        hasGossip[index] = true
    }
}

extension ClusterModel.Event {
    /// `14:03:22 text`, in UTC.
    init(seenAt time: WallTime, _ line: String) {
        let seconds = time.milliseconds / 1000 % 86400
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let stamp = "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        self.init(time: time, line: "\(stamp) \(printable(line))")
    }
}
