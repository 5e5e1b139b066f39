import Basics
import Remoting
import Testing

@testable import NameServerCore

/// Random registrations, departures, admin changes and lookups: the core against `ReferenceModel`, after each step.
@Suite struct ReferenceModelTests {
    /// 10,000 steps in all. A failure prints the seed and step; put the seed here alone to repeat it.
    static let seeds: [UInt64] = [1, 2, 3, 4, 5, 6, 7, 8]
    static let steps = 1_250

    /// Of even seeds every registration takes the long way of a large one: decoded elsewhere, its topics one by one.

    @Test("10,000 random steps agree with the model", arguments: seeds) func agrees(_ seed: UInt64) throws {
        var run = RandomRun(seed: seed)
        for step in 0..<Self.steps {
            let action = run.act()
            guard run.agrees() else {
                Issue.record("seed \(seed), step \(step), after \(action):\n\(run.disagreement)")
                return
            }
        }
        #expect(run.node.core.counters.heartbeats > 50, "the fast path must have been taken")
        run.drain()
        #expect(run.isEmpty, "seed \(seed): names or entries are left: \(run.leftovers)")
    }
}

/// One seed's run.
private struct RandomRun {
    let node: CoreNode
    var model = ReferenceModel()
    var generator: SeededGenerator
    var recent: [Registration] = []
    var latest = Registration()
    var step = 0
    var disagreement = ""

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        var limits = NameServerLimits()
        if seed % 2 == 0 { limits.inlineBodyBytes = 0 }
        node = CoreNode(limits: limits)
        if seed % 2 == 0 { node.stepTopics = 1 }
    }

    private mutating func any(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func chance(_ percent: Int) -> Bool { any(100) < percent }

    private mutating func cluster() -> String { ["C1", "C2", "C3"][chance(70) ? 0 : any(3)] }

    private mutating func name() -> String { "broker-\(any(4))" }

    private mutating func address() -> String { "10.0.0.\(any(7)):10911" }

    private mutating func connection() -> UInt64 { UInt64(1 + any(6)) }

    // MARK: Steps

    /// Does one thing to both; says what.
    mutating func act() -> String {
        node.pass(.milliseconds(any(120)))
        switch any(100) {
        case 0..<25: return register(fresh())
        case 25..<40 where !recent.isEmpty: return register(recent[any(recent.count)])
        case 40..<55 where !recent.isEmpty: return register(latest)
        case 55..<62: return unregister()
        case 62..<68: return scan()
        case 68..<72: return close()
        case 72..<78: return heartbeat()
        case 78..<84: return changePermissions()
        case 84..<90: return deleteTopic()
        case 90..<96: return registerTopic()
        default: return changeSettings()
        }
    }

    private mutating func fresh() -> Registration {
        var registration = Registration()
        registration.cluster = cluster()
        registration.name = name()
        registration.id = "\(chance(50) ? 0 : any(4))"
        registration.address = address()
        registration.haAddress = chance(80) ? "ha-\(any(3))" : nil
        registration.actingMaster = [nil, "false", "true"][any(3)]
        registration.zone = chance(20) ? "z\(any(2))" : nil
        registration.timeoutMillis = chance(80) ? Int64(200 + any(1_500)) : nil
        registration.version = DataVersion(
            counter: Int64(any(3)), timestamp: 1_700_000_000_000, stateVersion: Int64(any(2)))
        registration.compressed = chance(20)
        registration.topics = (0..<10).compactMap { index in
            guard chance(50) else { return nil }
            let flag: Int32 = registration.compressed ? 0 : Int32(any(2))
            return Registration.topic(
                "T\(index)", Int32(1 + any(2)), Int32(1 + any(2)), perm: [6, 4, 7][any(3)], flag: flag)
        }
        recent.append(registration)
        if recent.count > 12 { recent.remove(at: any(12)) }
        return registration
    }

    private mutating func register(_ registration: Registration) -> String {
        latest = registration
        let connection = connection()
        let answer = node.register(registration, from: connection)
        let expected = model.register(registration, from: connection, now: node.now)
        let got = ReferenceModel.Answer(
            code: answer.code, masterAddress: answer["masterAddr"], haServerAddress: answer["haServerAddr"])
        if got != expected { disagreement += "answer \(got), expected \(expected)\n" }
        return "registration \(registration) over \(connection)"
    }

    private mutating func unregister() -> String {
        let connection = connection()
        var (cluster, name, address) = (cluster(), name(), address())
        if chance(60), let known = recent.randomElement(using: &generator) {
            (cluster, name, address) = (known.cluster!, known.name!, known.address!)
        }
        node.unregister(address, name: name, cluster: cluster, id: Int64(any(3)), from: connection)
        model.unregister(cluster, name, address, from: connection)
        return "unregistration of \(cluster) \(name) \(address) over \(connection)"
    }

    private mutating func scan() -> String {
        if chance(30) { node.pass(.milliseconds(1_000)) }
        _ = node.takeDirectives()
        node.scan()
        let (closed, expected) = (node.closed, model.scan(now: node.now))
        if Set(closed) != expected { disagreement += "closes \(closed), expected \(expected)\n" }
        for connection in closed {
            node.close(connection)
            model.close(connection)
        }
        return "scan"
    }

    private mutating func close() -> String {
        let connection = connection()
        node.close(connection)
        model.close(connection)
        return "close of \(connection)"
    }

    private mutating func heartbeat() -> String {
        let (cluster, address) = (cluster(), address())
        let code = chance(50) ? RequestCode.brokerHeartbeat : RequestCode.queryDataVersion
        _ = node.call(code, ["clusterName": cluster, "brokerAddr": address], body: "{}")
        model.heartbeat(cluster, address, now: node.now)
        return "heartbeat of \(cluster) \(address)"
    }

    private mutating func changePermissions() -> String {
        let name = name()
        if chance(50) {
            _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": name])
            model.changePermissions(name) { $0 & ~2 }
            return "205 \(name)"
        }
        _ = node.call(RequestCode.addWritePermOfBroker, ["brokerName": name])
        model.changePermissions(name) { _ in 6 }
        return "327 \(name)"
    }

    private mutating func deleteTopic() -> String {
        let topic = "T\(any(10))"
        let cluster = chance(50) ? cluster() : nil
        _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": topic, "clusterName": cluster ?? ""])
        model.deleteTopic(topic, cluster: cluster)
        return "216 \(topic) \(cluster ?? "everywhere")"
    }

    private mutating func registerTopic() -> String {
        let topic = "T\(any(12))"
        var route = TopicRouteData()
        for _ in 0..<(1 + any(3)) {
            route.queueDatas.append(
                QueueData(brokerName: name(), readQueueNums: 3, writeQueueNums: 3, perm: [6, 4][any(2)]))
        }
        let body = String(decoding: route.encoded(), as: UTF8.self)
        _ = node.call(RequestCode.registerTopicInNameServer, ["topic": topic], body: body)
        model.registerTopic(topic, route.queueDatas)
        return "217 \(topic) \(body)"
    }

    private mutating func changeSettings() -> String {
        let (acting, deletes) = (chance(50), chance(20))
        _ = node.call(
            RequestCode.updateNameServerConfig,
            body: "supportActingMaster=\(acting)\ndeleteTopicWithBrokerRegistration=\(deletes)")
        model.supportsActingMaster = acting
        model.deletesUnnamedTopics = deletes
        return "settings"
    }

    // MARK: Comparison

    /// Compares everything a client can see.
    mutating func agrees() -> Bool {
        compare("106", node.clusterInfo(), model.clusterInfo.encoded(.legacy))
        compare("206", node.topicList(), TopicList(topicList: model.topics.keys.sorted()).encoded(.legacy))
        let dialect = chance(50) ? JSONDialect.standard : .legacy
        step += 1
        // Every topic now and then, some of them after each step: the routes are what takes the time.
        for index in 0..<12 where step % 8 == 0 || chance(30) {
            let topic = "T\(index)"
            let answer = node.route(topic, version: dialect == .standard ? 479 : 0)
            let expected = model.route(topic)
            if answer.code != (expected == nil ? 17 : 0) { disagreement += "\(topic): code \(answer.code)\n" }
            if let expected { compare(topic, answer.text, expected.encoded(dialect)) }
        }
        if node.core.tables.liveCount != model.live.count { disagreement += "live entries\n" }
        return disagreement.isEmpty
    }

    private mutating func compare(_ what: String, _ got: String, _ expected: [UInt8]) {
        let expected = String(decoding: expected, as: UTF8.self)
        if got != expected { disagreement += "\(what):\n  \(got)\nexpected\n  \(expected)\n" }
    }

    /// Everything expires.
    mutating func drain() {
        node.pass(.seconds(200))
        node.scan()
    }

    var leftovers: [Int] {
        [
            node.core.tables.topicNames.count, node.core.tables.groupNames.count, node.core.tables.clusterNames.count,
            node.core.tables.addressNames.count, node.core.tables.liveCount, node.core.tables.bindings.count,
            node.core.tables.topicCount, node.core.tables.groupCount, node.core.tables.clusterCount,
            node.core.tables.queueSettings.count,
        ]
    }

    /// No name, entry or binding is left: what the tables hold is bounded by what lives.
    var isEmpty: Bool { leftovers.allSatisfy { $0 == 0 } }
}
