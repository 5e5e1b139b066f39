import Basics
import NameServerCore
import Remoting
import Testing

/// Registrations whose bodies are decoded elsewhere: what arrives meanwhile and is newer wins.
@Suite struct PendingRegistrationTests {
    private func node() -> CoreNode {
        var limits = NameServerLimits()
        limits.inlineBodyBytes = 1_000
        limits.pendingBytes = 17_000
        return CoreNode(limits: limits)
    }

    private static let large = Registration().with {
        $0.topics = (0..<50).map { Registration.topic("topic-\($0)") }
    }

    private func begin(_ node: CoreNode, from connection: UInt64 = 1) throws -> PendingRegistration {
        let (answer, handled) = node.handle(Self.large.command, from: connection)
        #expect(answer == nil)
        guard case .decode(let pending) = handled else { throw NotPending() }
        return pending
    }

    private struct NotPending: Error {}

    @Test func finishesLater() throws {
        let node = node()
        let pending = try begin(node)
        #expect(node.group() == [:])
        node.pass(.milliseconds(500))
        let command = try #require(finish(node, pending))
        #expect(command.code == 0)
        #expect(node.routeData("topic-49") != nil)
        #expect(node.core.nextDeadline == node.now + .milliseconds(119_500), "heard when it arrived")
        #expect(node.register(Self.large).code == 0)
        #expect(node.core.counters.heartbeats == 1, "a large heartbeat is no less a heartbeat")
    }

    /// `finish` on another request than the last one checks no opaque.
    private func finish(_ node: CoreNode, _ pending: PendingRegistration) -> RemotingCommand? {
        var output = ByteWriter()
        node.core.finish(
            pending, pending.decode(), now: node.now, wallTime: node.wallTime, output: &output,
            directives: &node.directives)
        guard let result = try? Frame.first(in: output.bytes), case .frame(let frame) = result else { return nil }
        return try? RemotingCommand(decoding: frame)
    }

    struct Interruption: Sendable {
        var what: String
        var act: @Sendable (CoreNode) -> Void
        var topics: String
    }

    static let interruptions: [Interruption] = [
        .init(what: "unregistration", act: { $0.unregister(from: 2) }, topics: #"{"topicList":[]}"#),
        .init(what: "newer registration", act: { $0.register(from: 2) }, topics: #"{"topicList":["A","B"]}"#),
        .init(what: "close", act: { $0.close(1) }, topics: #"{"topicList":[]}"#),
    ]

    @Test("Something newer makes it void", arguments: interruptions) func isSuperseded(_ interruption: Interruption)
        throws
    {
        let node = node()
        let pending = try begin(node)
        interruption.act(node)
        #expect(finish(node, pending)?.code == 0)
        #expect(node.topicList() == interruption.topics, "\(interruption.what)")
    }

    @Test("A heartbeat of the older registration is newer, too") func isSupersededByHeartbeat() throws {
        let node = node()
        node.register(from: 2)
        let pending = try begin(node)
        node.register(from: 2)
        #expect(node.core.counters.heartbeats == 1)
        _ = finish(node, pending)
        #expect(node.topicList() == #"{"topicList":["A","B"]}"#)
    }

    @Test("A compressed body counts for what it may hold") func weighsCompressedBodies() {
        let node = node()
        let command = Self.large.with { $0.compressed = true }.command
        #expect(command.body.count < 1_000)
        guard case .decode = node.handle(command).handled else { return #expect(Bool(false), "decoded at once") }
    }

    @Test("A broken body is refused when it is decoded") func refusesBrokenBody() throws {
        let node = node()
        let broken = Registration().with { $0.body = [UInt8](repeating: 0x7B, count: 2_000) }
        guard case .decode(let pending) = node.handle(broken.command).handled else { throw NotPending() }
        #expect(finish(node, pending)?.code == 1)
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#)
    }

    @Test("Beyond the limit of bytes a registration waits unread; one alone never does") func boundsPending() throws {
        let node = node()
        let weight = Self.large.command.body.count
        try #require((5_667...8_500).contains(weight))
        let others = ["b", "c", "d"].map { name in
            Self.large.with { ($0.name, $0.address) = ("broker-\(name)", "10.0.1.1:\(name)") }
        }
        func begin(_ registration: Registration, from connection: UInt64) throws -> PendingRegistration {
            guard case .decode(let pending) = node.handle(registration.command, from: connection).handled else {
                throw NotPending()
            }
            return pending
        }
        let first = try begin(Self.large, from: 1)
        let second = try begin(others[0], from: 2)
        let requests = node.core.counters.requests
        for _ in 0..<3 {
            let (answer, handled) = node.handle(others[1].command, from: 3)
            guard case .wait(let bytes) = handled else { throw NotPending() }
            #expect(answer == nil && bytes == weight)
            #expect(!node.hasRoom(for: bytes))
        }
        #expect(node.core.counters.requests == requests, "a frame that is handed in again is one request")
        _ = finish(node, first)
        #expect(node.hasRoom(for: weight))
        let third = try begin(others[1], from: 3)
        node.close(2)
        #expect(node.hasRoom(for: weight), "what is void counts no more")
        for registration in [second, third] { _ = finish(node, registration) }
        #expect(node.group("broker-b") == [:])
        #expect(node.group("broker-c") == [0: "10.0.1.1:c"])
        #expect(node.hasRoom(for: .max))
        let huge = others[2].with { $0.topics = (0..<500).map { Registration.topic("huge-\($0)") } }
        #expect(huge.command.body.count > 17_000)
        _ = try begin(huge, from: 4)
    }

    @Test("Small registrations never wait") func servesSmallMeanwhile() throws {
        let node = node()
        for name in ["a", "b"] {
            let large = Self.large.with { ($0.name, $0.address) = ("broker-\(name)", "10.0.1.1:\(name)") }
            guard case .decode = node.handle(large.command).handled else { throw NotPending() }
        }
        let small = Registration().with { ($0.name, $0.address) = ("broker-s", "10.0.3.1:1") }
        #expect(node.register(small, from: 9).code == 0)
        #expect(node.group("broker-s") == [0: "10.0.3.1:1"])
    }
}
