import Basics
import ClusterConfiguration

private enum KeyValueKey: String, SectionKey {
    case namespace, key, value
    static let section = "the key-value pair"
}

/// What one entry says goes wrong, apart from when.
struct FaultContent {
    /// One fault of the entry; several when its parties are hit one after the other.
    struct Part {
        var fault: Fault
        var text: String
    }

    let entry: MappingReader<FaultKey>
    let kind: FaultKey
    let scenario: Scenario
    let words: PartyWords

    /// Empty once something wrong was reported.
    func read() -> [Part] {
        switch kind {
        case .cut: onLinks { .cut($0) }
        case .delay: delay()
        case .loss: onLinks(perMille) { .loss($0, perMille: $1) }
        case .duplicate: onLinks(perMille) { .duplicate($0, perMille: $1) }
        case .bandwidth: bandwidth()
        case .reset: onLinks { .reset($0) }
        case .halfOpen: onLinks { .halfOpen($0) }
        case .partition: partition()
        case .kill: kill()
        case .stop: onParties("stop") { .stop($0) }
        case .powerLoss: onParties("power loss of") { .powerLoss($0) }
        case .pause: onParties("pause") { .pause($0) }
        case .clockJump: clockJump()
        case .clockDrift: clockDrift()
        case .move: onBroker { broker, name in [Part(fault: .move(broker: broker), text: "\(name) moves")] }
        case .unregister, .strayUnregister: unregister()
        case .createTopic: createTopic()
        case .putKeyValue, .deleteKeyValue: keyValue()
        case .wipeWritePermission: wipeWritePermission()
        case .diskFull:
            parties(.diskFull, of: "node").map { parties, shown in
                [Part(fault: .diskFull(parties.compactMap(\.node)), text: "disk full at \(shown)")]
            } ?? []
        default: preconditionFailure("\(kind) is no fault with content")
        }
    }

    // MARK: - Links

    /// The texts under a key: one, or a list of them.
    private func texts(_ key: FaultKey) -> [(text: String, line: Int)] {
        guard let node = entry.node(key) else {
            entry.report(key, "is empty")
            return []
        }
        let items: [YAMLNode] = if case .sequence(let items) = node.content { items } else { [node] }
        if items.isEmpty { entry.report(key, "is empty") }
        return items.prefix(64).compactMap { item in
            if case .scalar(let text, _) = item.content, !item.isNull { return (text, item.line) }
            entry.log.report(item.line, "faults.\(key.rawValue): must be a word or a list of words, not \(item.kind)")
            return nil
        }
    }

    private func links() -> (links: [Link], shown: String)? {
        let texts = texts(kind)
        var found: [Link] = []
        var seen: Set<Link> = []
        for (text, line) in texts {
            do throws(ValueFault) {
                found += try words.links(text).filter { seen.insert($0).inserted }
            } catch {
                entry.log.report(line, "faults.\(kind.rawValue): \(quoted(text)) \(error.message)")
            }
        }
        let shown = texts.map { PartyWords.shown($0.text) }.joined(separator: ", ")
        return found.isEmpty ? nil : (found, clipped(shown))
    }

    private func onLinks(_ make: ([Link]) -> Fault) -> [Part] {
        guard let (links, shown) = links() else { return [] }
        return [Part(fault: make(links), text: "\(kind == .halfOpen ? "half-open" : kind.rawValue) \(shown)")]
    }

    private func onLinks(_ amount: Int, _ make: ([Link], Int) -> Fault) -> [Part] {
        guard let (links, shown) = links() else { return [] }
        let percent = amount % 10 == 0 ? "\(amount / 10)" : "\(amount / 10).\(amount % 10)"
        return [Part(fault: make(links, amount), text: "\(kind.rawValue) of \(percent) % on \(shown)")]
    }

    /// `percent`, in tenths of it.
    private var perMille: Int {
        guard entry.isGiven(.percent), let text = entry.text(.percent) else {
            entry.report(.percent, "is missing: how many of a hundred")
            return 0
        }
        let number = text.last == "%" ? String(text.dropLast()).trimmed : text
        guard let percent = Double(number), (0.1...100).contains(percent) else {
            entry.report(.percent, "\(quoted(text)) is no percentage; write 0.1 to 100")
            return 0
        }
        return Int((percent * 10).rounded())
    }

