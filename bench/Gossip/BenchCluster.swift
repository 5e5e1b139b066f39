// Some gossip cores in virtual time, joined by links that delay and lose: production code, and no socket.

import Basics
import GossipCore

/// One node.
final class BenchNode {
    let name: String
    let index: Int
    let settings: GossipSettings
    var core: Gossip
    var tables: BenchTables
    var turns = TurnTimes()
    var links: [LinkID: BenchLink] = [:]
    /// When an item was learned, by broker name.
    var learned: [String: Instant] = [:]
    /// What became of events is the measurement's business.
    var onEvent: ((GossipEvent) -> Void)?
    /// When it is going to be woken.
    var wakesAt = Instant.distantFuture

    init(_ settings: GossipSettings, index: Int, seed: UInt64, now: Instant, interval: Duration, timeout: Duration) {
        name = settings.node
        self.index = index
        self.settings = settings
        core = Gossip(settings, incarnation: seed &+ UInt64(index) + 1, seed: seed &* 31 &+ UInt64(index), now: now)
        tables = BenchTables(now: now, interval: interval, timeout: timeout)
    }
}

/// One direction of a connection.
final class BenchLink {
    let other: BenchNode
    let back: LinkID
    /// Nothing arrives before what was sent earlier.
    var busyUntil = Instant.zero

    init(_ other: BenchNode, back: LinkID) {
        self.other = other
        self.back = back
    }
}

/// What happens to frames on their way.
enum BenchLoss {
    case none
    /// So many of 1,000 frames never arrive: worse than TCP, where the link would break.
    case frames(perMille: Int)
    /// So many of 1,000 segments are lost and sent again after 200 ms, 400 ms, ...; what follows waits for them.
    case segments(perMille: Int)
}

/// The cluster and its network.
final class BenchCluster {
    struct Traffic {
        var frames = 0
        var bytes = 0
    }

    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    var nodes: [BenchNode] = []
    var latency = Duration.microseconds(200)
    var loss = BenchLoss.none
    /// Frames sent, by sender and kind.
    private(set) var traffic: [[Traffic]]
    private var random: SeededGenerator
    private var events = EventHeap()
    private var nextLink: UInt64 = 1
    private let interval: Duration
    private let timeout: Duration

    init(
        nodes count: Int, mode: GossipMode = .observe, interval: Duration = .seconds(30),
        timeout: Duration = .seconds(120), seed: UInt64 = 1
    ) {
        random = SeededGenerator(seed: seed)
        traffic = Array(repeating: Array(repeating: Traffic(), count: 20), count: count)
        self.interval = interval
        self.timeout = timeout
        let names = (0..<count).map { "ns-\($0 + 1)" }
        for index in 0..<count {
            var settings = GossipSettings(
                node: names[index], label: "hearsay", mode: mode, hash: KeyedHash(low: seed, high: ~seed), salt: seed)
            settings.peers = names.filter { $0 != names[index] }
            settings.heartbeat = interval
            settings.expiry = timeout
            nodes.append(
                BenchNode(settings, index: index, seed: seed, now: now, interval: interval, timeout: timeout))
        }
    }

    /// Draws from the cluster's own generator.
    func draw(below bound: Duration) -> Duration {
        .nanoseconds(Int64.random(in: 0..<max(1, bound.wholeNanoseconds), using: &random))
    }

    // MARK: Brokers

    /// The broker registers; a second time with other content changes its registration.
    func register(_ broker: Int, at node: BenchNode, content: UInt64 = 1, phase: Duration? = nil) {
        let beat = phase ?? draw(below: interval)
        node.tables[broker] = BenchTables.Row(
            summary: .benchmark(broker, content: content, timeout: timeout), phase: beat.wholeNanoseconds, since: now)
        input(node, "registration") {
            $0.registered(ReplicaToken(number: UInt32(broker)), tables: $1, now: self.now, directives: &$2)
        }
    }

    /// The broker is gone, as after its timeout.
    func expire(_ broker: Int, at node: BenchNode) {
        node.tables[broker] = nil
        input(node, "removal") {
            $0.removed(ReplicaToken(number: UInt32(broker)), .expired, now: self.now, directives: &$2)
        }
    }

    // MARK: Time

    /// Lets time pass.
    func run(_ duration: Duration) {
        let end = now + duration
        while let next = events.next, next <= end { turn(at: next) }
        now = max(now, end)
    }

    /// Runs until the condition holds, looking after every event; false when it did not within `limit`.
    func run(until condition: () -> Bool, limit: Duration) -> Bool {
        let end = now + limit
        for node in nodes { wake(node) }
        while !condition() {
            guard let next = events.next, next <= end else { return false }
            turn(at: next)
        }
        return true
    }

    /// From nothing to a cluster in which everybody is ready.
    func start() {
        for node in nodes { wake(node) }
        run(interval * 2)
        for node in nodes { precondition(node.core.state == .ready, "\(node.name) is \(node.core.state)") }
        resetCounts()
    }

    func resetTraffic() {
        for index in traffic.indices { traffic[index] = Array(repeating: Traffic(), count: 20) }
    }

    func resetCounts() {
        resetTraffic()
        for node in nodes { node.turns = TurnTimes() }
    }

    func bytes(from node: Int, kinds: [Int]? = nil) -> Int {
        (kinds ?? Array(traffic[node].indices)).reduce(0) { $0 + traffic[node][$1].bytes }
    }

