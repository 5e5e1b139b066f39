// A scenario's file becomes values here: the sections about who takes part. FaultReading.swift reads what goes wrong,
// CheckReading.swift what must hold. All faults of a file are reported together, each with its line.

import Basics
import ClusterConfiguration

extension Scenario {
    /// How much of everything there may be. A machine runs it all at once, and a person reads the report.
    enum Limits {
        static let nodes = 9
        static let groups = 16
        static let replicas = 4
        static let topics = 64
        static let clients = 32
        /// Entries of the file.
        static let faults = 200
        /// Faults that these come to when they repeat.
        static let plannedFaults = 1_000
        static let checks = 100
        static let titleLength = 200
        static let questionLength = 2_000
    }

    /// Reads and validates a file of at most 1 MiB.
    ///
    /// Throws every fault found, each with its line.
    public static func load(path: String) throws(ConfigurationErrors) -> Scenario {
        try parse(bytes: try ConfigurationFile.read(path), fileName: path)
    }

    /// Validates the text of a file; `fileName` is what messages call it.
    public static func parse(bytes: [UInt8], fileName: String) throws(ConfigurationErrors) -> Scenario {
        let document = try ConfigurationFile.document(in: bytes, name: fileName)
        let log = FaultLog(file: fileName)
        let scenario = ScenarioReader(document, log).read()
        try log.check()
        return scenario
    }
}

enum ScenarioKey: String, SectionKey {
    case name, title, question, timeScale, duration, seed
    case nodes, brokers, topics, clients, timings, gossip, nameserver, arms, faults, checks
    static let section = "the file"
}

private enum BrokerKey: String, SectionKey {
    case group, replicas
    static let section = "brokers"
}

private enum TopicKey: String, SectionKey {
    case name, groups, queues
    static let section = "topics"
}

private enum ClientsKey: String, SectionKey {
    case producers, consumers
    static let section = "clients"
}

private enum ProducerKey: String, SectionKey {
    case count, rate, topic, avoidFaults
    static let section = "clients.producers"
}

private enum ConsumerKey: String, SectionKey {
    case count, topic, readFromSlaves
    static let section = "clients.consumers"
}

private enum GossipKey: String, SectionKey {
    case period, closeGrace, witnesses, replicate, applyUnregister, gateUnknownTopics
    static let section = "gossip"
}

/// Reads the whole tree.
private struct ScenarioReader {
    let root: MappingReader<ScenarioKey>
    let log: FaultLog

    init(_ document: YAMLNode?, _ log: FaultLog) {
        root = MappingReader<ScenarioKey>(document, line: document?.line ?? 1, log: log)
        self.log = log
    }

    func read() -> Scenario {
        let replicas = replicas()
        let topics = topics(groups: replicas.filter { $0.id == 0 }.map(\.group))
        let timings = Timings(root.mapping(.timings))
        let gossip = root.mapping(.gossip, of: GossipKey.self)
        let period = gossip.duration(.period, in: .milliseconds(100) ... .seconds(60), default: .seconds(1))
        let timeScale = root.integer(.timeScale, in: 1...100, default: 10)
        if period / timeScale < .milliseconds(100) {
            gossip.report(
                .period,
                "a live run is \(timeScale) times faster (timeScale), and nodes compare every 100ms at most; "
                    + "write \((.milliseconds(100) * timeScale).text) or more, or a smaller timeScale")
        }
        var scenario = Scenario(
            name: root.requiredName(.name, .word)?.value ?? "",
            title: line(.title, limit: Scenario.Limits.titleLength, isRequired: true),
            question: line(.question, limit: Scenario.Limits.questionLength, isRequired: false),
            timeScale: timeScale,
            duration: root.duration(.duration, in: .seconds(1) ... .seconds(86_400), default: .seconds(600)),
            seed: UInt64(root.integer(.seed, in: 0...Int.max, default: 1)),
            nodes: (1...root.integer(.nodes, in: 1...Scenario.Limits.nodes, default: 3)).map {
                Scenario.Node(name: "ns-\($0)")
            },
            replicas: replicas, topics: topics, clients: clients(topics),
            timings: Scenario.Timings(
                heartbeat: timings.heartbeat, scan: timings.scan, expiry: timings.expiry, routePoll: timings.routePoll,
                gossipPeriod: period),
            gossipSettings: gossipSettings(gossip),
            nodeProperties: NameServerProperty.properties(root.mapping(.nameserver)).map {
                Scenario.Setting(key: $0.name, value: $0.value)
            },
            arms: arms(), faults: [], checks: [])
        let words = PartyWords(scenario)
        for name in words.clashes {
            root.report(.brokers, "group \(quoted(name)) has a name that means something else")
        }
        scenario.faults = FaultReading(scenario: scenario, words: words, log: log).read(
            root.list(.faults, limit: Scenario.Limits.faults))
        scenario.checks = CheckReading(scenario: scenario).read(root.list(.checks, limit: Scenario.Limits.checks))
        return scenario
    }

    /// A text for people; line breaks become blanks.
    private func line(_ key: ScenarioKey, limit: Int, isRequired: Bool) -> String {
        guard root.node(key) != nil else {
            if isRequired { log.report(root.line, "\(key.rawValue) is missing") }
            return ""
        }
        let text = root.text(key).map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") } ?? ""
        if text.count > limit { root.report(key, "has \(text.count) characters; at most \(limit)") }
        return text
    }

