import Basics
import Remoting
import Testing

@testable import NameServerCore

/// Random steps on a node that learns, a model of its merged view, and a node that gets the same requests and learns
/// nothing.
@Suite struct LearnedModelTests {
    /// 3,200 steps in all. A failure prints the seed and step; put the seed here alone to repeat it.
    static let seeds: [UInt64] = [11, 12, 13, 14, 15, 16, 17, 18]
    static let steps = 400

    @Test("3,200 random steps agree with the model", arguments: seeds) func agrees(_ seed: UInt64) throws {
        var run = LearnedRun(seed: seed)
        for step in 0..<Self.steps {
            let action = run.act()
            guard run.agrees() else {
                Issue.record("seed \(seed), step \(step), after \(action):\n\(run.disagreement)")
                return
            }
        }
        #expect(run.counts.learned > 40 && run.counts.ranOut > 1 && run.counts.mixedGroups > 100, "\(run.counts)")
        #expect(run.counts.outcomes == [.learned, .isFirstHand, .slotTaken, .outdated])
        // What was learned leaves no trace.
        run.node.forgetAll()
        #expect(run.everything(run.node) == run.everything(run.shadow))
        let hearsay = run.node.core.hearsay.count + run.node.core.hearsay.topicNames.count
        #expect(hearsay + run.node.core.hearsay.groupNames.count == 0)
    }

    @Test("Forgetting each one leaves no name behind", arguments: seeds) func leavesNothing(_ seed: UInt64) {
        var run = LearnedRun(seed: seed)
        for _ in 0..<200 { _ = run.act() }
        for replica in run.node.core.learned { run.node.forget(replica.summary.identity) }
        let table = (
            run.node.core.hearsay.count, run.node.core.hearsay.topicNames.count, run.node.core.hearsay.groupNames.count,
            run.node.core.hearsay.clusters.count, run.node.core.hearsay.nextExpiry == nil
        )
        #expect(table == (0, 0, 0, 0, true))
        #expect(run.everything(run.node) == run.everything(run.shadow))
    }
}

/// One seed's run.
private struct LearnedRun {
    struct Counts {
        var learned = 0
        /// How often evidence ran out.
        var ranOut = 0
        /// Steps after which some group had first-hand and learned replicas.
        var mixedGroups = 0
        var outcomes: Set<LearnOutcome> = []
    }

    let node = CoreNode.tracking()
    /// Gets every request that `node` gets.
    let shadow = CoreNode.tracking()
    var model = ReferenceModel()
    var hearsay = LearnedModel()
    var generator: SeededGenerator
    var latest = Registration()
    var disagreement = ""
    var counts = Counts()

