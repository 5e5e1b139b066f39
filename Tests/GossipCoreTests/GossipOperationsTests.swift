import Basics
import Testing

@testable import GossipCore

@Suite("Gossip, replicate: [kv, perm]: operators' writes reach every node")
struct GossipOperationsTests {
    private func cluster(
        _ names: [String] = ["a", "b", "c"], seed: UInt64 = 1, _ configure: (inout GossipSettings) -> Void = { _ in }
    ) -> CoreCluster {
        let cluster = CoreCluster(names, mode: .replicate, seed: seed) {
            $0.replicatesKeyValues = true
            $0.replicatesPermissions = true
            configure(&$0)
        }
        cluster.run(.seconds(3))
        return cluster
    }

    private func values(_ cluster: CoreCluster) -> [[String: String]] { cluster.nodes.map(\.tables.keyValues) }

    private func agree(_ cluster: CoreCluster) -> Bool { Set(values(cluster)).count == 1 }

    private func cutOff(_ name: String, _ cluster: CoreCluster) {
        for other in cluster.nodes where other.name != name {
            cluster.cut.formUnion(["\(name)>\(other.name)", "\(other.name)>\(name)"])
        }
    }

    @Test("a put at one node is everywhere at once, and then nothing more is said")
    func put() {
        let cluster = cluster()
        cluster.put("v", at: "k", cluster["b"])
        cluster.run(.milliseconds(100))
        #expect(values(cluster) == Array(repeating: ["n/k": "v"], count: 3))
        #expect(cluster["a"].applied.map(\.node) == ["b"] && cluster["b"].applied.isEmpty)
        let kinds: [GossipMessage.Kind] = [.operations, .operationsRequest]
        let before = kinds.map { cluster.framesByKind[$0.rawValue] }
        cluster.run(.seconds(10))
        #expect(kinds.map { cluster.framesByKind[$0.rawValue] } == before)
    }

    @Test("a put that reached two of three nodes only reaches the third")
    func halfway() {
        let cluster = cluster()
        // mqadmin writes to each node in turn and stops at the first that it cannot reach.
        cluster.put("v", at: "k", cluster["a"])
        cluster.put("v", at: "k", cluster["b"])
        cluster.run(.seconds(2))
        #expect(values(cluster) == Array(repeating: ["n/k": "v"], count: 3))
    }

    @Test("a node that missed the writer hears of it from any node that did not")
    func relayed() {
        let cluster = cluster()
        cluster.cut = ["a>c", "c>a"]
        cluster.put("v", at: "k", cluster["a"])
        cluster.run(.seconds(3))
        #expect(cluster["c"].tables.keyValues == ["n/k": "v"])
    }

    @Test("of a put and a delete the later one counts, whichever side of a cut it was on", arguments: [true, false])
    func partition(deletesLast: Bool) {
        let cluster = cluster()
        cluster.put("v", at: "k", cluster["a"])
        cluster.run(.seconds(1))
        cutOff("c", cluster)
        let (first, last) = deletesLast ? ("a", "c") : ("c", "a")
        cluster.put(deletesLast ? "w" : nil, at: "k", cluster[first])
        cluster.run(.seconds(5))
        cluster.put(deletesLast ? nil : "w", at: "k", cluster[last])
        cluster.run(.seconds(5))
        #expect(!agree(cluster))
        cluster.cut = []
        #expect(cluster.run(until: { agree(cluster) }, limit: .seconds(60)))
        #expect(cluster["b"].tables.keyValues == (deletesLast ? [:] : ["n/k": "w"]))
    }

    @Test("a node that was down during a delete does not bring the key back")
    func restartedWithDeletedKey() {
        let cluster = cluster()
        let c = cluster["c"]
        cluster.put("v", at: "k", c)
        cluster.run(.seconds(1))
        cutOff("c", cluster)
        cluster.put(nil, at: "k", cluster["a"])
        cluster.run(.seconds(20))
        cluster.restart(c, incarnation: 99, ready: true)
        cluster.cut = []
        cluster.run(.seconds(60))
        #expect(values(cluster) == [[:], [:], [:]])
    }

    @Test("stamps survive: after a restart with them an older write of a peer does not come back")
    func restartedWithStamps() {
        let cluster = cluster(["a", "b"])
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.put("old", at: "k", b)
        cluster.run(.seconds(1))
        cutOff("b", cluster)
        cluster.put("new", at: "k", a)
        cluster.restart(a, incarnation: 99, ready: true)
        cluster.cut = []
        cluster.run(.seconds(60))
        #expect(a.tables.keyValues == ["n/k": "new"] && b.tables.keyValues == ["n/k": "new"])
    }

