import Basics
import NameServerCore
import Remoting
import Testing

/// A repeated registration moves a time stamp and nothing else; what is no repetition takes the long way.
@Suite struct HeartbeatTests {
    private func isHeartbeat(_ node: CoreNode, _ registration: Registration, from connection: UInt64 = 1) -> Bool {
        let before = node.core.counters
        #expect(node.register(registration, from: connection).code == 0)
        let isParsed = node.core.counters.decodedBodies > before.decodedBodies
        #expect((node.core.counters.heartbeats > before.heartbeats) == !isParsed)
        return !isParsed
    }

    @Test func parsesOnce() {
        let node = CoreNode()
        node.register()
        _ = node.takeDirectives()
        for _ in 0..<5 { #expect(isHeartbeat(node, Registration())) }
        #expect(node.takeDirectives().isEmpty, "no event, nothing to do")
        #expect(node.core.counters.decodedBodies == 1)
    }

    struct Change: Sendable {
        var what: String
        var apply: @Sendable (inout Registration) -> Void
    }

    static let changes: [Change] = [
        .init(what: "id") { $0.id = "1" },
        .init(what: "name") { $0.name = "broker-b" },
        .init(what: "cluster") { $0.cluster = "D" },
        .init(what: "address") { $0.address = "10.0.0.1:10913" },
        .init(what: "ha address") { $0.haAddress = "10.0.0.1:1" },
        .init(what: "no ha address") { $0.haAddress = nil },
        .init(what: "zone") { $0.zone = "z" },
        .init(what: "timeout") { $0.timeoutMillis = 5_000 },
        .init(what: "acting master") { $0.actingMaster = "false" },
        .init(what: "request version") { $0.requestVersion = 409 },
        .init(what: "compressed") { $0.compressed = true },
        .init(what: "DataVersion") { $0.version.counter = 7 },
        .init(what: "topic") { $0.topics[1].perm = 4 },
    ]

    @Test("Every part of the identity counts", arguments: changes) func comparesEverything(_ change: Change) {
        let node = CoreNode()
        node.register()
        var changed = Registration()
        change.apply(&changed)
        #expect(!isHeartbeat(node, changed), "\(change.what)")
        #expect(isHeartbeat(node, changed))
    }

    struct Interference: Sendable {
        var what: String
        var act: @Sendable (CoreNode) -> Void
    }

    static let interferences: [Interference] = [
        .init(what: "205") { _ = $0.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"]) },
        .init(what: "327") { _ = $0.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"]) },
        .init(what: "216") { _ = $0.call(RequestCode.deleteTopicInNameServer, ["topic": "A"]) },
        .init(what: "217") {
            _ = $0.call(
                RequestCode.registerTopicInNameServer, ["topic": "A"],
                body: #"{"queueDatas":[{"brokerName":"broker-a","perm":4}]}"#)
        },
        .init(what: "another replica") { $0.register(Registration.slave()) },
        .init(what: "another replica's zone") { $0.register(Registration.slave().with { $0.zone = "z9" }) },
        .init(what: "another replica leaves") { $0.unregister("10.0.0.2:10911", id: 1) },
        .init(what: "its own unregistration") { $0.unregister() },
        .init(what: "settings") {
            _ = $0.call(RequestCode.updateNameServerConfig, body: "deleteTopicWithBrokerRegistration=true")
        },
    ]

    @Test("After somebody else touched the group the long way is taken once", arguments: interferences)
    func noticesInterference(_ interference: Interference) {
        let node = CoreNode()
        if interference.what == "another replica leaves" { node.register(Registration.slave()) }
        node.register()
        #expect(isHeartbeat(node, Registration()))
        interference.act(node)
        #expect(!isHeartbeat(node, Registration()), "\(interference.what)")
        #expect(isHeartbeat(node, Registration()))
    }

    @Test("A body without a time stamp equals no other (3.3)") func neverRepeatsWithoutTimestamp() {
        let node = CoreNode()
        let registration = Registration().with {
            $0.body = [UInt8](#"{"topicConfigSerializeWrapper":{"dataVersion":{"counter":1}}}"#.utf8)
        }
        #expect(!isHeartbeat(node, registration))
        #expect(!isHeartbeat(node, registration))
    }

    @Test("A heartbeat over another connection moves the binding") func rebinds() {
        let node = CoreNode()
        node.register(from: 1)
        _ = node.takeDirectives()
        #expect(isHeartbeat(node, Registration(), from: 2))
        #expect(node.eventKinds == [.reregistered])
        node.close(1)
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.close(2)
        #expect(node.group() == [:])
    }

    @Test("A heartbeat over a wrong checksum is refused") func checksHeartbeats() {
        let node = CoreNode()
        node.register()
        #expect(node.register(Registration().with { $0.crc = "1" }).remark == "crc32 not match")
    }

    @Test("Heartbeats keep a replica alive") func refreshes() {
        let node = CoreNode()
        let registration = Registration().with { $0.timeoutMillis = 1_000 }
        node.register(registration)
        for _ in 0..<10 {
            node.pass(.milliseconds(900))
            node.register(registration)
            node.scan()
        }
        #expect(node.core.counters.heartbeats == 10)
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.pass(.milliseconds(1_001))
        node.scan()
        #expect(node.group() == [:])
    }
}
