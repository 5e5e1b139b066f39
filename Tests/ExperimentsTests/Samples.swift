import Basics

@testable import Experiments

extension Scenario {
    /// Two groups of which one has a slave, three nodes, a producer and a consumer; a cut link that heals.
    static let sample = Scenario(
        name: "sample", title: "A link is cut", question: "Does anybody lose a broker?", timeScale: 10,
        duration: .seconds(600), seed: 1, nodes: ["ns-1", "ns-2", "ns-3"].map { Node(name: $0) },
        replicas: [
            Replica(group: "broker-a", id: 0), Replica(group: "broker-a", id: 1), Replica(group: "broker-b", id: 0),
        ],
        topics: [Topic(name: "Orders", groups: ["broker-a", "broker-b"], queues: 4)],
        clients: [
            Client(name: "producer-1", role: .producer(rate: 5, avoidsFaults: true), topic: "Orders"),
            Client(name: "consumer-1", role: .consumer(readsFromSlaves: true), topic: "Orders"),
        ],
        timings: Timings(
            heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), routePoll: .seconds(30),
            gossipPeriod: .seconds(1)),
        gossipSettings: [], nodeProperties: [], arms: [.off, .protect],
        faults: [
            PlannedFault(
                number: 1, start: .seconds(60), end: .seconds(360),
                fault: .cut([Link(from: .broker(0), to: .node(1))]), text: "cut broker-a:0 → ns-2")
        ],
        checks: [
            Check(
                figure: .falseEvictions, arms: [.protect], bound: .atMost(0), text: "falseEvictions: 0 in protect")
        ])
}
