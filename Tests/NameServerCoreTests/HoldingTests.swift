import Basics
import Remoting
import Testing

@testable import NameServerCore

/// An entry goes when now > max(held until, min(last heard + timeout, closed + grace)), and the log says why.
@Suite struct HoldingTests {
    private static let token = ReplicaToken(number: 0)
    private static let start = Instant(nanoseconds: 1_000_000_000)

    private func node(grace: Duration? = .seconds(1), timeoutMillis: Int64? = nil) -> CoreNode {
        let node = CoreNode(tracking: KeyedHash(low: 5, high: 6))
        node.core.closeGrace = grace
        node.register(Registration().with { $0.timeoutMillis = timeoutMillis })
        _ = node.takeDirectives()
        return node
    }

    struct Life: Sendable {
        /// Milliseconds after the registration, whose timeout is 10 s; the grace is 1 s.
        var heldUntil: Int?
        var closedAt: Int?
        /// The last scan that finds the entry, and the kind of the event that ends it one nanosecond later.
        var lastStanding: Int
        var end: TableEvent.Kind
        var events: [TableEvent.Kind] = []
    }

    /// Each row scans every second and before, at and after its end.
    static let lives: [Life] = [
        .init(lastStanding: 10_000, end: .expired),
        .init(heldUntil: 5_000, lastStanding: 10_000, end: .expired),
        .init(heldUntil: 10_000, lastStanding: 10_000, end: .expired),
        .init(heldUntil: 17_500, lastStanding: 17_500, end: .expired, events: [.held]),
        .init(closedAt: 4_000, lastStanding: 5_000, end: .connectionClosed, events: [.closing]),
        .init(closedAt: 9_500, lastStanding: 10_000, end: .expired, events: [.closing]),
        .init(heldUntil: 4_500, closedAt: 4_000, lastStanding: 5_000, end: .connectionClosed, events: [.closing]),
        .init(
            heldUntil: 8_000, closedAt: 4_000, lastStanding: 8_000, end: .connectionClosed, events: [.closing, .held]),
        .init(
            heldUntil: 12_000, closedAt: 4_000, lastStanding: 12_000, end: .connectionClosed,
            events: [.closing, .held]),
        .init(heldUntil: 12_000, closedAt: 9_500, lastStanding: 12_000, end: .expired, events: [.closing, .held]),
    ]

    @Test("When an entry goes, to the nanosecond", arguments: lives) func ends(_ life: Life) {
        let node = node(timeoutMillis: 10_000)
        if let held = life.heldUntil { node.core.hold(Self.token, until: Self.start + .milliseconds(held)) }
        var instants = (0...20).map { $0 * 1_000 } + [life.lastStanding]
        if let closed = life.closedAt { instants.append(closed) }
        for instant in instants.sorted() where instant <= life.lastStanding {
            node.pass(Self.start + .milliseconds(instant) - node.now)
            if instant == life.closedAt { node.close(1) }
            node.scan()
            #expect(node.group() == [0: "10.0.0.1:10911"], "at \(instant)")
        }
        #expect(node.eventKinds == life.events)
        if life.closedAt != nil { #expect(node.core.nextRemoval == node.now + .nanoseconds(1)) }
        node.pass(.nanoseconds(1))
        node.scan()
        #expect(node.group() == [:])
        #expect(node.eventKinds == life.events + [life.end])
        let departed: Departed = life.end == .expired ? .expired : .connectionClosed
        #expect(node.changes.last == .removed(Self.token, Registration().identity, departed))
        #expect(node.nextRemoval == nil)
        #expect(node.core.nextDeadline == nil)
        #expect(node.core.tables.holds.count == 0)
    }

    @Test(
        "Random holds, releases, closes and signs of life follow the formula", arguments: 1...6 as ClosedRange<UInt64>)
    func followsFormula(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let node = node(timeoutMillis: 10_000)
        var life = FormulaLife(lastHeard: node.now)
        var departures = 0
        for step in 0..<2_000 {
            node.pass(.milliseconds(Int.random(in: 0...1_200, using: &random)))
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1: life.act(node, .register)
            case 2: life.act(node, .heartbeat)
            case 3: life.act(node, .close)
            case 4, 5: life.act(node, .hold(Int.random(in: -5_000...20_000, using: &random)))
            case 6: life.act(node, .release)
            default: break
            }
            if Bool.random(using: &random) { life.scan(node, node.now) }
            let stands = node.core.token(of: Registration().identity) != nil
            guard stands == life.stands else {
                Issue.record("seed \(seed), step \(step): the entry \(stands ? "stands" : "is gone"), \(life)")
                return
            }
            if !stands { departures += 1 }
        }
        #expect(departures > 50)
    }

    // MARK: Closing

