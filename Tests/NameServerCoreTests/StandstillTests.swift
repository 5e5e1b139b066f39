import Basics
import Remoting
import Testing

@testable import NameServerCore

/// A node that stood still lets nobody go for what it missed itself, and keeps nobody for longer than a heartbeat takes.
@Suite struct StandstillTests {
    private static let token = ReplicaToken(number: 0)

    /// One broker with a timeout of 120 s and the usual interval of 30 s, heard just now.
    private func node() -> CoreNode {
        let node = CoreNode(tracking: KeyedHash(low: 5, high: 6))
        node.core.closeGrace = .seconds(1)
        node.register()
        _ = node.takeDirectives()
        return node
    }

    private func stands(_ node: CoreNode) -> Bool { node.core.token(of: Registration().identity) != nil }

    private func standStill(_ node: CoreNode, for span: Duration) {
        node.pass(span)
        node.core.stoodStill(for: span, now: node.now)
    }

    struct Pause: Sendable {
        /// Seconds of silence before the pause, and of the pause.
        var silent: Int
        var paused: Int
        /// For how many seconds after it the entry stands without a word.
        var stands: Int
    }

    @Test(
        "The deadline comes later by the pause, but no later than a heartbeat and a sixth",
        arguments: [
            // Far from its end, before and after the pause.
            Pause(silent: 0, paused: 10, stands: 110), Pause(silent: 30, paused: 50, stands: 40),
            // Its own deadline would come earlier than the broker's next heartbeat can.
            Pause(silent: 10, paused: 90, stands: 35), Pause(silent: 20, paused: 600, stands: 35),
            // Nearly over before: a short pause gives a short time.
            Pause(silent: 118, paused: 3, stands: 2), Pause(silent: 115, paused: 20, stands: 5),
            Pause(silent: 60, paused: 86_400, stands: 35),
        ]) func standsFor(_ pause: Pause)
    {
        let node = node()
        node.pass(.seconds(pause.silent))
        standStill(node, for: .seconds(pause.paused))
        node.scan()
        node.pass(.seconds(pause.stands))
        node.scan()
        #expect(stands(node))
        node.pass(.milliseconds(1))
        node.scan()
        #expect(!stands(node))
        #expect(node.eventKinds.last == .expired)
        #expect(node.core.tables.holds.isEmpty)
    }

    @Test("What gossip decides meanwhile ends nothing earlier") func outlastsRelease() {
        let node = node()
        standStill(node, for: .seconds(600))
        for isConnected in [true, false] {
            if !isConnected { node.close(1, isIdle: false) }
            node.core.hold(Self.token, until: node.now + .seconds(1))
            node.core.release(Self.token, now: node.now, wallTime: node.wallTime, directives: &node.directives)
            node.scan()
            node.pass(.seconds(10))
            node.scan()
            node.core.endGraces(now: node.now, wallTime: node.wallTime, directives: &node.directives)
            #expect(stands(node), "connected: \(isConnected)")
        }
        node.pass(.seconds(16))
        node.core.endGraces(now: node.now, wallTime: node.wallTime, directives: &node.directives)
        node.scan()
        #expect(!stands(node))
    }

    /// It would find every connection idle, since nobody spoke while it did not listen.
    @Test("Hanging up for idleness afterwards is no news") func hangsUp() {
        let node = node()
        standStill(node, for: .seconds(600))
        node.close(1, isIdle: true)
        #expect(stands(node) && node.changes.isEmpty)
        #expect(node.core.hearing(of: Self.token)?.isConnected == false)
        node.register(from: 2)
        node.pass(.seconds(119))
        node.scan()
        #expect(stands(node))
    }

    @Test("Who was heard since is judged as ever") func endsWithTheNextWord() {
        let node = node()
        standStill(node, for: .seconds(600))
        node.pass(.seconds(1))
        node.register(from: 2)
        node.close(2)
        node.core.release(Self.token, now: node.now, wallTime: node.wallTime, directives: &node.directives)
        #expect(!stands(node))
        // And without gossip's word, when its grace is over.
        let other = self.node()
        standStill(other, for: .seconds(600))
        other.pass(.seconds(1))
        other.register(from: 2)
        other.close(2)
        other.pass(.milliseconds(1_001))
        other.core.endGraces(now: other.now, wallTime: other.wallTime, directives: &other.directives)
        #expect(!stands(other))
    }

    @Test("A goodbye is obeyed at once") func obeysGoodbye() {
        let node = node()
        standStill(node, for: .seconds(600))
        _ = node.unregister()
        #expect(!stands(node))
    }

    @Test("A grace that was running goes on for what it had left") func prolongsGrace() {
        let node = node()
        node.close(1)
        node.pass(.milliseconds(400))
        standStill(node, for: .seconds(600))
        node.core.endGraces(now: node.now, wallTime: node.wallTime, directives: &node.directives)
        node.pass(.milliseconds(600))
        node.core.endGraces(now: node.now, wallTime: node.wallTime, directives: &node.directives)
        #expect(stands(node))
        node.pass(.milliseconds(1))
        node.core.endGraces(now: node.now, wallTime: node.wallTime, directives: &node.directives)
        #expect(!stands(node))
    }
}
