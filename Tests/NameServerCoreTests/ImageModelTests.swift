import Basics
import Remoting
import Testing

@testable import NameServerCore

/// Random registrations, whole and in pieces, departures and admin changes: the tracked first-hand entries against
/// `ImageModel`, the directives against the tables, and the answers against a node that tracks nothing.
@Suite struct ImageModelTests {
    static let seeds: [UInt64] = [1, 2, 3, 4]
    static let steps = 750

    @Test("3,000 random steps agree with the model", arguments: seeds) func agrees(_ seed: UInt64) throws {
        var run = ImageRun(seed: seed)
        for step in 0..<Self.steps {
            let action = run.act()
            guard run.agrees() else {
                Issue.record("seed \(seed), step \(step), after \(action):\n\(run.disagreement)")
                return
            }
        }
        #expect(run.seen.heartbeats > 5 && run.seen.expiredTopics > 20 && run.seen.residue > 20, "\(run.seen)")
        run.drain()
        #expect(run.isEmpty, "seed \(seed): names or entries are left")
    }
}

/// One seed's run.
private struct ImageRun {
    let node: CoreNode
    let plain: CoreNode
    var model = ReferenceModel()
    var images: ImageModel
    var generator: SeededGenerator
    var recent: [Registration] = []
    /// The summaries as directives alone tell them; residue left out, which 216 and 217 change without one.
    var told: [ReplicaToken: RegistrationSummary] = [:]
    var toldDigests: (admin: UInt64, keyValue: UInt64) = (0, 0)
    var seen = (heartbeats: 0, expiredTopics: 0, residue: 0)
    var disagreement = ""

    init(seed: UInt64) {
        var limits = NameServerLimits()
        limits.brokerTimeout = .seconds(4)
        node = CoreNode(limits: limits, tracking: ImageModel.hash)
        plain = CoreNode(limits: limits)
        images = ImageModel(window: .seconds(7))
        generator = SeededGenerator(seed: seed)
    }