    static let topics = (0..<8).map { "T\($0)" }
    static let names = (0..<4).map { "broker-\($0)" }
    static let clusters = ["C1", "C2"]

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func any(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func chance(_ percent: Int) -> Bool { any(100) < percent }
    private mutating func address() -> String { "10.0.0.\(any(8)):10911" }

    func everything(_ node: CoreNode) -> [String] {
        node.everything(topics: Self.topics, groups: Self.names, clusters: Self.clusters)
    }

    // MARK: Steps

    /// Does one thing to all; says what.
    mutating func act() -> String {
        let pause = Duration.milliseconds(any(60))
        for node in [node, shadow] {
            _ = node.takeDirectives()
            node.pass(pause)
        }
        switch any(100) {
        case 0..<22: return register()
        case 22..<62: return learn()
        case 62..<68: return unregister()
        case 68..<74: return scan()
        case 74..<78: return close()
        case 78..<82: return forget()
        case 82..<86: return extend()
        case 86..<90: return changePermissions()
        case 90..<94: return queryVersion()
        case 94..<97: return deleteTopic()
        default: return changeSettings()
        }
    }

    private mutating func register() -> String {
        var registration = latest
        if chance(75) {
            registration = Registration()
            registration.cluster = Self.clusters[chance(80) ? 0 : 1]
            registration.name = Self.names[any(4)]
            registration.id = "\(chance(40) ? 0 : any(4))"
            registration.address = address()
            registration.actingMaster = [nil, "false", "true"][any(3)]
            registration.zone = chance(40) ? "z\(any(2))" : nil
            registration.timeoutMillis = Int64(200 + any(1_000))
            registration.version = DataVersion(counter: Int64(any(3)), timestamp: 1_700_000_000_000)
            registration.topics = topics().map { name in
                Registration.topic(name, Int32(1 + any(2)), 4, perm: [6, 4, 7][any(3)], flag: Int32(any(4)))
            }
            latest = registration
        }
        let connection = UInt64(1 + any(6))
        let answers = both { $0.register(registration, from: connection) }
        let expected = model.register(registration, from: connection, now: node.now)
        let key = ReferenceModel.LiveKey(cluster: registration.cluster!, address: registration.address!)
        if answers[0].code == 0, model.live[key] != nil {
            hearsay.giveWay(
                to: ReplicaIdentity(
                    cluster: registration.cluster!, name: registration.name!, id: Int64(registration.id!)!,
                    address: registration.address!))
        }
        if answers[0] != answers[1] || answers[0].code != expected.code {
            disagreement += "answers \(answers), expected \(expected)\n"
        }
        return "registration \(registration)"
    }

    /// The answers of the node and of its shadow, which must be equal.
    private func both(_ ask: (CoreNode) -> RemotingCommand) -> [RemotingCommand] {
        [node, shadow].map { node in
            var answer = ask(node)
            answer.opaque = 0
            return answer
        }
    }

    private mutating func topics() -> [String] {
        // One topic alone would be refused now and then; the registration tests see to that.
        let chosen = Self.topics.filter { _ in chance(50) }
        return chosen.count < 2 ? Array(Self.topics.prefix(2)) : chosen
    }

    private mutating func learn() -> String {
        var told = Hearsay()
        told.cluster = Self.clusters[chance(80) ? 0 : 1]
        told.name = Self.names[any(4)]
        told.id = chance(40) ? 0 : Int64(any(4))
        told.address = address()
        told.actingMaster = [nil, false, true][any(3)]
        told.zone = chance(40) ? "z\(any(2))" : nil
        told.stateVersion = Int64(any(2))
        told.usableFor = .milliseconds(any(1_500) - 60)
        let names = chance(20) ? [] : topics()
        told.topics = names.map { name in
            Hearsay.topic(name, Int32(3 + any(2)), 4, perm: [6, 4, 7][any(3)], flag: Int32(any(4)))
        }
        let (outcome, expected) = (node.learn(told), hearsay.learn(told, now: node.now, beside: model))
        counts.outcomes.insert(outcome)
        if outcome == .learned { counts.learned += 1 }
        if outcome != expected { disagreement += "learn gives \(outcome), expected \(expected)\n" }
        return "learning \(told)"
    }

    private mutating func forget() -> String {
        guard let replica = hearsay.entries.keys.sorted(by: { "\($0)" < "\($1)" }).first else { return "nothing" }
        node.forget(replica)
        hearsay.entries[replica] = nil
        return "forgetting \(replica)"
    }

    private mutating func extend() -> String {
        let replicas = hearsay.entries.keys.sorted { "\($0)" < "\($1)" }
        guard !replicas.isEmpty else { return "nothing" }
        let replica = replicas[any(replicas.count)]
        let until = node.now + .milliseconds(any(3_000) - 100)
        node.core.extendLearned(replica, usableUntil: until, isProvisional: chance(50))
        hearsay.entries[replica]?.usableUntil = until
        return "extending \(replica) to \(until)"
    }

    private mutating func unregister() -> String {
        let (cluster, name) = (Self.clusters[any(2)], Self.names[any(4)])
        let (address, connection) = (address(), UInt64(1 + any(6)))
        for node in [node, shadow] { node.unregister(address, name: name, cluster: cluster, from: connection) }
        model.unregister(cluster, name, address, from: connection)
        hearsay.unregister(name: name, address: address)
        return "unregistration of \(cluster) \(name) \(address) over \(connection)"
    }

    private mutating func scan() -> String {
        let pause = Duration.milliseconds(chance(30) ? 800 : 0)
        for node in [node, shadow] {
            node.pass(pause)
            node.scan()
        }
        let before = hearsay.entries.count
        hearsay.scan(now: node.now)
        counts.ranOut += before - hearsay.entries.count
        for connection in model.scan(now: node.now) {
            for node in [node, shadow] { node.close(connection) }
            model.close(connection)
        }
        return "scan"
    }

    private mutating func close() -> String {
        let connection = UInt64(1 + any(6))
        for node in [node, shadow] { node.close(connection) }
        model.close(connection)
        return "closing of \(connection)"
    }

    private mutating func changePermissions() -> String {
        let (name, isWipe) = (Self.names[any(4)], chance(50))
        let code = isWipe ? RequestCode.wipeWritePermOfBroker : RequestCode.addWritePermOfBroker
        let answers = both { $0.call(code, ["brokerName": name]) }
        if answers[0] != answers[1] { disagreement += "answers \(answers)\n" }
        model.changePermissions(name) { isWipe ? $0 & ~2 : 6 }
        return "permissions of \(name), wiped: \(isWipe)"
    }

    private mutating func queryVersion() -> String {
        let (cluster, address) = (Self.clusters[any(2)], address())
        let answers = both {
            $0.call(RequestCode.queryDataVersion, ["clusterName": cluster, "brokerAddr": address])
        }
        if answers[0] != answers[1] { disagreement += "answers \(answers)\n" }
        model.heartbeat(cluster, address, now: node.now)
        return "question for the version of \(cluster) \(address)"
    }

    private mutating func deleteTopic() -> String {
        let topic = Self.topics[any(8)]
        for node in [node, shadow] { _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": topic]) }
        model.deleteTopic(topic, cluster: nil)
        return "deletion of \(topic)"
    }

    private mutating func changeSettings() -> String {
        model.supportsActingMaster.toggle()
        for node in [node, shadow] {
            _ = node.call(
                RequestCode.updateNameServerConfig, body: "supportActingMaster=\(model.supportsActingMaster)")
        }
        return "acting masters: \(model.supportsActingMaster)"
    }

    // MARK: Comparing

    mutating func agrees() -> Bool {
        let merged = hearsay.merged(with: model)
        if model.groups.contains(where: { name, group in
            merged.groups[name]?.slots.count ?? 0 > group.slots.count
        }) {
            counts.mixedGroups += 1
        }
        compareRoutes(merged)
        compareLists(merged)
        let (notices, expected) = (node.notifications.map(\.addresses), shadow.notifications.map(\.addresses))
        if notices != expected { disagreement += "notifications \(notices), expected \(expected)\n" }
        if Set(node.core.learned.map(\.summary.identity)) != Set(hearsay.entries.keys) {
            disagreement += "learned \(node.core.learned), expected \(hearsay.entries)\n"
        }
        return disagreement.isEmpty
    }

    private mutating func compareRoutes(_ merged: ReferenceModel) {
        for topic in Self.topics {
            for dialect: Int32 in [0, 479] {
                let answer = node.route(topic, version: dialect)
                let expected = merged.route(topic).map { $0.encoded(dialect == 0 ? .legacy : .standard) }
                if answer.code != (expected == nil ? 17 : 0) || answer.body != expected ?? [] {
                    disagreement += "route of \(topic): \(answer.code) \(answer.text)\n"
                    disagreement += "expected \(expected.map { String(decoding: $0, as: UTF8.self) } ?? "none")\n"
                }
            }
            let zoned = node.zonedRoute(topic, zone: "z0")
            let expected = merged.route(topic, zone: "z0").map {
                String(decoding: $0.encoded(.standard), as: UTF8.self)
            }
            if zoned != expected ?? "" {
                disagreement += "zoned route of \(topic): \(zoned)\nexpected \(expected ?? "")\n"
            }
        }
    }

    private mutating func compareLists(_ merged: ReferenceModel) {
        func check(_ what: String, _ got: String, _ expected: String) {
            if got != expected { disagreement += "\(what): \(got)\nexpected \(expected)\n" }
        }
        func list(_ names: [String]) -> String {
            "{\"topicList\":[\(names.map { "\"\($0)\"" }.joined(separator: ","))]}"
        }
        func addresses(_ name: String) -> String {
            let members = merged.addresses(name).sorted { $0.key < $1.key }.map { "\($0.key):\"\($0.value)\"" }
            return "{\"brokerMemberGroup\":{\"brokerAddrs\":{\(members.joined(separator: ","))},"
                + "\"brokerName\":\"\(name)\",\"cluster\":\"C\"}}"
        }
        check("106", node.clusterInfo(), String(decoding: merged.clusterInfo.encoded(.legacy), as: UTF8.self))
        for name in Self.names { check("901", node.members(name), addresses(name)) }
        check("206", node.topicList(), list(merged.topics.keys.sorted()))
        for cluster in Self.clusters {
            check("224", node.topics(ofCluster: cluster), list(merged.topics(ofCluster: cluster)))
        }
        check("311", node.call(RequestCode.getUnitTopicList).text, list(merged.unitTopics { $0 & 1 == 1 }))
        check("312", node.call(RequestCode.getHasUnitSubTopicList).text, list(merged.unitTopics { $0 & 2 == 2 }))
        check("313", node.call(RequestCode.getHasUnitSubUnunitTopicList).text, list(merged.unitTopics { $0 & 3 == 2 }))
        let first = merged.firstAddress.map { "{\"brokerAddr\":\"\($0)\"," } ?? "{"
        check(
            "304", node.call(RequestCode.getSystemTopicListFromNameServer).text,
            first + list(merged.systemTopics).dropFirst())
    }
}
