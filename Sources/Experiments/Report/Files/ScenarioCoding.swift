/// A scenario as JSON, and back. Durations are seconds of scenario time.
enum ScenarioCoding {
    static func node(of scenario: Scenario) -> JSONNode {
        let names = PartyNames(scenario)
        return [
            "name": .string(scenario.name), "title": .string(scenario.title), "question": .string(scenario.question),
            "timeScale": .integer(scenario.timeScale), "duration": .seconds(scenario.duration),
            "seed": .integer(scenario.seed), "nodes": .strings(scenario.nodes.map(\.name)),
            "replicas": .array(scenario.replicas.map { ["group": .string($0.group), "id": .integer($0.id)] }),
            "topics": .array(
                scenario.topics.map {
                    ["name": .string($0.name), "groups": .strings($0.groups), "queues": .integer($0.queues)]
                }),
            "clients": .array(scenario.clients.map(node(of:))),
            "timings": [
                "heartbeat": .seconds(scenario.timings.heartbeat), "scan": .seconds(scenario.timings.scan),
                "expiry": .seconds(scenario.timings.expiry), "routePoll": .seconds(scenario.timings.routePoll),
                "gossipPeriod": .seconds(scenario.timings.gossipPeriod),
            ],
            "gossipSettings": node(of: scenario.gossipSettings),
            "nodeProperties": node(of: scenario.nodeProperties),
            "arms": .strings(scenario.arms.map(\.rawValue)),
            "faults": .array(
                scenario.faults.map {
                    [
                        "number": .integer($0.number), "text": .string($0.text), "start": .seconds($0.start),
                        "end": $0.end.map { .seconds($0) } ?? .null, "fault": FaultCoding(names).node(of: $0.fault),
                    ]
                }),
            "checks": .array(scenario.checks.map(node(of:))),
        ]
    }

    private static func node(of client: Scenario.Client) -> JSONNode {
        switch client.role {
        case .producer(let rate, let avoidsFaults):
            [
                "name": .string(client.name), "role": "producer", "topic": .string(client.topic),
                "rate": .number(rate), "avoidsFaults": .boolean(avoidsFaults),
            ]
        case .consumer(let readsFromSlaves):
            [
                "name": .string(client.name), "role": "consumer", "topic": .string(client.topic),
                "readsFromSlaves": .boolean(readsFromSlaves),
            ]
        }
    }

    private static func node(of settings: [Scenario.Setting]) -> JSONNode {
        .array(settings.map { ["key": .string($0.key), "value": .string($0.value)] })
    }

    private static func node(of check: Check) -> JSONNode {
        let bound: JSONNode =
            switch check.bound {
            case .atMost(let value): ["atMost": .number(value)]
            case .atLeast(let value): ["atLeast": .number(value)]
            case .atMostOf(let arm, let factor): ["atMostOf": .string(arm.rawValue), "factor": .number(factor)]
            }
        return [
            "text": .string(check.text), "figure": .string(check.figure.rawValue),
            "arms": .strings(check.arms.map(\.rawValue)), "bound": bound,
        ]
    }

    static func scenario(of node: JSONNode) throws(JSONFault) -> Scenario {
        var scenario = Scenario(
            name: try node["name"].text, title: try node["title"].text, question: try node["question"].text,
            timeScale: try node["timeScale"].integer(in: 1...Int.max), duration: try node["duration"].duration,
            seed: try node["seed"].integer(),
            nodes: try node["nodes"].list { (node: JSONNode) throws(JSONFault) in .init(name: try node.text) },
            replicas: try node["replicas"].list { (node: JSONNode) throws(JSONFault) in
                .init(group: try node["group"].text, id: try node["id"].integer())
            },
            topics: try node["topics"].list { (node: JSONNode) throws(JSONFault) in
                .init(
                    name: try node["name"].text,
                    groups: try node["groups"].list { (node: JSONNode) throws(JSONFault) in try node.text },
                    queues: try node["queues"].integer())
            },
            clients: try node["clients"].list(client(of:)), timings: try timings(of: try node["timings"]),
            gossipSettings: try settings(of: try node["gossipSettings"]),
            nodeProperties: try settings(of: try node["nodeProperties"]),
            arms: try node["arms"].list { (node: JSONNode) throws(JSONFault) in try node.word("arm") },
            faults: [], checks: try node["checks"].list(check(of:)))
        // Faults name parties, and so need everything else.
        let names = PartyNames(scenario)
        scenario.faults = try node["faults"].list { (node: JSONNode) throws(JSONFault) in
            PlannedFault(
                number: try node["number"].integer(), start: try node["start"].duration,
                end: try node.optional("end")?.duration, fault: try FaultCoding(names).fault(of: try node["fault"]),
                text: try node["text"].text)
        }
        return scenario
    }

    private static func client(of node: JSONNode) throws(JSONFault) -> Scenario.Client {
        let word = try node["role"].text
        let role: Scenario.Client.Role
        switch word {
        case "producer":
            role = .producer(rate: try node["rate"].double, avoidsFaults: try node["avoidsFaults"].flag)
        case "consumer": role = .consumer(readsFromSlaves: try node["readsFromSlaves"].flag)
        default: throw try node["role"].fault("\"\(word)\" is no role")
        }
        return Scenario.Client(name: try node["name"].text, role: role, topic: try node["topic"].text)
    }

    private static func timings(of node: JSONNode) throws(JSONFault) -> Scenario.Timings {
        Scenario.Timings(
            heartbeat: try node["heartbeat"].duration, scan: try node["scan"].duration,
            expiry: try node["expiry"].duration, routePoll: try node["routePoll"].duration,
            gossipPeriod: try node["gossipPeriod"].duration)
    }

    private static func settings(of node: JSONNode) throws(JSONFault) -> [Scenario.Setting] {
        try node.list { (node: JSONNode) throws(JSONFault) in
            Scenario.Setting(key: try node["key"].text, value: try node["value"].text)
        }
    }

    private static func check(of node: JSONNode) throws(JSONFault) -> Check {
        let bound: Check.Bound
        let given = try node["bound"]
        if let most = given.optional("atMost") {
            bound = .atMost(try most.double)
        } else if let least = given.optional("atLeast") {
            bound = .atLeast(try least.double)
        } else {
            bound = .atMostOf(try given["atMostOf"].word("arm"), factor: try given["factor"].double)
        }
        return Check(
            figure: try node["figure"].word("figure"),
            arms: try node["arms"].list { (node: JSONNode) throws(JSONFault) in try node.word("arm") }, bound: bound,
            text: try node["text"].text)
    }
}
