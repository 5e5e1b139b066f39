/// A fault as JSON: an object with the fault's name and what it is about, `{"cut": [{"from": "broker-a:0", "to": "ns-2"}]}`.
struct FaultCoding {
    private let names: PartyNames

    init(_ names: PartyNames) { self.names = names }

    func node(of fault: Fault) -> JSONNode {
        switch fault {
        case .cut(let links): ["kind": "cut", "links": node(of: links)]
        case .delay(let links, let by, let jitter):
            ["kind": "delay", "links": node(of: links), "by": .seconds(by), "jitter": .seconds(jitter)]
        case .loss(let links, let perMille):
            ["kind": "loss", "links": node(of: links), "perMille": .integer(perMille)]
        case .duplicate(let links, let perMille):
            ["kind": "duplicate", "links": node(of: links), "perMille": .integer(perMille)]
        case .bandwidth(let links, let bytes):
            ["kind": "bandwidth", "links": node(of: links), "bytesPerSecond": .integer(bytes)]
        case .reset(let links): ["kind": "reset", "links": node(of: links)]
        case .halfOpen(let links): ["kind": "halfOpen", "links": node(of: links)]
        case .kill(let parties, let keepsState):
            ["kind": "kill", "parties": node(of: parties), "keepsState": .boolean(keepsState)]
        case .stop(let parties): ["kind": "stop", "parties": node(of: parties)]
        case .powerLoss(let parties): ["kind": "powerLoss", "parties": node(of: parties)]
        case .pause(let parties): ["kind": "pause", "parties": node(of: parties)]
        case .clockJump(let parties, let by):
            ["kind": "clockJump", "parties": node(of: parties), "by": .seconds(by)]
        case .clockDrift(let parties, let perMillion):
            ["kind": "clockDrift", "parties": node(of: parties), "perMillion": .integer(perMillion)]
        case .move(let broker): ["kind": "move", "broker": names.broker(broker)]
        case .unregister(let broker, let nodes):
            ["kind": "unregister", "broker": names.broker(broker), "at": node(ofNodes: nodes)]
        case .strayUnregister(let broker, let nodes):
            ["kind": "strayUnregister", "broker": names.broker(broker), "at": node(ofNodes: nodes)]
        case .createTopic(let broker, let name):
            ["kind": "createTopic", "broker": names.broker(broker), "name": .string(name)]
        case .putKeyValue(let namespace, let key, let value, let nodes):
            [
                "kind": "putKeyValue", "namespace": .string(namespace), "key": .string(key), "value": .string(value),
                "at": node(ofNodes: nodes),
            ]
        case .deleteKeyValue(let namespace, let key, let nodes):
            [
                "kind": "deleteKeyValue", "namespace": .string(namespace), "key": .string(key),
                "at": node(ofNodes: nodes),
            ]
        case .wipeWritePermission(let group, let nodes):
            ["kind": "wipeWritePermission", "group": .string(group), "at": node(ofNodes: nodes)]
        case .diskFull(let nodes): ["kind": "diskFull", "at": node(ofNodes: nodes)]
        }
    }

    private func node(of links: [Link]) -> JSONNode {
        .array(links.map { ["from": names.name($0.from), "to": names.name($0.to)] })
    }

    private func node(of parties: [Party]) -> JSONNode { .array(parties.map(names.name)) }
    private func node(ofNodes nodes: [Int]) -> JSONNode { .array(nodes.map(names.node)) }

    func fault(of node: JSONNode) throws(JSONFault) -> Fault {
        let kind = try node["kind"].text
        switch kind {
        case "cut": return .cut(try links(node))
        case "delay":
            return .delay(try links(node), by: try node["by"].duration, jitter: try node["jitter"].duration)
        case "loss": return .loss(try links(node), perMille: try node["perMille"].integer())
        case "duplicate": return .duplicate(try links(node), perMille: try node["perMille"].integer())
        case "bandwidth": return .bandwidth(try links(node), bytesPerSecond: try node["bytesPerSecond"].integer())
        case "reset": return .reset(try links(node))
        case "halfOpen": return .halfOpen(try links(node))
        case "kill": return .kill(try parties(node), keepsState: try node["keepsState"].flag)
        case "stop": return .stop(try parties(node))
        case "powerLoss": return .powerLoss(try parties(node))
        case "pause": return .pause(try parties(node))
        case "clockJump": return .clockJump(try parties(node), by: try node["by"].duration)
        case "clockDrift": return .clockDrift(try parties(node), perMillion: try node["perMillion"].integer())
        case "move": return .move(broker: try broker(node))
        case "unregister": return .unregister(broker: try broker(node), at: try nodes(node))
        case "strayUnregister": return .strayUnregister(broker: try broker(node), at: try nodes(node))
        case "createTopic": return .createTopic(broker: try broker(node), name: try node["name"].text)
        case "putKeyValue":
            return .putKeyValue(
                namespace: try node["namespace"].text, key: try node["key"].text, value: try node["value"].text,
                at: try nodes(node))
        case "deleteKeyValue":
            return .deleteKeyValue(
                namespace: try node["namespace"].text, key: try node["key"].text, at: try nodes(node))
        case "wipeWritePermission":
            return .wipeWritePermission(group: try node["group"].text, at: try nodes(node))
        case "diskFull": return .diskFull(try nodes(node))
        default: throw try node["kind"].fault("no fault is called \"\(kind)\"")
        }
    }

    private func links(_ node: JSONNode) throws(JSONFault) -> [Link] {
        try node["links"].list { (link: JSONNode) throws(JSONFault) in
            Link(from: try names.party(try link["from"]), to: try names.party(try link["to"]))
        }
    }

    private func parties(_ node: JSONNode) throws(JSONFault) -> [Party] { try node["parties"].list(names.party) }
    private func nodes(_ node: JSONNode) throws(JSONFault) -> [Int] { try node["at"].list(names.nodeIndex) }
    private func broker(_ node: JSONNode) throws(JSONFault) -> Int { try names.brokerIndex(try node["broker"]) }
}
