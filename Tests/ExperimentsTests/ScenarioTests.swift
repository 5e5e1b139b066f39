import Basics
import ClusterConfiguration
import Testing

@testable import Experiments

/// What files mean, and what is said of wrong ones.
@Suite struct ScenarioTests {
    @Test func theTemplateIsAValidScenario() throws {
        let scenario = try ScenarioText.read(ScenarioTemplate.text(name: "mine"))
        #expect(scenario.name == "mine")
        #expect(scenario.arms == [.off, .observe, .protect, .replicate])
        #expect(
            scenario.faults == [
                PlannedFault(
                    number: 1, start: .seconds(60), end: .seconds(360),
                    fault: .cut([Link(from: .broker(0), to: .node(1))]), text: "cut broker-a:0 → ns-2")
            ])
        #expect(scenario.checks.count == 4)
    }

    /// The lines that the template only suggests are as valid as those that it has.
    @Test func everySuggestionOfTheTemplateIsValid() throws {
        let suggestion = "  # - "
        let lines = ScenarioTemplate.text(name: "mine").split(separator: "\n")
        let faults = lines.filter { $0.hasPrefix(suggestion) }.map { "  - \($0.dropFirst(suggestion.count))" }
        let scenario = try ScenarioText.read(
            ScenarioText.minimal + "\nfaults:\n" + faults.joined(separator: "\n") + "\n")
        #expect(faults.count == 27)
        #expect(Set(scenario.faults.map(\.number)).count == 26, "all but the one that heals")
    }

    /// Whatever can be said is said in the template.
    @Test func theTemplateNamesEveryWord() {
        let text = ScenarioTemplate.text(name: "mine")
        for word in FaultKey.allCases { #expect(text.contains("\(word.rawValue):"), "\(word.rawValue)") }
        for figure in Figure.allCases { #expect(text.contains(figure.rawValue), "\(figure.rawValue)") }
        for key in ScenarioKey.allCases { #expect(text.contains("\(key.rawValue):"), "\(key.rawValue)") }
        for arm in Arm.allCases { #expect(text.contains("  \(arm.rawValue) "), "\(arm.rawValue)") }
    }

    @Test func whatIsLeftOutHasRocketMQsValues() throws {
        let scenario = try ScenarioText.read(
            "name: a\ntitle: b\nbrokers: [{group: broker-a}]\ntopics: [{name: T}]\n")
        #expect(
            scenario
                == Scenario(
                    name: "a", title: "b", question: "", timeScale: 10, duration: .seconds(600), seed: 1,
                    nodes: ["ns-1", "ns-2", "ns-3"].map { Scenario.Node(name: $0) },
                    replicas: [Scenario.Replica(group: "broker-a", id: 0)],
                    topics: [Scenario.Topic(name: "T", groups: ["broker-a"], queues: 4)], clients: [],
                    timings: Scenario.Timings(
                        heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), routePoll: .seconds(30),
                        gossipPeriod: .seconds(1)),
                    gossipSettings: [], nodeProperties: [], arms: [.off, .observe, .protect, .replicate], faults: [],
                    checks: []))
    }

    @Test func everySectionIsRead() throws {
        let scenario = try ScenarioText.read(
            """
            name: full
            title: A title
            question: >
              Over two
              lines?
            timeScale: 5
            duration: 90s
            seed: 7
            nodes: 2
            brokers:
              - group: a
                replicas: 2
              - {group: b}
            topics:
              - {name: T, queues: 2, groups: [b]}
              - {name: U}
            clients:
              producers: {count: 2, rate: 0.5, topic: U, avoidFaults: false}
              consumers: {readFromSlaves: false}
            timings: {heartbeat: 1s, scan: 2s, expiry: 10s, routePoll: 3s}
            gossip: {period: 2s, closeGrace: 0s, replicate: [perm, kv], gateUnknownTopics: true}
            nameserver: {waitSecondsForService: 20}
            arms: [protect, off]
            """)
        #expect(scenario.question == "Over two lines?")
        #expect(
            (scenario.timeScale, scenario.duration, scenario.seed, scenario.nodes.count) == (5, .seconds(90), 7, 2))
        #expect(scenario.replicas.map(\.name) == ["a:0", "a:1", "b:0"])
        #expect(scenario.topics.map(\.groups) == [["b"], ["a", "b"]])
        #expect(
            scenario.clients == [
                Scenario.Client(name: "producer-1", role: .producer(rate: 0.5, avoidsFaults: false), topic: "U"),
                Scenario.Client(name: "producer-2", role: .producer(rate: 0.5, avoidsFaults: false), topic: "U"),
                Scenario.Client(name: "consumer-1", role: .consumer(readsFromSlaves: false), topic: "T"),
            ])
        #expect(
            scenario.timings
                == Scenario.Timings(
                    heartbeat: .seconds(1), scan: .seconds(2), expiry: .seconds(10), routePoll: .seconds(3),
                    gossipPeriod: .seconds(2)))
        #expect(
            scenario.gossipSettings.map { "\($0.key): \($0.value)" }
                == ["closeGrace: 0ms", "replicate: [perm, kv]", "gateUnknownTopics: true"])
        #expect(scenario.nodeProperties == [Scenario.Setting(key: "waitSecondsForService", value: "20")])
        #expect(scenario.arms == [.protect, .off])
    }

    @Test(arguments: [
        // The minimal file is nine lines long.
        ("nodez: 3", "s.yaml:10: unknown key 'nodez' in the file; did you mean 'nodes'?"),
        ("seed: -1", "s.yaml:10: seed: -1 is out of range; 0 to \(Int.max)"),
        ("duration: 2d", "s.yaml:10: duration: 2d is out of range; 1s to 1d"),
        ("timeScale: 0", "s.yaml:10: timeScale: 0 is out of range; 1 to 100"),
        ("arms: [off, off]", "s.yaml:10: arms: 'off' is already given on line 10"),
        ("arms: [protekt]", "did you mean 'protect'?"),
        (
            "timeScale: 20",
            "s.yaml:1: gossip.period: a live run is 20 times faster (timeScale), and nodes compare every 100ms at most; "
                + "write 2s or more, or a smaller timeScale"
        ),
        ("timings: {expiry: 20s}", "timings.expiry: 20s must be longer than timings.heartbeat (30s)"),
        ("gossip: {mode: off}", "unknown key 'mode' in gossip"),
        ("nameserver: {enableTopicLists: true}", "did you mean 'enableTopicList'?"),
        ("question: [a]", "s.yaml:10: question: must be a single value, not a list"),
    ])
    func wrongFiles(line: String, message: String) {
        let faults = ScenarioText.faults(ScenarioText.minimal + "\n" + line + "\n")
        #expect(faults.contains { $0.hasSuffix(message) || $0.contains(message) }, "\(faults)")
        #expect(faults.count == 1, "\(faults)")
    }

    @Test func allFaultsOfAFileAreToldTogether() {
        let faults = ScenarioText.faults(
            """
            name: two words
            brokers:
              - group: a
                replica: 2
              - group: a
              - group: nodes
              - group: ns-1
            topics:
              - {name: T, groups: [c]}
              - {name: T}
            clients:
              producers: {rate: fast, topic: S}
            """)
        #expect(
            faults == [
                "s.yaml:1: name: 'two words' is no name; write 1 to 64 letters, digits or '-', a letter or digit first",
                "s.yaml:1: title is missing",
                "s.yaml:2: brokers: group 'nodes' has a name that means something else",
                "s.yaml:2: brokers: group 'ns-1' has a name that means something else",
                "s.yaml:4: unknown key 'replica' in brokers; did you mean 'replicas'?",
                "s.yaml:5: broker group 'a' is already used on line 3",
                "s.yaml:9: topics.groups: 'c' is no broker group; did you mean 'a'?",
                "s.yaml:10: topic 'T' is already used on line 9",
                "s.yaml:12: clients.producers.rate: 'fast' is no rate; write messages per second, 0.01 to 1000",
                "s.yaml:12: clients.producers.topic: 'S' is no topic of this file; did you mean 'T'?",
            ])
    }

    @Test func nothingThatIsNoScenarioTraps() {
        var generator = SeededGenerator(seed: 4)
        let text = Array(ScenarioTemplate.text(name: "mine").utf8)
        for _ in 0..<300 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 40)], at: place)
                }
            }
            // Whether it is valid is chance; that an answer comes is not.
            _ = try? Scenario.parse(bytes: bytes, fileName: "s.yaml")
        }
    }
}

/// Scenario files as text.
enum ScenarioText {
    /// What faults and checks can be added to: three nodes, two groups (the first with a slave), two producers, a consumer.
    static let minimal = """
        name: small
        title: A small one
        brokers:
          - {group: broker-a, replicas: 2}
          - {group: broker-b}
        topics: [{name: Orders}]
        clients:
          producers: {count: 2}
          consumers: {}
        """

    static func read(_ text: String) throws -> Scenario {
        try Scenario.parse(bytes: Array(text.utf8), fileName: "s.yaml")
    }

    /// What is wrong with the file, a line each.
    static func faults(_ text: String) -> [String] {
        do throws(ConfigurationErrors) {
            _ = try Scenario.parse(bytes: Array(text.utf8), fileName: "s.yaml")
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }
}
