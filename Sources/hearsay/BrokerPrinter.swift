import Basics
import BrokerAgent
import FoundationEssentials

/// Prints what happens to a stand-in broker: one line a state change, for people or as JSON.
struct BrokerPrinter {
    var isJSON: Bool

    private struct Line: Encodable {
        var time = utcTimestamp()
        var event: String
        var text: String
        var nameServer: String?
        var state: String?
        var error: String?
        var failures: Int?
        var address: String?
        var topics: [String]?
        var stored: Int64?
        var delivered: Int64?
        var copied: Int64?
    }

    func started(_ identity: BrokerIdentity, nameServers: [Address]) {
        let role = identity.isMaster ? "master" : "slave \(identity.brokerID)"
        let servers = nameServers.isEmpty ? "none" : nameServers.map(\.description).joined(separator: ", ")
        var line = Line(
            event: "started",
            text: "broker \(identity.name) (\(role) of \(identity.cluster)) at \(identity.address); NameServers: "
                + "\(servers); a stand-in for demonstrations and experiments: messages are not stored on disk")
        line.address = "\(identity.address)"
        write(line)
    }

    func print(_ event: StandInBroker.Event) {
        switch event {
        case .nameServer(let change): write(line(for: change))
        case .master(let address):
            var line = Line(event: "master", text: address.map { "master is at \($0)" } ?? "no master is known")
            line.address = address?.description
            write(line)
        case .copying(let master, let isCopying, let reason):
            let text = isCopying ? "copying from \(master)" : "stopped copying from \(master): \(reason)"
            var line = Line(event: isCopying ? "copying" : "copying-stopped", text: text)
            line.address = "\(master)"
            line.error = isCopying ? nil : reason
            write(line)
        case .topicsChanged(let names):
            let some = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
            var line = Line(
                event: "topics", text: "\(names.count) topic\(names.count == 1 ? "" : "s") changed: \(some)")
            line.topics = names
            write(line)
        }
    }

    func stopping() { write(Line(event: "stopping", text: "unregistering")) }

    func stopped(_ counters: BrokerCore.Counters) {
        var line = Line(
            event: "stopped",
            text:
                "stopped; stored \(counters.stored), delivered \(counters.delivered), copied \(counters.copied) messages"
        )
        line.stored = counters.stored
        line.delivered = counters.delivered
        line.copied = counters.copied
        write(line)
    }

    private func line(for change: RegistrationAgent.Change) -> Line {
        let reason = change.state.lastError.map { ": \($0)" } ?? ""
        let (event, text) =
            switch change.state.phase {
            case .registered where change.from == .starting: ("registered", "registered")
            case .registered: ("back", "back, registered again")
            case .refused: ("refused", "refuses\(reason)")
            case .unreachable: ("unreachable", "unreachable\(reason)")
            case .unregistered: ("unregistered", "unregistered")
            case .starting: ("starting", "starting")
            }
        var line = Line(event: event, text: "NameServer \(change.nameServer) \(text)")
        line.nameServer = "\(change.nameServer)"
        line.state = change.state.phase.rawValue
        line.failures = change.state.consecutiveFailures
        if change.state.phase != .registered { line.error = change.state.lastError?.description }
        return line
    }

    private func write(_ line: Line) {
        guard isJSON else { return printLine("\(line.time) \(line.text)") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A struct of strings and numbers always encodes.
        guard let data = try? encoder.encode(line) else { return }
        printLine(String(decoding: data, as: UTF8.self))
    }
}
