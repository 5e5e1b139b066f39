import Basics

@testable import GossipCore

/// The tables of a node under test: who was heard when, set by hand.
struct HandTables: FirstHandTables {
    struct Row {
        var summary: RegistrationSummary
        var hearing: Hearing
    }

    var rows: [UInt32: Row] = [:]
    /// By namespace and key, "n/k".
    var keyValues: [String: String] = [:]
    /// By broker: whether its write permission was wiped.
    var wiped: [String: Bool] = [:]

    func hearing(of replica: ReplicaToken) -> Hearing? { rows[replica.number]?.hearing }
    func lateReplicas(at now: Instant) -> [ReplicaToken] {
        rows.filter { $0.value.hearing.lastHeard + Gossip.lateAfter($0.value.hearing) <= now }.keys.map {
            ReplicaToken(number: $0)
        }
    }
    func summary(of replica: ReplicaToken) -> RegistrationSummary? { rows[replica.number]?.summary }
    func imageSize(of replica: ReplicaToken) -> Int { 8 }
    func encodeImages(of replicas: [ReplicaToken], into output: inout ByteWriter) {
        for replica in replicas { output.append(bigEndian: rows[replica.number]?.summary.registrationHash ?? 0) }
    }
    func permissionBasis(ofGroup name: String) -> UInt64? {
        rows.values.first { $0.summary.identity.name == name }?.summary.registrationHash
    }
}

/// One node under test: the core, its tables, its clock, and what became of its directives.
final class CoreNode {
    let name: String
    var settings: GossipSettings
    var core: Gossip
    var tables = HandTables()
    /// This clock less the cluster's.
    var offset: Duration
    /// What the clock shows while it stands still.
    var frozenAt: Instant?
    var held: [UInt32: Instant] = [:]
    var learned: [ReplicaIdentity: LearnedFromPeer] = [:]
    var events: [GossipEvent] = []
    var states: [NodeState] = []
    var links: [LinkID: (other: CoreNode, link: LinkID)] = [:]
    var isDown = false
    /// The file of stamps.
    var stamps: [UInt8]?
    var applied: [KVOperation] = []
    /// How far its wall clock is ahead.
    var wallError: Duration = .zero

    init(_ settings: GossipSettings, incarnation: UInt64, offset: Duration, now: Instant) {
        name = settings.node
        self.settings = settings
        self.offset = offset
        core = Gossip(settings, incarnation: incarnation, seed: incarnation, now: now + offset)
    }
}

/// Some cores in virtual time, joined by a network that delays, cuts, repeats and reorders frames.
final class CoreCluster {
    static let hash = KeyedHash(low: 1, high: 2)
    var nodes: [CoreNode] = []
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    var latency: Duration = .milliseconds(1)
    /// Pairs of names, "a>b", over which nothing passes.
    var cut: Set<String> = []
    /// Senders and kinds of frames, "a 7", that never arrive.
    var dropped: [String] = []
    /// Of 1,000 frames so many are lost, repeated, or held back for up to 3 s.
    var lossPerMille = 0
    var repeatPerMille = 0
    var holdPerMille = 0
    private(set) var frames = 0
    private(set) var dials = 0
    private(set) var bytes = 0
    private(set) var framesByKind: [UInt8: Int] = [:]

    private struct Event {
        var at: Instant
        var sequence: Int
        var act: () -> Void
    }
    private var queue: [Event] = []
    private var sequence = 0
    private var nextLink: UInt64 = 0
    private var random: SeededGenerator

    init(
        _ names: [String], mode: GossipMode = .observe, seed: UInt64 = 1, ready: Bool = true,
        _ configure: (inout GossipSettings) -> Void = { _ in }
    ) {
        random = SeededGenerator(seed: seed)
        for (index, name) in names.enumerated() {
            var settings = GossipSettings(node: name, label: "test", mode: mode, hash: Self.hash, salt: 7)
            settings.peers = names.filter { $0 != name }
            configure(&settings)
            // Clocks of different machines have nothing to do with each other.
            nodes.append(
                CoreNode(settings, incarnation: UInt64(index + 1), offset: .seconds(index * 1_000), now: now))
            if ready { nodes[index].core.state = .ready }
        }
    }

    subscript(name: String) -> CoreNode { nodes.first { $0.name == name }! }

    func clock(_ node: CoreNode) -> Instant { node.frozenAt ?? now + node.offset }

    /// The node's machine stands still for a while, both of its clocks with it.
    func freeze(_ node: CoreNode, for span: Duration) {
        (node.isDown, node.frozenAt) = (true, clock(node))
        run(span)
        (node.isDown, node.frozenAt) = (false, nil)
        (node.offset, node.wallError) = (node.offset - span, node.wallError - span)
    }

    // MARK: Brokers

    static func identity(_ broker: Int) -> ReplicaIdentity {
        ReplicaIdentity(cluster: "C", name: "broker-\(broker)", id: 0, address: "10.0.0.\(broker):10911")
    }

