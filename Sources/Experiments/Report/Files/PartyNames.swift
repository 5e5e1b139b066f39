/// What the files call parties and faults: names, which stay when the scenario's lists change.
struct PartyNames {
    private let scenario: Scenario
    private var parties: [String: Party] = [:]
    private var faults: [String: Int] = [:]
    /// The name of each of `Scenario.faults`: its number in the file, and for one that repeats also which time: `2`, `3/1`, `3/2`.
    let faultNames: [String]

    init(_ scenario: Scenario) {
        self.scenario = scenario
        var times: [Int: Int] = [:]
        for fault in scenario.faults { times[fault.number, default: 0] += 1 }
        var seen: [Int: Int] = [:]
        faultNames = scenario.faults.map { fault in
            if times[fault.number] == 1 { return String(fault.number) }
            seen[fault.number, default: 0] += 1
            return "\(fault.number)/\(seen[fault.number]!)"
        }
        for (index, name) in faultNames.enumerated() { faults[name] = index }
        let everybody =
            scenario.nodes.indices.map(Party.node) + scenario.replicas.indices.map(Party.broker)
            + scenario.clients.indices.map(Party.client)
        for party in everybody { parties[scenario.name(of: party)] = party }
    }

    func name(_ party: Party) -> JSONNode { .string(scenario.name(of: party)) }
    func node(_ index: Int) -> JSONNode { name(.node(index)) }
    func broker(_ index: Int) -> JSONNode { name(.broker(index)) }
    func client(_ index: Int) -> JSONNode { name(.client(index)) }
    func fault(_ index: Int) -> JSONNode { .string(faultNames[index]) }

    func party(_ node: JSONNode) throws(JSONFault) -> Party {
        guard let party = parties[try node.text] else { throw node.fault("nobody is called \"\(try node.text)\"") }
        return party
    }

    func nodeIndex(_ node: JSONNode) throws(JSONFault) -> Int {
        guard case .node(let index) = try party(node) else { throw node.fault("\"\(try node.text)\" is no node") }
        return index
    }

    func brokerIndex(_ node: JSONNode) throws(JSONFault) -> Int {
        guard case .broker(let index) = try party(node) else { throw node.fault("\"\(try node.text)\" is no broker") }
        return index
    }

    func clientIndex(_ node: JSONNode) throws(JSONFault) -> Int {
        guard case .client(let index) = try party(node) else { throw node.fault("\"\(try node.text)\" is no client") }
        return index
    }

    func faultIndex(_ node: JSONNode) throws(JSONFault) -> Int {
        guard let index = faults[try node.text] else { throw node.fault("no fault is called \"\(try node.text)\"") }
        return index
    }
}