    private mutating func any(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    private mutating func chance(_ percent: Int) -> Bool { any(100) < percent }
    private mutating func cluster() -> String { chance(85) ? "C1" : "C2" }
    private mutating func name() -> String { "broker-\(any(3))" }
    private mutating func address() -> String { "10.0.0.\(any(4)):10911" }
    private mutating func connection() -> UInt64 { UInt64(1 + any(4)) }

    // MARK: Steps

    /// Does one thing to all; says what.
    mutating func act() -> String {
        let duration = Duration.milliseconds(any(1_000))
        node.pass(duration)
        plain.pass(duration)
        defer { images.follow(model) }
        switch any(100) {
        case 0..<20: return register(fresh())
        case 20..<50 where !recent.isEmpty: return register(again())
        case 50..<56 where !recent.isEmpty: return register(recent[recent.count - 1])
        case 56..<62: return scan()
        case 62..<66: return unregister()
        case 66..<70: return close()
        case 70..<78 where !recent.isEmpty: return queryDataVersion()
        case 78..<84: return changePermissions()
        case 84..<90: return deleteTopic()
        case 90..<94: return registerTopic()
        case 94..<96: return changeSettings()
        default: return putKeyValue()
        }
    }

    private mutating func fresh() -> Registration {
        var registration = Registration()
        registration.cluster = cluster()
        registration.name = name()
        registration.id = "\(chance(60) ? 0 : any(3))"
        registration.address = address()
        registration.haAddress = chance(80) ? "ha-\(any(3))" : nil
        registration.actingMaster = [nil, "false", "true"][any(3)]
        registration.zone = chance(20) ? "z\(any(2))" : nil
        registration.timeoutMillis = Int64(8_000 + any(3) * 8_000)
        registration.topics = topics()
        return remember(registration)
    }

    private mutating func remember(_ registration: Registration) -> Registration {
        recent.append(registration)
        if recent.count > 8 { recent.remove(at: any(8)) }
        return registration
    }

    private mutating func topics() -> [TopicConfig] {
        let from = any(10)
        let length = 2 + any(8)
        return (from..<from + length).map { index in
            var topic = Registration.topic("T\(index)", Int32(1 + any(2)), 2, perm: [6, 4, 7][any(3)])
            topic.order = chance(10)
            return topic
        }
    }

    /// The next piece of a split registration, or the next state of a broker's topics.
    private mutating func again() -> Registration {
        var registration = recent[recent.count - 1 - any(min(3, recent.count))]
        registration.topics = topics()
        if chance(90) { registration.version.counter! += 1 }
        if chance(10) { registration.version.stateVersion += Int64(any(2)) }
        return remember(registration)
    }

    private mutating func register(_ registration: Registration) -> String {
        let connection = connection()
        let heartbeats = node.core.counters.heartbeats
        let answer = both(registration.command, from: connection)
        let isRepetition = node.core.counters.heartbeats > heartbeats
        if isRepetition { seen.heartbeats += 1 }
        let key = ReferenceModel.LiveKey(cluster: registration.cluster!, address: registration.address!)
        let expected = model.register(registration, from: connection, now: node.now)
        if answer?.code != expected.code { disagreement += "answer \(String(describing: answer))\n" }
        let slot = model.groups[registration.name!]?.slots[Int64(registration.id!)!]
        let holds = slot == .init(address: key.address, cluster: key.cluster)
        let hasCounted = expected.code == 0 && holds && model.live[key]?.lastHeard == node.now
        images.register(registration, now: node.now, model, hasCounted: hasCounted, isRepetition: isRepetition)
        return "registration \(registration) over \(connection)"
    }

    private mutating func unregister() -> String {
        let connection = connection()
        var (cluster, name, address) = (cluster(), name(), address())
        if chance(60), let known = recent.randomElement(using: &generator) {
            (cluster, name, address) = (known.cluster!, known.name!, known.address!)
        }
        for node in [node, plain] { node.unregister(address, name: name, cluster: cluster, from: connection) }
        model.unregister(cluster, name, address, from: connection)
        return "unregistration of \(cluster) \(name) \(address)"
    }

    private mutating func scan() -> String {
        for node in [node, plain] { node.scan() }
        let closed = model.scan(now: node.now)
        images.follow(model)
        let before = images.images.values.reduce(0) { $0 + $1.topics.count }
        images.scan(now: node.now)
        seen.expiredTopics += before - images.images.values.reduce(0) { $0 + $1.topics.count }
        for connection in closed { closeAll(connection) }
        return "scan"
    }

    private mutating func close() -> String {
        let connection = connection()
        closeAll(connection)
        return "close of \(connection)"
    }

    private mutating func closeAll(_ connection: UInt64) {
        for node in [node, plain] { node.close(connection) }
        model.close(connection)
    }

    private mutating func queryDataVersion() -> String {
        let known = recent[any(recent.count)]
        let (cluster, address) = (known.cluster!, known.address!)
        var command = RemotingCommand(
            request: RequestCode.queryDataVersion, fields: ["clusterName": cluster, "brokerAddr": address])
        var body = ByteWriter()
        known.version.encode(into: &body)
        command.body = body.array()
        both(command)
        model.heartbeat(cluster, address, now: node.now)
        images.queryDataVersion(cluster, address, known.version, now: node.now)
        return "322 of \(cluster) \(address) \(known.version)"
    }

    private mutating func changePermissions() -> String {
        let name = name()
        let wipes = chance(50)
        let code = wipes ? RequestCode.wipeWritePermOfBroker : RequestCode.addWritePermOfBroker
        both(RemotingCommand(request: code, fields: ["brokerName": name]))
        model.changePermissions(name) { wipes ? $0 & ~2 : 6 }
        return "\(code) \(name)"
    }

    private mutating func deleteTopic() -> String {
        let topic = "T\(any(19))"
        both(RemotingCommand(request: RequestCode.deleteTopicInNameServer, fields: ["topic": topic]))
        model.deleteTopic(topic, cluster: nil)
        return "216 \(topic)"
    }

    private mutating func registerTopic() -> String {
        let topic = "T\(any(25))"
        var route = TopicRouteData()
        route.queueDatas = [QueueData(brokerName: name(), readQueueNums: 3, writeQueueNums: 3, perm: [6, 4][any(2)])]
        both(
            RemotingCommand(
                request: RequestCode.registerTopicInNameServer, fields: ["topic": topic], body: route.encoded()))
        model.registerTopic(topic, route.queueDatas)
        return "217 \(topic) \(route.queueDatas)"
    }

    private mutating func changeSettings() -> String {
        let deletes = chance(30)
        let body = [UInt8]("deleteTopicWithBrokerRegistration=\(deletes)".utf8)
        both(RemotingCommand(request: RequestCode.updateNameServerConfig, body: body))
        model.deletesUnnamedTopics = deletes
        return "settings"
    }

    private mutating func putKeyValue() -> String {
        let fields: KeyValuePairs = ["namespace": "N\(any(2))", "key": "K\(any(3))", "value": "\(any(3))"]
        both(
            RemotingCommand(
                request: chance(60) ? RequestCode.putKVConfig : RequestCode.deleteKVConfig, fields: fields))
        return "key-value"
    }

    /// Hands the command to the tracking node and the plain one, whose answers must be the same.
    @discardableResult
    private mutating func both(_ command: RemotingCommand, from connection: UInt64 = 1) -> RemotingCommand? {
        let answers = [node, plain].map { $0.send(command, from: connection) }
        if answers[0] != answers[1] { disagreement += "tracking changes the answer to \(answers)\n" }
        return answers[0]
    }

    // MARK: Comparison

    mutating func agrees() -> Bool {
        followDirectives()
        let tokens = node.core.firstHandTokens
        if tokens.count != model.live.count || images.images.count != model.live.count {
            disagreement += "\(tokens.count) entries, the models have \(model.live.count), \(images.images.count)\n"
        }
        for image in images.images.values { compare(image) }
        if node.core.administrationDigest(hash: ImageModel.hash) != toldDigests.admin {
            disagreement += "the administration digest has changed untold\n"
        }
        if node.core.keyValueDigest(hash: ImageModel.hash) != toldDigests.keyValue {
            disagreement += "the key-value digest has changed untold\n"
        }
        return disagreement.isEmpty
    }

    private mutating func compare(_ image: ImageModel.Image) {
        guard let token = node.core.token(of: image.identity), let summary = node.core.summary(of: token) else {
            disagreement += "no entry of \(image.identity.label)\n"
            return
        }
        var output = ByteWriter()
        node.core.encodeImages(of: [token], into: &output)
        if output.count > node.core.imageSize(of: token) { disagreement += "the image is larger than announced\n" }
        var topics: [String: ImageTopic] = [:]
        if let decoded = try? RegistrationImages.decode(output.array(), replicas: 1) {
            decoded.forEachTopic(of: 0) { topics[String(decoding: $0, as: UTF8.self)] = $1 }
        }
        if topics != image.topics { disagreement += "\(image.identity.label): \(topics)\nexpected \(image.topics)\n" }
        let held = model.topics.filter { $0.value[image.identity.name] != nil }.keys
        let residue = image.contributes ? Set(held).subtracting(image.topics.keys).count : 0
        if residue > 0 { seen.residue += 1 }
        let expected = RegistrationSummary(
            identity: image.identity, haAddress: image.fields.haAddress, zone: image.fields.zone,
            actingMaster: image.fields.actingMaster, timeoutMillis: image.fields.timeoutMillis,
            version: RegistrationVersion(
                stateVersion: image.version.stateVersion, timestamp: image.version.timestamp,
                counter: image.version.counter), registrationHash: image.hash, topicCount: image.topics.count,
            residueCount: residue)
        if summary != expected { disagreement += "\(summary)\nexpected \(expected)\n" }
        if told[token] != summary.withoutResidue { disagreement += "told \(String(describing: told[token]))\n" }
    }

    /// Keeps `told` by directives alone, and compares all other directives with the plain node's.
    private mutating func followDirectives() {
        for change in node.changes {
            switch change {
            case .registered(let token): told[token] = node.core.summary(of: token)?.withoutResidue
            case .closed: disagreement += "closed without a grace\n"
            case .saidGoodbye, .wrote: break
            case .removed(let token, let identity, _):
                if told.removeValue(forKey: token)?.identity != identity { disagreement += "removed \(identity)\n" }
            case .administered:
                toldDigests.admin = node.core.administrationDigest(hash: ImageModel.hash)
                toldDigests.keyValue = node.core.keyValueDigest(hash: ImageModel.hash)
            }
        }
        let others = node.takeDirectives().filter { if case .firstHand = $0 { false } else { true } }
        let expected = plain.takeDirectives()
        if others.isEmpty, expected.isEmpty { return }
        if "\(others)" != "\(expected)" { disagreement += "tracking changes directives: \(others)\n" }
    }

    /// Everything expires.
    mutating func drain() {
        node.pass(.seconds(100))
        node.scan()
    }

    var isEmpty: Bool {
        let tables = (node.core.tables.topicNames.count, node.core.tables.groupNames.count, node.core.tables.liveCount)
        return tables == (0, 0, 0) && node.core.nextRemoval == nil && node.core.firstHandTokens.isEmpty
            && node.core.administrationDigest(hash: ImageModel.hash) == 0
    }
}

extension RegistrationSummary {
    fileprivate var withoutResidue: RegistrationSummary {
        var copy = self
        copy.residueCount = 0
        return copy
    }
}