    private func replicas() -> [Scenario.Replica] {
        var lines: [String: Int] = [:]
        return root.list(.brokers, of: BrokerKey.self, limit: Scenario.Limits.groups, required: true).flatMap {
            reader in
            let count = reader.integer(.replicas, in: 1...Scenario.Limits.replicas, default: 1)
            guard let group = reader.requiredName(.group) else { return [Scenario.Replica]() }
            if let first = lines.updateValue(group.line, forKey: group.value) {
                log.report(group.line, "broker group \(quoted(group.value)) is already used on line \(first)")
                return []
            }
            return (0..<count).map { Scenario.Replica(group: group.value, id: Int64($0)) }
        }
    }

    private func topics(groups: [String]) -> [Scenario.Topic] {
        var lines: [String: Int] = [:]
        return root.list(.topics, of: TopicKey.self, limit: Scenario.Limits.topics, required: true).compactMap {
            reader in
            let queues = reader.integer(.queues, in: 1...64, default: 4)
            let holders = reader.values(.groups, limit: Scenario.Limits.groups) { (text) throws(ValueFault) in
                if groups.contains(text) { return text }
                throw ValueFault("is no broker group\(hint(text, groups))")
            }
            guard let name = reader.requiredName(.name, .topic) else { return nil }
            if let first = lines.updateValue(name.line, forKey: name.value) {
                log.report(name.line, "topic \(quoted(name.value)) is already used on line \(first)")
            }
            return Scenario.Topic(
                name: name.value, groups: (holders.isEmpty ? groups : holders).sorted(), queues: queues)
        }
    }

    private func clients(_ topics: [Scenario.Topic]) -> [Scenario.Client] {
        let section = root.mapping(.clients, of: ClientsKey.self)
        let counts = 0...Scenario.Limits.clients
        var clients: [Scenario.Client] = []
        if section.node(.producers) != nil {
            let reader = section.mapping(.producers, of: ProducerKey.self)
            let role = Scenario.Client.Role.producer(
                rate: rate(reader), avoidsFaults: reader.boolean(.avoidFaults, default: true))
            let topic = topic(reader, .topic, topics)
            for number in 0..<reader.integer(.count, in: counts, default: 1) {
                clients.append(Scenario.Client(name: "producer-\(number + 1)", role: role, topic: topic))
            }
        }
        if section.node(.consumers) != nil {
            let reader = section.mapping(.consumers, of: ConsumerKey.self)
            let role = Scenario.Client.Role.consumer(
                readsFromSlaves: reader.boolean(.readFromSlaves, default: true))
            let topic = topic(reader, .topic, topics)
            for number in 0..<reader.integer(.count, in: counts, default: 1) {
                clients.append(Scenario.Client(name: "consumer-\(number + 1)", role: role, topic: topic))
            }
        }
        return clients
    }

    /// Messages a second of scenario time.
    private func rate(_ reader: MappingReader<ProducerKey>) -> Double {
        guard reader.node(.rate) != nil, let text = reader.text(.rate) else { return 1 }
        guard let rate = Double(text), (0.01...1_000).contains(rate) else {
            reader.report(.rate, "\(quoted(text)) is no rate; write messages per second, 0.01 to 1000")
            return 1
        }
        return rate
    }

    /// The topic named, or else the first.
    private func topic<Key>(_ reader: MappingReader<Key>, _ key: Key, _ topics: [Scenario.Topic]) -> String {
        guard reader.node(key) != nil, let text = reader.text(key) else { return topics.first?.name ?? "" }
        let names = topics.map(\.name)
        if !names.contains(text) { reader.report(key, "\(quoted(text)) is no topic of this file\(hint(text, names))") }
        return text
    }

    private func gossipSettings(_ reader: MappingReader<GossipKey>) -> [Scenario.Setting] {
        reader.keys.compactMap { key in
            let value: String
            switch key {
            case .period: return nil
            case .closeGrace:
                value = reader.duration(key, in: .zero ... .seconds(30), default: .seconds(1)).text
            case .witnesses: value = String(reader.integer(key, in: 1...Scenario.Limits.nodes - 1, default: 1))
            case .applyUnregister, .gateUnknownTopics: value = String(reader.boolean(key, default: false))
            case .replicate:
                let words: [GossipConfiguration.Operation] = reader.choices(key, limit: 2)
                value = "[\(words.map(\.rawValue).joined(separator: ", "))]"
            }
            return Scenario.Setting(key: key.rawValue, value: value)
        }
    }

    private func arms() -> [Arm] {
        let arms: [Arm] = root.choices(.arms, limit: Arm.allCases.count)
        return arms.isEmpty ? [.off, .observe, .protect, .replicate] : arms
    }
}

/// `; did you mean 'near'?`, or what there is.
func hint(_ text: String, _ known: [String]) -> String {
    if let near = nearestName(to: text, among: known) { return "; did you mean '\(near)'?" }
    return known.isEmpty ? "" : "; there are \(known.prefix(20).joined(separator: ", "))"
}
