import Basics
import NameServerCore
import Remoting
import Testing

/// What administrators wrote at other nodes takes the ways of the requests (gossip.md 2.9).
@Suite("Replicated writes") struct ReplicationTests {
    private static let hash = KeyedHash(low: 3, high: 4)

    private func apply(_ writes: [(key: String, value: String?)], _ node: CoreNode, namespace: String = "n") {
        node.core.applyKeyValues(
            writes.map { ReplicatedKeyValue(namespace: namespace, key: $0.key, value: $0.value, origin: "ns-2") },
            now: node.now, wallTime: node.wallTime, directives: &node.directives)
    }

    private func persisted(_ node: CoreNode) -> [String] {
        node.directives.compactMap {
            if case .persistKV(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    private func texts(_ node: CoreNode) -> [String] {
        node.directives.compactMap { if case .event(let event) = $0 { event.text } else { nil } }
    }

    @Test("keys are set and deleted, on disk and in the digest, and told as replicated") func keyValues() {
        let node = CoreNode(tracking: Self.hash)
        let empty = node.core.keyValueDigest(hash: Self.hash)
        apply([("k", "v"), ("l", "w"), ("gone", nil)], node)
        #expect(persisted(node) == [#"{"configTable":{"n":{"k":"v","l":"w"}}}"#])
        #expect(node.changes == [.administered], "and no write of this node")
        #expect(
            texts(node) == [
                "configuration n/k set, replicated from ns-2", "configuration n/l set, replicated from ns-2",
            ])
        #expect(node.call(RequestCode.getKVConfig, ["namespace": "n", "key": "k"])["value"] == "v")
        #expect(node.core.keyValueTable == ["n": ["k": "v", "l": "w"]])
        _ = node.takeDirectives()
        apply([("k", "v")], node)
        #expect(node.takeDirectives().isEmpty, "what is so already costs nothing")
        apply([("k", nil), ("l", nil)], node)
        #expect(texts(node).first == "configuration n/k deleted, replicated from ns-2")
        #expect(node.core.keyValueDigest(hash: Self.hash) == empty)
    }

    @Test("order configuration reaches routes and brokers as after a request") func orderTopics() {
        var properties = NamesrvProperties()
        properties.orderMessageEnable = true
        let node = CoreNode(properties: properties, tracking: Self.hash)
        node.register()
        #expect(!node.route("A").text.contains("broker-a:8"), "and it is in the cache now")
        apply([("A", "broker-a:8")], node, namespace: "ORDER_TOPIC_CONFIG")
        #expect(node.route("A").text.contains("broker-a:8"))
        #expect(node.register().text.contains("broker-a:8"))
    }

    @Test("many keys make few lines, and one write of the file") func many() {
        let node = CoreNode(tracking: Self.hash)
        apply((0..<100).map { ("k\($0)", "v") }, node)
        #expect(persisted(node).count == 1)
        #expect(texts(node).count == 17)
        #expect(texts(node).last == "84 more configuration keys replicated")
    }

    @Test("beyond the limit nothing is written, and it is told") func limit() {
        var limits = NameServerLimits()
        limits.keyValueBytes = 10
        let node = CoreNode(limits: limits, tracking: Self.hash)
        apply([("k", "12345678901"), ("l", "1")], node)
        #expect(node.core.keyValueTable == ["n": ["l": "1"]])
        #expect(node.eventKinds == [.refused, .keyValueChanged])
    }

    @Test("requests are told as writes, with what is in force after them; also those that change nothing")
    func told() {
        let node = CoreNode(tracking: Self.hash)
        let item: KeyValuePairs = ["namespace": "n", "key": "k", "value": "v"]
        func changes(_ code: Int32, _ fields: KeyValuePairs<String, String>) -> [FirstHandChange] {
            _ = node.call(code, fields)
            defer { _ = node.takeDirectives() }
            return node.changes
        }
        let set = FirstHandChange.wrote(.keyValue(namespace: "n", key: "k", value: "v"))
        let deleted = FirstHandChange.wrote(.keyValue(namespace: "n", key: "k", value: nil))
        #expect(changes(RequestCode.putKVConfig, item) == [set, .administered])
        #expect(changes(RequestCode.putKVConfig, item) == [set])
        #expect(changes(RequestCode.deleteKVConfig, item) == [deleted, .administered])
        #expect(changes(RequestCode.deleteKVConfig, item) == [deleted])
        #expect(changes(RequestCode.putKVConfig, ["namespace": "n", "key": "k"]) == [deleted])
        #expect(changes(RequestCode.putKVConfig, ["namespace": "n"]).isEmpty)
        let untracked = CoreNode()
        _ = untracked.call(RequestCode.putKVConfig, item)
        #expect(untracked.changes.isEmpty)
    }

    @Test("a wipe and an addition have the effect of the requests") func permissions() {
        let (asked, told) = (CoreNode(tracking: Self.hash), CoreNode(tracking: Self.hash))
        for node in [asked, told] {
            node.register()
            _ = node.takeDirectives()
        }
        for (code, grants) in [
            (RequestCode.wipeWritePermOfBroker, false), (RequestCode.addWritePermOfBroker, true),
        ] {
            _ = asked.call(code, ["brokerName": "broker-a"])
            told.core.applyWritePermission(
                broker: "broker-a", grants: grants, origin: "ns-2", now: told.now, wallTime: told.wallTime,
                directives: &told.directives)
            #expect(
                asked.core.administrationDigest(hash: Self.hash) == told.core.administrationDigest(hash: Self.hash))
            #expect(asked.eventKinds == told.eventKinds)
            #expect(told.changes == [.administered])
            #expect(texts(told).allSatisfy { $0.hasSuffix("of broker-a replicated from ns-2") })
            let basis = asked.core.permissionBasis(ofGroup: "broker-a")
            #expect(basis != nil && basis == told.core.permissionBasis(ofGroup: "broker-a"))
            #expect(
                asked.changes == [
                    .wrote(.writePermission(broker: "broker-a", grants: grants, basis: basis ?? 0)), .administered,
                ])
            _ = (asked.takeDirectives(), told.takeDirectives())
        }
        told.core.applyWritePermission(
            broker: "unknown", grants: false, origin: "ns-2", now: told.now, wallTime: told.wallTime,
            directives: &told.directives)
        #expect(told.takeDirectives().isEmpty)
    }

    @Test("what permissions belong to changes with content and with DataVersion, and ends with the group")
    func basis() {
        let node = CoreNode(tracking: Self.hash)
        #expect(node.core.permissionBasis(ofGroup: "broker-a") == nil)
        node.register()
        let first = node.core.permissionBasis(ofGroup: "broker-a")
        _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
        #expect(first != nil && node.core.permissionBasis(ofGroup: "broker-a") == first)
        node.register(Registration().with { $0.version.counter = 2 })
        #expect(node.core.permissionBasis(ofGroup: "broker-a") != first)
        node.close(1)
        #expect(node.core.permissionBasis(ofGroup: "broker-a") == nil)
        let untracked = CoreNode()
        untracked.register()
        #expect(untracked.core.permissionBasis(ofGroup: "broker-a") == nil)
    }
}