    private func delay() -> [Part] {
        guard required(.by, "by how much, as in 200ms") else { return [] }
        let range = Duration.milliseconds(1)...Duration.seconds(600)
        let delay = entry.duration(.by, in: range, default: .milliseconds(200))
        let jitter = entry.duration(.jitter, in: .zero ... .seconds(600), default: .zero)
        guard let (links, shown) = links() else { return [] }
        let spread = jitter > .zero ? " ± \(jitter.text)" : ""
        return [Part(fault: .delay(links, by: delay, jitter: jitter), text: "delay \(shown) by \(delay.text)\(spread)")]
    }

    private func bandwidth() -> [Part] {
        guard required(.bytesPerSecond, "how many, as in 20KiB") else { return [] }
        let bytes = entry.byteSize(.bytesPerSecond, in: 1...(1 << 30), default: 20 << 10)
        guard let (links, shown) = links() else { return [] }
        return [
            Part(fault: .bandwidth(links, bytesPerSecond: bytes), text: "\(ByteSize.text(bytes))/s on \(shown)")
        ]
    }

    private func partition() -> [Part] {
        guard let shape = PartitionShape(entry, scenario, words) else { return [] }
        let links = shape.cutLinks(words)
        guard !links.isEmpty else {
            entry.report(.partition, "separates nobody")
            return []
        }
        return [Part(fault: .cut(links), text: clipped(shape.text))]
    }

    // MARK: - Parties

    /// Those whom the texts under a key name, of one kind or nodes and brokers.
    private func parties(_ key: FaultKey, of noun: String? = nil) -> (parties: [Party], shown: String)? {
        let texts = texts(key)
        var found: [Party] = []
        for (text, line) in texts {
            do throws(ValueFault) {
                for party in try words.parties(text) where !found.contains(party) {
                    guard noun.map({ $0 == party.noun }) ?? (party.noun != "client") else {
                        throw ValueFault(
                            "is no \(noun ?? "node or broker"); \(scenario.name(of: party)) is a \(party.noun)")
                    }
                    found.append(party)
                }
            } catch {
                entry.log.report(line, "faults.\(key.rawValue): \(quoted(text)) \(error.message)")
                return nil
            }
        }
        if found.isEmpty, !texts.isEmpty, !(key == .reaches && texts.allSatisfy { $0.text == PartyWords.nobody }) {
            entry.report(key, "names nobody")
            return nil
        }
        return texts.isEmpty ? nil : (found, clipped(texts.map { PartyWords.shown($0.text) }.joined(separator: ", ")))
    }

    /// All at once, or one after the other where `apart` says so.
    private func onParties(_ verb: String, _ make: ([Party]) -> Fault) -> [Part] {
        guard let (parties, shown) = parties(kind) else { return [] }
        guard entry.isGiven(.apart) else { return [Part(fault: make(parties), text: "\(verb) \(shown)")] }
        return parties.map { Part(fault: make([$0]), text: "\(verb) \(scenario.name(of: $0))") }
    }

    private func kill() -> [Part] {
        let keepsState = entry.boolean(.keepsState, default: true)
        let parts = onParties("kill") { .kill($0, keepsState: keepsState) }
        return keepsState ? parts : parts.map { Part(fault: $0.fault, text: $0.text + ", state lost") }
    }

    private func clockJump() -> [Part] {
        guard required(.by, "by how much, as in 1h or -1h"), let text = entry.text(.by) else { return [] }
        let isBack = text.hasPrefix("-")
        guard let size = Duration(text: isBack ? String(text.dropFirst()) : text), size > .zero,
            size <= .seconds(864_000_000)
        else {
            entry.report(.by, "\(quoted(text)) is no jump; write a whole number and ms, s, m, h or d, as in 1h or -1h")
            return []
        }
        return onParties("clock jumps by \(isBack ? "-" : "")\(size.text) at") {
            .clockJump($0, by: isBack ? .zero - size : size)
        }
    }

    private func clockDrift() -> [Part] {
        guard required(.perMillion, "how much faster (or, below 0, slower), in parts per million") else { return [] }
        let drift = entry.integer(.perMillion, in: -500_000...500_000, default: 500)
        return onParties("clock drifts by \(drift) ppm at") { .clockDrift($0, perMillion: drift) }
    }

    // MARK: - Brokers and operators