    @Test("Without a grace a close removes at once; a grace leaves routes as they are") func closes() {
        let stock = node(grace: nil)
        stock.close(1)
        #expect(stock.eventKinds == [.connectionClosed])
        let node = node()
        let before = [node.clusterInfo(), node.topicList(), node.route("A").text]
        node.close(1)
        #expect(node.changes == [.closed(Self.token)])
        #expect([node.clusterInfo(), node.topicList(), node.route("A").text] == before)
        #expect(node.core.hearing(of: Self.token)?.isConnected == false)
        #expect(node.core.counters.closedConnections == 0, "counted when it goes")
        node.close(1)
        #expect(node.changes == [.closed(Self.token)], "a number of a connection is used once, and told once")
    }

    /// A broker whose way to this node is cut says nothing for as long as the node leaves connections open: hanging up on
    /// it then must not end what peers heard of it.
    @Test("Hanging up for idleness ends no hold for silence") func hangsUpForIdleness() {
        let node = node(timeoutMillis: 10_000)
        let start = node.now
        node.pass(.seconds(12))
        node.core.hold(Self.token, until: start + .seconds(20))
        node.close(1, isIdle: true)
        #expect(node.changes.isEmpty)
        #expect(node.core.hearing(of: Self.token)?.isConnected == false)
        node.core.hold(Self.token, until: start + .seconds(30))
        node.pass(.seconds(18))
        node.scan()
        #expect(node.core.token(of: Registration().identity) == Self.token)
        node.pass(.milliseconds(1))
        node.scan()
        #expect(node.core.token(of: Registration().identity) == nil)
        #expect(node.eventKinds == [.held, .expired])
    }

    @Test("Hanging up for idleness is a closed connection where nothing is held, and before the timeout")
    func hangsUpWithoutHold() {
        let early = node(timeoutMillis: 10_000)
        early.core.hold(Self.token, until: early.now + .seconds(20))
        early.close(1, isIdle: true)
        #expect(early.changes == [.closed(Self.token)])
        let late = node(timeoutMillis: 10_000)
        late.pass(.seconds(12))
        late.close(1, isIdle: true)
        #expect(late.changes == [.closed(Self.token)])
        let stock = node(grace: nil)
        stock.close(1, isIdle: true)
        #expect(stock.eventKinds == [.connectionClosed])
    }

    @Test("A registration over a new connection ends the grace, a repeated one and a changed one", arguments: [1, 2])
    func endsGrace(_ counter: Int64) {
        let node = node()
        node.close(1)
        node.register(Registration().with { $0.version.counter = counter }, from: 2)
        #expect(node.changes == [.closed(Self.token), .registered(Self.token)])
        #expect(node.core.nextRemoval == nil)
        node.pass(.seconds(2))
        node.scan()
        #expect(node.core.hearing(of: Self.token)?.isConnected == true)
        node.close(2)
        #expect(node.core.nextRemoval == node.now + .seconds(1) + .nanoseconds(1))
    }

    @Test("104 ends grace and hold") func unregisters() {
        let node = node()
        node.close(1)
        node.core.hold(Self.token, until: .distantFuture)
        node.unregister(from: 2)
        #expect(node.changes.last == .removed(Self.token, Registration().identity, .unregistered))
        #expect(node.nextRemoval == nil)
        #expect(node.core.tables.holds.count == 0)
    }

    @Test("Other replicas of a closed connection are each on their own") func closesEach() {
        let node = node()
        node.register(Registration.slave(), from: 1)
        node.close(1)
        node.register(Registration.slave(), from: 2)
        node.pass(.seconds(2))
        node.scan()
        #expect(node.group() == [1: "10.0.0.2:10911"])
    }

    // MARK: Releasing

    private func release(_ node: CoreNode, _ cause: String? = nil) {
        node.core.release(
            Self.token, cause: cause, now: node.now, wallTime: node.wallTime, directives: &node.directives)
    }

    @Test("Released while closing: gone at once; else at the next scan, if silent for long enough") func releases() {
        let closing = node()
        closing.close(1)
        closing.core.hold(Self.token, until: .distantFuture)
        release(closing, "no peer has it connected")
        #expect(closing.eventKinds == [.closing, .connectionClosed])
        #expect(
            closing.lastText == "broker-a:0 at 10.0.0.1:10911 removed: its connection closed; no peer has it connected")

