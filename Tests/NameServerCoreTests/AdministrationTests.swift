import Basics
import Remoting
import Testing

@testable import NameServerCore

/// The digests of what administrators changed.
@Suite struct AdministrationTests {
    private static let hash = KeyedHash(low: 5, high: 6)

    struct Change: Sendable {
        var what: String
        /// Whether the next registration with the same version undoes it.
        var isUndone: Bool
        var act: @Sendable (CoreNode) -> Void
    }

    static let changes: [Change] = [
        .init(what: "205", isUndone: false) {
            _ = $0.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
        },
        .init(what: "216", isUndone: true) { _ = $0.call(RequestCode.deleteTopicInNameServer, ["topic": "A"]) },
        .init(what: "217 on a new topic", isUndone: false) { $0.putTopic("N", on: "broker-a") },
        .init(what: "217 on a known topic", isUndone: false) { $0.putTopic("A", on: "broker-a") },
    ]

    @Test("What is changed shows, equally on two nodes, until it is undone", arguments: changes)
    func digests(_ change: Change) {
        let nodes = [CoreNode(tracking: Self.hash), CoreNode(tracking: Self.hash)]
        func digests() -> [UInt64] { nodes.map { $0.core.administrationDigest(hash: Self.hash) } }
        for node in nodes { node.register() }
        #expect(digests() == [0, 0])
        change.act(nodes[0])
        let changed = digests()[0]
        #expect(changed != 0, "\(change.what)")
        // The other node's names have other numbers.
        nodes[1].register(
            Registration().with {
                $0.name = "other"
                $0.address = "x"
                $0.topics[0].topicName = "0"
            })
        change.act(nodes[1])
        #expect(digests() == [changed, changed])
        for node in nodes { node.register() }
        #expect(digests() == (change.isUndone ? [0, 0] : [changed, changed]), "\(change.what)")
        for node in nodes { node.unregister() }
        #expect(digests() == [0, 0], "the group is gone")
    }

    @Test("A new state overwrites wiped permissions, 327 gives back what was there") func undoes() {
        let node = CoreNode(tracking: Self.hash)
        node.register()
        for undo: (CoreNode) -> Void in [
            { $0.register(Registration().with { $0.version.counter = 2 }) },
            { _ = $0.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"]) },
        ] {
            _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
            #expect(node.core.administrationDigest(hash: Self.hash) != 0)
            undo(node)
            #expect(node.core.administrationDigest(hash: Self.hash) == 0)
        }
    }

    @Test("A topic that was put by 217 and registered later is no change") func forgetsAdded() {
        let node = CoreNode(tracking: Self.hash)
        node.register()
        node.putTopic("N", on: "broker-a")
        node.register(
            Registration().with {
                $0.version.counter = 2
                $0.topics.append(Registration.topic("N", 3, 3))
            })
        #expect(node.core.administrationDigest(hash: Self.hash) == 0)
        // Once it is residue it stays no change.
        node.register(Registration().with { $0.version.counter = 3 })
        node.pass(.seconds(66))
        node.scan()
        #expect(node.core.summary(of: ReplicaToken(number: 0))?.residueCount == 1)
        #expect(node.core.administrationDigest(hash: Self.hash) == 0)
    }

    @Test("Key-values: equal tables, equal digests") func digestsKeyValues() {
        let nodes = [CoreNode(), CoreNode()]
        func put(_ node: CoreNode, _ namespace: String, _ key: String, _ value: String) {
            _ = node.call(RequestCode.putKVConfig, ["namespace": namespace, "key": key, "value": value])
        }
        func digest(_ node: CoreNode) -> UInt64 { node.core.keyValueDigest(hash: Self.hash) }
        #expect(digest(nodes[0]) == 0)
        let entries = [("N", "K", "1"), ("N", "L", "1"), ("NK", "", "1"), ("M", "K", "1")]
        for entry in entries { put(nodes[0], entry.0, entry.1, entry.2) }
        for entry in entries.reversed() { put(nodes[1], entry.0, entry.1, entry.2) }
        let full = digest(nodes[0])
        #expect(full == digest(nodes[1]))
        put(nodes[1], "N", "K", "2")
        #expect(full != digest(nodes[1]))
        for entry in entries {
            _ = nodes[0].call(RequestCode.deleteKVConfig, ["namespace": entry.0, "key": entry.1])
        }
        #expect(digest(nodes[0]) == 0, "empty namespaces do not count")
    }
}