    private func onBroker(_ make: (Int, String) -> [Part]) -> [Part] {
        guard let (parties, _) = parties(kind, of: "broker") else { return [] }
        guard parties.count == 1, let broker = parties[0].broker else {
            entry.report(
                kind, "names \(parties.count) brokers; name one, as in \(scenario.replicas.first?.name ?? "a:0")")
            return []
        }
        return make(broker, scenario.replicas[broker].name)
    }

    /// The nodes reached, and ` at ns-1 only`; without the key all of them, where that is allowed.
    private func reached(orAll: Bool) -> (nodes: [Int], shown: String)? {
        guard entry.isGiven(.reaches) else {
            if orAll { return (Array(scenario.nodes.indices), "") }
            entry.report(.reaches, "is missing: which nodes hear it, or nobody")
            return nil
        }
        return parties(.reaches, of: "node").map { parties, shown in
            (parties.compactMap(\.node).sorted(), parties.count < scenario.nodes.count ? " at \(shown) only" : "")
        }
    }

    private func unregister() -> [Part] {
        guard let (nodes, shown) = reached(orAll: false) else { return [] }
        return onBroker { broker, name in
            kind == .unregister
                ? [
                    Part(
                        fault: .unregister(broker: broker, at: nodes),
                        text: "\(name) ends, unregistering\(nodes.isEmpty ? " nowhere" : shown)")
                ]
                : [
                    Part(
                        fault: .strayUnregister(broker: broker, at: nodes),
                        text: "stray unregistration of \(name)\(shown)")
                ]
        }
    }

    private func createTopic() -> [Part] {
        guard let topic = entry.requiredName(.topic, .topic)?.value else { return [] }
        return onBroker { broker, name in
            [Part(fault: .createTopic(broker: broker, name: topic), text: "\(name) creates topic \(topic)")]
        }
    }

    private func keyValue() -> [Part] {
        let pair: MappingReader<KeyValueKey> = entry.mapping(kind)
        let namespace = pair.name(.namespace, .topic, default: "ORDER_TOPIC_CONFIG")
        let key = pair.requiredName(.key, .topic)?.value
        guard let (nodes, shown) = reached(orAll: true), let key else { return [] }
        guard kind == .putKeyValue else {
            if pair.isGiven(.value) { pair.report(.value, "has no meaning for deleteKeyValue") }
            let fault = Fault.deleteKeyValue(namespace: namespace, key: key, at: nodes)
            return [Part(fault: fault, text: "delete \(namespace)/\(key)\(shown)")]
        }
        guard pair.isGiven(.value), let value = pair.text(.value), value.utf8.count <= 1_024 else {
            pair.report(.value, "is missing, or longer than 1024 bytes")
            return []
        }
        let fault = Fault.putKeyValue(namespace: namespace, key: key, value: value, at: nodes)
        return [Part(fault: fault, text: clipped("put \(namespace)/\(key)\(shown)"))]
    }

    private func wipeWritePermission() -> [Part] {
        guard let text = entry.text(.wipeWritePermission), let (nodes, shown) = reached(orAll: true) else { return [] }
        let groups = scenario.replicas.filter { $0.id == 0 }.map(\.group)
        guard groups.contains(text) else {
            entry.report(.wipeWritePermission, "\(quoted(text)) is no broker group\(hint(text, groups))")
            return []
        }
        let fault = Fault.wipeWritePermission(group: text, at: nodes)
        return [Part(fault: fault, text: "wipe write permission of \(text)\(shown)")]
    }

    private func required(_ key: FaultKey, _ what: String) -> Bool {
        if !entry.isGiven(key) { entry.report(key, "is missing: \(what)") }
        return entry.isGiven(key)
    }

    /// A line of the report has no room for more.
    private func clipped(_ text: String) -> String { text.count > 120 ? text.prefix(119) + "…" : text }
}

extension Party {
    /// What it is.
    var noun: String {
        switch self {
        case .node: "node"
        case .broker: "broker"
        case .client: "client"
        }
    }

    /// The node's index.
    var node: Int? { if case .node(let index) = self { index } else { nil } }
    /// The replica's index.
    var broker: Int? { if case .broker(let index) = self { index } else { nil } }
}

extension String {
    /// Without blanks at both ends.
    var trimmed: String {
        let tail = drop { $0.isWhitespace }
        return String(tail.reversed().drop { $0.isWhitespace }.reversed())
    }
}