        let silent = node()
        silent.core.hold(Self.token, until: .distantFuture, witness: "ns-2 heard it 9 ms ago")
        silent.pass(.seconds(121))
        silent.scan()
        #expect(
            silent.lastText == "broker-a:0 at 10.0.0.1:10911 kept though silent for 121000 ms: ns-2 heard it 9 ms ago")
        silent.scan()
        #expect(silent.eventKinds == [.held], "said once")
        release(silent, "no peer heard it either")
        #expect(silent.eventKinds == [.held])
        silent.pass(.seconds(10))
        silent.scan()
        #expect(
            silent.lastText
                == "broker-a:0 at 10.0.0.1:10911 removed: silent for 131000 ms; held for 11000 ms; no peer heard it either"
        )
        #expect(silent.closed == [1])

        let alive = node()
        alive.core.hold(Self.token, until: .distantFuture)
        release(alive)
        alive.scan()
        #expect(alive.group() != [:])
        #expect(alive.core.nextDeadline == Self.start + .seconds(120))
    }

    @Test("The cause is said also of an entry that was never held; without hold and cause the text is the usual one")
    func saysCause() {
        for (cause, suffix) in [("no peer heard it either", "; no peer heard it either"), (nil, "")] {
            let node = node()
            node.pass(.seconds(121))
            release(node, cause)
            node.scan()
            #expect(node.lastText == "broker-a:0 at 10.0.0.1:10911 removed: silent for 121000 ms" + suffix)
        }
    }

    @Test("A held replica that is heard again is said so once, and may be held again") func hearsAgain() {
        let node = node()
        for _ in 0..<2 {
            node.core.hold(Self.token, until: node.now + .seconds(200))
            node.pass(.seconds(130))
            node.scan()
            node.pass(.seconds(5))
            node.register()
            node.scan()
            node.scan()
        }
        #expect(node.eventKinds == [.held, .released, .held, .released])
        #expect(node.lastText == "broker-a:0 at 10.0.0.1:10911 heard again; held for 15000 ms")
    }

    // MARK: Status

    @Test("29001 shows a hold while it matters, and a grace") func showsStatus() {
        let node = node()
        func status() -> String { node.call(RequestCode.getNodeStatus).text }
        node.core.hold(Self.token, until: node.now + .seconds(150))
        #expect(!status().contains("held") && !status().contains("closing"))
        node.pass(.seconds(121))
        #expect(status().contains(#""connected":true,"held":29000}"#))
        node.register()
        #expect(!status().contains("held"))
        node.close(1)
        #expect(status().contains(#""connected":false,"closing":true}"#))
        node.pass(.seconds(2))
        #expect(status().contains(#""connected":false,"held":27000}"#))
    }

    @Test("Nobody's hold is no error") func ignoresNobody() {
        let node = node()
        node.core.hold(ReplicaToken(number: 9), until: .distantFuture)
        node.core.release(
            ReplicaToken(number: 9), now: node.now, wallTime: node.wallTime, directives: &node.directives)
        #expect(node.directives.isEmpty)
    }

    @Test("Readiness: only both together refuse unknown topics") func refusesUnknownTopics() {
        let node = CoreNode()
        var refuses = node.core.refusesUnknownTopics
        #expect(!refuses)
        for (isReady, gates) in [(true, true), (true, false), (false, true), (false, false)] {
            node.core.setServing(isReady: isReady, gatesUnknownTopics: gates)
            refuses = node.core.refusesUnknownTopics
            #expect(refuses == (!isReady && gates))
        }
    }
}

/// One replica's life by the formula alone: its timeout is 10 s, the grace 1 s.
private struct FormulaLife {
    enum Act {
        case register, heartbeat, close, release
        /// Milliseconds from now.
        case hold(Int)
    }

    var lastHeard: Instant
    var closedAt: Instant?
    var heldUntil: Instant?
    var stands = true
    var connection: UInt64 = 1

    private func isOver(_ now: Instant) -> Bool {
        let own = min(lastHeard + .seconds(10), closedAt.map { $0 + .seconds(1) } ?? .distantFuture)
        return now > max(heldUntil ?? own, own)
    }

    mutating func scan(_ node: CoreNode, _ now: Instant) {
        node.core.scan(now: now, wallTime: node.wallTime, directives: &node.directives)
        if stands, isOver(now) { stands = false }
    }

    mutating func act(_ node: CoreNode, _ act: Act) {
        let token = ReplicaToken(number: 0)
        switch act {
        case .register:
            connection += 1
            node.register(Registration().with { $0.timeoutMillis = 10_000 }, from: connection)
            if !stands { heldUntil = nil }
            (lastHeard, closedAt, stands) = (node.now, nil, true)
        case .heartbeat:
            _ = node.call(RequestCode.brokerHeartbeat, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"])
            lastHeard = node.now
        case .close:
            node.close(connection)
            if closedAt == nil { closedAt = node.now }
        case .hold(let milliseconds):
            node.core.hold(token, until: node.now + .milliseconds(milliseconds))
            if stands { heldUntil = node.now + .milliseconds(milliseconds) }
        case .release:
            node.core.release(token, now: node.now, wallTime: node.wallTime, directives: &node.directives)
            heldUntil = nil
            if closedAt != nil { stands = false }
        }
    }
}

extension CoreNode {
    /// The text of the last event.
    fileprivate var lastText: String? {
        directives.compactMap { if case .event(let event) = $0 { event.text } else { nil } }.last
    }
}