    func frames(from node: Int, kinds: [Int]? = nil) -> Int {
        (kinds ?? Array(traffic[node].indices)).reduce(0) { $0 + traffic[node][$1].frames }
    }

    private func turn(at instant: Instant) {
        now = max(now, instant)
        guard let event = events.removeFirst() else { return }
        switch event {
        case .wake(let index):
            let node = nodes[index]
            guard node.wakesAt == instant else { return }
            node.wakesAt = .distantFuture
            if node.core.nextWake <= now {
                input(node, "advance") {
                    $0.advance(
                        tables: $1, now: self.now, wallTime: WallTime(milliseconds: self.now.nanoseconds / 1_000_000),
                        directives: &$2)
                }
            } else {
                wake(node)
            }
        case .act(let act): act()
        }
    }

    /// A node is woken at the latest when it said; woken too early it says again.
    private func wake(_ node: BenchNode) {
        let next = max(now, node.core.nextWake)
        guard next < node.wakesAt else { return }
        node.wakesAt = next
        events.insert(.wake(node.index), at: next)
    }

    // MARK: The network

    func input(
        _ node: BenchNode, _ name: String,
        _ body: (inout Gossip, borrowing BenchTables, inout [GossipDirective]) -> Void
    ) {
        node.tables.now = now
        var directives: [GossipDirective] = []
        let start = threadNanoseconds()
        body(&node.core, node.tables, &directives)
        node.turns.add(threadNanoseconds() - start, name)
        for directive in directives { carryOut(directive, node) }
        wake(node)
    }

    private func carryOut(_ directive: GossipDirective, _ node: BenchNode) {
        switch directive {
        case .dial(let contact): dial(contact, node)
        case .send(let link, let frame): send(frame, on: link, node)
        case .close(let link): close(link, node)
        case .event(let event): node.onEvent?(event)
        case .learn(let replica): node.learned[replica.summary.identity.name] = now
        case .learnAll(let batch, _): for replica in batch { node.learned[replica.summary.identity.name] = now }
        case .hold, .release, .extend, .forget, .state, .unregister, .applyKeyValues, .applyPermissions,
            .stampsChanged:
            break
        }
    }

    private func dial(_ contact: Int, _ node: BenchNode) {
        guard let other = nodes.first(where: { $0.name == node.settings.peers[contact] }) else { return }
        let (mine, theirs) = (LinkID(nextLink), LinkID(nextLink + 1))
        nextLink += 2
        events.insert(
            .act {
                node.links[mine] = BenchLink(other, back: theirs)
                other.links[theirs] = BenchLink(node, back: mine)
                self.input(other, "link") { core, _, directives in
                    core.linkOpened(theirs, contact: nil, now: self.now, directives: &directives)
                }
                self.input(node, "link") { core, _, directives in
                    core.linkOpened(mine, contact: contact, now: self.now, directives: &directives)
                }
            }, at: now + latency)
    }

    private func send(_ frame: [UInt8], on id: LinkID, _ node: BenchNode) {
        guard let link = node.links[id] else { return }
        let kind = min(Int(frame[5]), 19)
        traffic[node.index][kind].frames += 1
        traffic[node.index][kind].bytes += frame.count
        guard let delay = delay() else { return }
        link.busyUntil = max(link.busyUntil, now + delay)
        events.insert(
            .act {
                guard link.other.links[link.back] != nil else { return }
                self.input(link.other, "frame of kind \(kind)") { core, tables, directives in
                    frame.withUnsafeBytes {
                        core.received($0, on: link.back, tables: tables, now: self.now, directives: &directives)
                    }
                }
            }, at: link.busyUntil)
    }

    /// Nil for a frame that is lost.
    private func delay() -> Duration? {
        switch loss {
        case .none: return latency
        case .frames(let share): return isLost(share) ? nil : latency
        case .segments(let share):
            var (delay, timeout) = (latency, Duration.milliseconds(200))
            while isLost(share) {
                delay += timeout
                timeout = timeout * 2
            }
            return delay
        }
    }

    private func isLost(_ perMille: Int) -> Bool { Int.random(in: 0..<1_000, using: &random) < perMille }

    private func close(_ id: LinkID, _ node: BenchNode) {
        guard let link = node.links.removeValue(forKey: id) else { return }
        events.insert(
            .act {
                guard link.other.links.removeValue(forKey: link.back) != nil else { return }
                self.input(link.other, "close") { core, _, directives in
                    core.linkClosed(link.back, problem: "closed by peer", now: self.now, directives: &directives)
                }
            }, at: now + latency)
    }
}

/// What is to happen, earliest first; of the same instant, first in first out.
private struct EventHeap {
    enum Event {
        case wake(Int)
        case act(() -> Void)
    }

    private var items: ContiguousArray<(at: Instant, sequence: Int, event: Event)> = []
    private var sequence = 0

    var next: Instant? { items.first?.at }

    mutating func insert(_ event: Event, at instant: Instant) {
        sequence += 1
        items.append((instant, sequence, event))
        var position = items.count - 1
        while position > 0, isBefore(position, (position - 1) / 2) {
            items.swapAt(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
    }

    mutating func removeFirst() -> Event? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        if items.isEmpty { return first.event }
        items[0] = last
        var position = 0
        while true {
            var child = 2 * position + 1
            if child >= items.count { break }
            if child + 1 < items.count, isBefore(child + 1, child) { child += 1 }
            guard isBefore(child, position) else { break }
            items.swapAt(position, child)
            position = child
        }
        return first.event
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (items[left].at, items[left].sequence) < (items[right].at, items[right].sequence)
    }
}