    @Test("what was there before replication is taken over, and is older than every write")
    func unstamped() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .replicate) { $0.replicatesKeyValues = true }
        cluster["a"].tables.keyValues = ["n/k": "v", "n/l": "w"]
        cluster["b"].tables.keyValues = ["n/l": "w"]
        for node in cluster.nodes { cluster.restore(node) }
        cluster.put("new", at: "k", cluster["c"])
        cluster.run(.seconds(5))
        #expect(values(cluster) == Array(repeating: ["n/k": "new", "n/l": "w"], count: 3))
    }

    @Test("two different values from before replication change nothing and are reported, until somebody writes the key")
    func contested() throws {
        let cluster = CoreCluster(["a", "b"], mode: .replicate) { $0.replicatesKeyValues = true }
        let long = String(repeating: "x", count: 1_000) + "\n"
        cluster["a"].tables.keyValues = ["n/k": "1"]
        cluster["b"].tables.keyValues = ["n/k": long]
        for node in cluster.nodes { cluster.restore(node) }
        cluster.run(.seconds(30))
        #expect(values(cluster) == [["n/k": "1"], ["n/k": long]])
        for node in cluster.nodes {
            let found = node.core.status(tables: node.tables, now: cluster.clock(node)).divergences.filter {
                $0.kind == .keyValue && $0.isReported && $0.text.contains("n/k was '1' at a and 'xxx")
            }
            let divergence = try #require(found.first, "\(node.name)")
            #expect(found.count == 1 && divergence.text.utf8.count < 300)
        }
        cluster.put("2", at: "k", cluster["b"])
        cluster.run(.seconds(5))
        #expect(values(cluster) == [["n/k": "2"], ["n/k": "2"]])
        for node in cluster.nodes {
            #expect(node.core.status(tables: node.tables, now: cluster.clock(node)).divergences.isEmpty)
        }
    }

    @Test("after more than seven days away deleted keys are shown, and not taken over")
    func quarantine() {
        let cluster = cluster(["a", "b"])
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.put("v", at: "k", b)
        cluster.run(.seconds(2))
        cutOff("b", cluster)
        cluster.put(nil, at: "k", a)
        // Eight days pass at once: nothing happens on the way.
        for node in cluster.nodes { node.wallError = .seconds(8 * 86_400) }
        cluster.run(.seconds(60))
        #expect(a.core.operations.count == 0)
        cluster.put("w", at: "l", b)
        cluster.cut = []
        cluster.run(.seconds(60))
        #expect(a.tables.keyValues == ["n/l": "w"])
        #expect(b.tables.keyValues == ["n/k": "v", "n/l": "w"])
        let shown = a.core.status(tables: a.tables, now: cluster.clock(a)).divergences
        #expect(shown.contains { $0.kind == .keyValue && $0.isReported && $0.text.contains("b has n/k = 'v'") })
        cluster.put(nil, at: "k", b)
        cluster.run(.seconds(5))
        #expect(agree(cluster))
        #expect(a.core.status(tables: a.tables, now: cluster.clock(a)).divergences.isEmpty)
    }

    @Test("a node whose wall clock is an hour ahead is reported, and its writes give way to later ones elsewhere")
    func clockAhead() {
        let cluster = cluster()
        cluster["c"].wallError = .seconds(3_600)
        cluster.put("v", at: "k", cluster["c"])
        cluster.run(.seconds(2))
        #expect(agree(cluster))
        let a = cluster["a"]
        let shown = a.core.status(tables: a.tables, now: cluster.clock(a)).divergences
        #expect(shown.contains { $0.kind == .clock && $0.text.contains("made at c") })
        cluster.put("w", at: "k", a)
        cluster.put("x", at: "l", a)
        cluster.run(.seconds(2))
        #expect(values(cluster) == Array(repeating: ["n/k": "w", "n/l": "x"], count: 3))
        #expect(a.core.clock.last >> 16 == UInt64(cluster.wallTime(a).milliseconds) - 2_000)
    }

    @Test("random writes at random nodes behind random cuts end in agreement", arguments: 0..<25 as Range<UInt64>)
    func converges(seed: UInt64) {
        let cluster = cluster(["a", "b", "c", "d"], seed: seed)
        var random = SeededGenerator(seed: seed)
        cluster.lossPerMille = 20
        cluster.repeatPerMille = 50
        for _ in 0..<60 {
            let node = cluster.nodes.randomElement(using: &random)!
            switch Int.random(in: 0..<8, using: &random) {
            case 0: cutOff(node.name, cluster)
            case 1: cluster.cut = []
            case 2: cluster.restart(node, incarnation: random.next(), ready: true)
            case 3: cluster.put(nil, at: "k\(Int.random(in: 0..<4, using: &random))", node)
            default:
                cluster.put(
                    "v\(Int.random(in: 0..<9, using: &random))", at: "k\(Int.random(in: 0..<4, using: &random))", node)
            }
            cluster.run(.milliseconds(Int.random(in: 0...3_000, using: &random)))
        }
        cluster.cut = []
        cluster.lossPerMille = 0
        #expect(cluster.run(until: { agree(cluster) }, limit: .seconds(120)), "seed \(seed): \(values(cluster))")
    }

    @Test(
        "without the flags, and in the modes below, nothing is written and nothing is told",
        arguments: [GossipMode.observe, .protect, .replicate])
    func unflagged(mode: GossipMode) {
        let cluster = CoreCluster(["a", "b"], mode: mode) {
            // The flags count in mode replicate only.
            $0.replicatesKeyValues = mode != .replicate
            $0.replicatesPermissions = mode != .replicate
        }
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.put("v", at: "k", cluster["a"])
        cluster.setPermission(grants: false, of: 1, cluster["a"])
        cluster.run(.seconds(20))
        #expect(cluster["b"].tables.keyValues.isEmpty && cluster["b"].tables.wiped.isEmpty)
        #expect(cluster.nodes.allSatisfy { $0.stamps == nil && $0.core.operations.count == 0 })
        let kinds = cluster["b"].core.status(tables: cluster["b"].tables, now: cluster.clock(cluster["b"]))
            .divergences.map(\.kind)
        #expect(kinds == [.permission, .keyValue])
    }

    @Test("a node with the flag takes nothing from one without, and gives it nothing")
    func mixed() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate) { $0.replicatesKeyValues = $0.node == "a" }
        cluster.run(.seconds(3))
        cluster.put("v", at: "k", cluster["a"])
        cluster.put("w", at: "l", cluster["b"])
        cluster.run(.seconds(20))
        #expect(values(cluster) == [["n/k": "v"], ["n/l": "w"]])
    }

    // MARK: Permissions

    @Test("a wipe reaches the nodes where the broker registered the same, and an addition undoes it")
    func permission() {
        let cluster = cluster()
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.setPermission(grants: false, of: 1, cluster["b"])
        cluster.run(.seconds(1))
        #expect(cluster.nodes.allSatisfy { $0.tables.wiped == ["broker-1": true] })
        cluster.setPermission(grants: true, of: 1, cluster["c"])
        cluster.run(.seconds(1))
        #expect(cluster.nodes.allSatisfy { $0.tables.wiped.isEmpty })
    }

    @Test("a restarted node hears of the wipe again, once the broker has registered what it was given to")
    func permissionAfterRestart() {
        let cluster = cluster()
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.setPermission(grants: false, of: 1, cluster["a"])
        cluster.run(.seconds(1))
        let c = cluster["c"]
        cluster.restart(c, incarnation: 99, ready: true)
        cluster.run(.seconds(5))
        #expect(c.tables.wiped.isEmpty)
        cluster.register(1, at: c)
        cluster.run(.seconds(5))
        #expect(c.tables.wiped == ["broker-1": true])
    }

    @Test("where the broker registered something else its wipe is not copied, though it is heard of")
    func permissionOfOtherContent() {
        let cluster = cluster(["a", "b"])
        cluster.register(1, at: cluster["a"], content: 1)
        cluster.register(1, at: cluster["b"], content: 2)
        cluster.run(.seconds(3))
        cluster.setPermission(grants: false, of: 1, cluster["a"])
        cluster.put("v", at: "k", cluster["a"])
        cluster.run(.seconds(5))
        #expect(cluster["b"].tables.keyValues == ["n/k": "v"] && cluster["b"].tables.wiped.isEmpty)
        #expect(cluster["b"].core.operations.permissions.count == 1)
    }

    @Test("a broker that registers anew has its permission back, and no node wipes it again")
    func permissionEnds() {
        let cluster = cluster(["a", "b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.setPermission(grants: false, of: 1, cluster["a"])
        cluster.run(.seconds(1))
        for node in cluster.nodes {
            // The tables lose the wipe with the new registration, as RocketMQ's do.
            node.tables.wiped = [:]
            cluster.register(1, at: node, content: 2)
            cluster.administered(node)
        }
        cluster.setPermission(grants: false, of: 1, cluster["b"])
        cluster.setPermission(grants: true, of: 1, cluster["b"])
        cluster.run(.seconds(2))
        // And the old content again, at one node first: the command of that time is over.
        for node in cluster.nodes { cluster.register(1, at: node, content: 1) }
        cluster.run(.seconds(10))
        #expect(cluster.nodes.allSatisfy { $0.tables.wiped.isEmpty })
    }

    @Test("a broker that left and came back with the same registration is not wiped again")
    func permissionOfOneThatLeft() {
        let cluster = cluster()
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.setPermission(grants: false, of: 1, cluster["a"])
        cluster.run(.seconds(1))
        for node in cluster.nodes {
            node.tables.wiped = [:]
            cluster.leave(1, at: node, .unregistered)
            cluster.administered(node)
        }
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        // Nor at a node that has lost its memory, and asks for all there is because of another broker.
        cluster.restart(cluster["c"], incarnation: 99)
        cluster.register(1, at: cluster["c"])
        for node in cluster.nodes { cluster.register(2, at: node) }
        cluster.run(.seconds(5))
        cluster.setPermission(grants: false, of: 2, cluster["b"])
        cluster.run(.seconds(10))
        #expect(cluster.nodes.allSatisfy { $0.tables.wiped == ["broker-2": true] })
    }
}