    /// The broker registers with a node.
    func register(_ broker: Int, at node: CoreNode, content: UInt64 = 1, timeout: Duration = .seconds(120)) {
        let summary = RegistrationSummary(
            identity: Self.identity(broker), timeoutMillis: timeout.wholeMilliseconds,
            version: RegistrationVersion(stateVersion: 0, timestamp: 1, counter: 1), registrationHash: content,
            topicCount: 1)
        let at = clock(node)
        let isRepeated = node.tables.rows[UInt32(broker)]?.summary == summary
        node.tables.rows[UInt32(broker)] = HandTables.Row(
            summary: summary,
            hearing: Hearing(
                lastHeard: at, registeredAt: at, isConnected: true, interval: timeout / 4, timeout: timeout))
        if isRepeated, node.tables.rows[UInt32(broker)]?.hearing.isConnected == true { return }
        input(node) {
            $0.registered(ReplicaToken(number: UInt32(broker)), tables: node.tables, now: at, directives: &$1)
        }
    }

    func leave(_ broker: Int, at node: CoreNode, _ cause: FirstHandRemoval) {
        guard node.tables.rows.removeValue(forKey: UInt32(broker)) != nil else { return }
        input(node) {
            $0.removed(
                ReplicaToken(number: UInt32(broker)), cause, now: self.clock(node), directives: &$1)
            $0.replicaLeft(broker: Self.identity(broker).name, tables: node.tables)
        }
    }

    func disconnect(_ broker: Int, at node: CoreNode) {
        node.tables.rows[UInt32(broker)]?.hearing.isConnected = false
        input(node) {
            $0.connectionClosed(
                ReplicaToken(number: UInt32(broker)), tables: node.tables, now: self.clock(node), directives: &$1)
        }
    }

    // MARK: Operators

    /// This node's wall clock: the cluster's time, unless it is wrong.
    func wallTime(_ node: CoreNode) -> WallTime {
        WallTime(milliseconds: now.nanoseconds / 1_000_000 + node.wallError.wholeMilliseconds)
    }

    /// Sets a key of namespace "n" at a node, or deletes it.
    func put(_ value: String?, at key: String, _ node: CoreNode) {
        node.tables.keyValues["n/\(key)"] = value
        input(node) {
            $0.wroteKeyValue(
                namespace: "n", key: key, value: value, wallTime: self.wallTime(node), directives: &$1)
        }
        administered(node)
    }

    /// Wipes or grants a broker's write permission at a node.
    func setPermission(grants: Bool, of broker: Int, _ node: CoreNode) {
        let name = Self.identity(broker).name
        guard let basis = node.tables.permissionBasis(ofGroup: name) else { return }
        node.tables.wiped[name] = grants ? nil : true
        input(node) { core, _ in
            core.changedPermission(
                broker: name, grants: grants, registrationHash: basis, wallTime: self.wallTime(node))
        }
        administered(node)
    }

    /// The digests follow the tables, as the shell sees to it.
    func administered(_ node: CoreNode) {
        var (keyValues, administration): (UInt64, UInt64) = (0, 0)
        for (key, value) in node.tables.keyValues { keyValues ^= Self.hash.hash(Array("\(key)=\(value)".utf8)) }
        for broker in node.tables.wiped.keys { administration ^= Self.hash.hash(Array(broker.utf8)) }
        input(node) { core, _ in core.administered(keyValues: keyValues, administration: administration) }
    }

    /// The node's process ends and another begins, with what it kept on disk and without registrations.
    func restart(_ node: CoreNode, incarnation: UInt64, ready: Bool = false) {
        for link in node.links.keys.sorted() { close(link, node) }
        node.core = Gossip(node.settings, incarnation: incarnation, seed: incarnation, now: clock(node))
        if ready { node.core.state = .ready }
        node.tables.rows = [:]
        node.tables.wiped = [:]
        restore(node)
    }

    /// Hands the key-values and their stamps in, as at the start.
    func restore(_ node: CoreNode) {
        var values: [String: [String: String]] = [:]
        for (key, value) in node.tables.keyValues { values["n", default: [:]][String(key.dropFirst(2))] = value }
        try? node.core.restoreKeyValues(values, stamps: node.stamps, wallTime: wallTime(node))
        administered(node)
    }

    // MARK: Time

    func run(_ duration: Duration) {
        let end = now + duration
        while true {
            let wake = nodes.filter { !$0.isDown }.map { $0.core.nextWake + (.zero - $0.offset) }.min() ?? end
            let next = max(now, min(queue.first?.at ?? end, wake, end))
            now = next
            while let event = queue.first, event.at <= now {
                queue.removeFirst()
                event.act()
            }
            for node in nodes where !node.isDown && node.core.nextWake <= clock(node) {
                input(node) {
                    $0.advance(
                        tables: node.tables, now: self.clock(node),
                        wallTime: self.wallTime(node), directives: &$1)
                }
            }
            if now >= end { return }
        }
    }

    /// Runs until the condition holds; false when it did not within `limit`.
    func run(until condition: () -> Bool, limit: Duration) -> Bool {
        let end = now + limit
        while !condition() {
            if now >= end { return false }
            run(.milliseconds(50))
        }
        return true
    }

    private func at(_ instant: Instant, _ act: @escaping () -> Void) {
        sequence += 1
        let event = Event(at: instant, sequence: sequence, act: act)
        let place = queue.firstIndex { ($0.at, $0.sequence) > (event.at, event.sequence) } ?? queue.count
        queue.insert(event, at: place)
    }

    // MARK: The network

    func input(_ node: CoreNode, _ body: (inout Gossip, inout [GossipDirective]) -> Void) {
        var directives: [GossipDirective] = []
        body(&node.core, &directives)
        for directive in directives { carryOut(directive, node) }
    }

    private func carryOut(_ directive: GossipDirective, _ node: CoreNode) {
        switch directive {
        case .dial(let contact): dial(contact, node)
        case .send(let link, let frame): send(frame, on: link, node)
        case .close(let link): close(link, node)
        case .hold(let replica, let until, _): node.held[replica.number] = until
        case .release(let replica): node.held[replica.number] = nil
        case .learn(let replica): node.learned[replica.summary.identity] = replica
        case .learnAll(let batch, _):
            for replica in batch where replica.usableUntil > clock(node) {
                node.learned[replica.summary.identity] = replica
            }
        case .extend(let identity, let until, let isProvisional):
            node.learned[identity]?.usableUntil = until
            node.learned[identity]?.isProvisional = isProvisional
        case .forget(let identity, _): node.learned[identity] = nil
        case .unregister(let replica, _): leave(Int(replica.number), at: node, .conflict)
        case .applyKeyValues(let operations):
            node.applied += operations
            for operation in operations {
                node.tables.keyValues["\(operation.namespace)/\(operation.key)"] = operation.value
            }
            administered(node)
        case .applyPermissions(let operations):
            for operation in operations { node.tables.wiped[operation.brokerName] = operation.grants ? nil : true }
            administered(node)
        case .stampsChanged: node.stamps = node.core.keyValueStamps
        case .state(let state): node.states.append(state)
        case .event(let event): node.events.append(event)
        }
    }

    private func passes(_ from: CoreNode, _ to: CoreNode) -> Bool {
        !cut.contains("\(from.name)>\(to.name)") && !from.isDown && !to.isDown
    }

    private func dial(_ contact: Int, _ node: CoreNode) {
        dials += 1
        let other = self[node.settings.peers[contact]]
        guard passes(node, other), passes(other, node) else {
            at(now + .seconds(1)) {
                self.input(node) { core, _ in
                    core.dialFailed(contact: contact, problem: "unreachable", now: self.clock(node))
                }
            }
            return
        }
        let (mine, theirs) = (LinkID(nextLink), LinkID(nextLink + 1))
        nextLink += 2
        at(now + latency) {
            node.links[mine] = (other, theirs)
            other.links[theirs] = (node, mine)
            self.input(other) { $0.linkOpened(theirs, contact: nil, now: self.clock(other), directives: &$1) }
            self.input(node) { $0.linkOpened(mine, contact: contact, now: self.clock(node), directives: &$1) }
        }
    }

    private func send(_ frame: [UInt8], on link: LinkID, _ node: CoreNode) {
        guard let (other, theirs) = node.links[link] else { return }
        frames += 1
        bytes += frame.count
        framesByKind[frame[5], default: 0] += 1
        let draw = Int.random(in: 0..<1_000, using: &random)
        if draw < lossPerMille || dropped.contains("\(node.name) \(frame[5])") { return }
        deliver(frame, to: other, on: theirs, from: node)
        if draw < lossPerMille + repeatPerMille { deliver(frame, to: other, on: theirs, from: node) }
    }

    /// Hands a frame to a node after the network's delay, if nothing is cut then.
    func deliver(_ frame: [UInt8], to other: CoreNode, on link: LinkID, from node: CoreNode) {
        var delay = latency
        if Int.random(in: 0..<1_000, using: &random) < holdPerMille {
            delay += .milliseconds(Int.random(in: 0...3_000, using: &random))
        }
        at(now + delay) {
            guard self.passes(node, other), other.links[link] != nil else { return }
            self.input(other) { core, directives in
                frame.withUnsafeBytes {
                    core.received($0, on: link, tables: other.tables, now: self.clock(other), directives: &directives)
                }
            }
        }
    }

    /// Hands a message to a node as if it came over the link just now.
    func hand(_ message: GossipMessage, to node: CoreNode, on link: LinkID) {
        var frame = ByteWriter(capacity: 64)
        message.encode(into: &frame)
        input(node) { core, directives in
            core.received(frame.bytes, on: link, tables: node.tables, now: self.clock(node), directives: &directives)
        }
    }

    func close(_ link: LinkID, _ node: CoreNode) {
        guard let (other, theirs) = node.links.removeValue(forKey: link) else { return }
        at(now + latency) {
            guard other.links.removeValue(forKey: theirs) != nil else { return }
            self.input(other) {
                $0.linkClosed(theirs, problem: "closed by peer", now: self.clock(other), directives: &$1)
            }
        }
    }
}
