// `/api/stream`: what happens, as server-sent events.
//
//     table     a change of the tables, as in /api/events; its id is the event's number, so that a reader who comes back
//               (Last-Event-ID) gets those of the last 64 that it missed
//     gossip    what gossip found: divergences reported and healed, peers up and down, the node's own state
//     summary   every second, and at the beginning: totals, counters, readiness
//     gap       so many table and gossip events were left out of a storm

import Basics
import GossipCore
import HTTPServer
import NameServerCore
import Platform
import Remoting

/// Sends each event once to all readers. Costs nothing while there are none.
final class EventFeed {
    /// How long events wait for more of them: a storm of registrations is a few writes, not thousands.
    private static let patience = Duration.milliseconds(20)
    /// Bytes of events that wait at most; further ones are only counted.
    private static let pendingBytes = 128 << 10

    private unowned let shell: HTTPShell
    private var streams: [ObjectIdentifier: HTTPEventStream] = [:]
    private var pending = ByteWriter()
    private var omitted = 0
    private var isScheduled = false
    private lazy var flushTimer = platform.makeTimer { [weak self] in self?.flush() }
    private lazy var summaryTimer = platform.makeTimer { [weak self] in self?.summarise() }

    private var platform: any Platform { shell.node.platform }

    init(_ shell: HTTPShell) { self.shell = shell }

    func open(_ request: HTTPRequest, _ reply: HTTPReply) {
        // What waits is for those who were here before.
        flush()
        guard let stream = reply.openEventStream() else { return }
        let id = ObjectIdentifier(stream)
        if streams.isEmpty { summaryTimer.start(at: platform.now + shell.options.summaryInterval) }
        streams[id] = stream
        stream.onClosed = { [weak self] in self?.closed(id) }
        var output = ByteWriter()
        if let last = (request.field("last-event-id") ?? request.parameter("since")).flatMap({ UInt64($0) }) {
            shell.node.inspectTables { tables in
                for event in tables.events(since: last) { append(event, tables, &output) }
            }
        }
        output.appendEvent("summary") { appendSummary(&$0) }
        stream.send(output)
    }

    func stop() {
        flushTimer.cancel()
        summaryTimer.cancel()
        for stream in streams.values { stream.close() }
    }

    private func closed(_ id: ObjectIdentifier) {
        streams[id] = nil
        guard streams.isEmpty else { return }
        summaryTimer.cancel()
        flushTimer.cancel()
        pending.removeAll()
        (omitted, isScheduled) = (0, false)
    }

    // MARK: What happens

    func publish(_ event: TableEvent) {
        guard hasRoom() else { return }
        shell.node.inspectTables { append(event, $0, &pending) }
    }

    func publish(_ event: GossipEvent) {
        guard hasRoom() else { return }
        pending.appendEvent("gossip") { encode(event, &$0) }
    }

    private func hasRoom() -> Bool {
        if streams.isEmpty { return false }
        if !isScheduled {
            isScheduled = true
            flushTimer.start(at: platform.now + Self.patience)
        }
        guard pending.count < Self.pendingBytes else {
            omitted += 1
            return false
        }
        return true
    }

    private func append(_ event: TableEvent, _ tables: borrowing NameServer, _ output: inout ByteWriter) {
        output.appendEvent("table", id: event.sequence) { tables.encodeEvent(event, into: &$0) }
    }

    private func encode(_ event: GossipEvent, _ output: inout ByteWriter) {
        output.append("{\"wallMillis\":")
        output.append(decimal: platform.wallTime.milliseconds)
        var members = [
            ("kind", event.kind.rawValue), ("level", event.level == .warning ? "warning" : "info"),
            ("text", event.text),
        ]
        if let peer = event.peer { members.append(("peer", peer)) }
        if let kind = event.divergence { members.append(("divergence", kind.name)) }
        if let replica = event.replica {
            members += [("broker", replica.name), ("cluster", replica.cluster), ("address", replica.address)]
            output.append(",\"id\":")
            output.append(decimal: replica.id)
        }
        for (name, value) in members {
            output.append(",\"")
            output.append(utf8: name)
            output.append("\":")
            output.appendJSON(string: value, dialect: .standard)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func appendSummary(_ output: inout ByteWriter) {
        output.append(UInt8(ascii: "{"))
        shell.appendSummary(&output)
        output.append(UInt8(ascii: "}"))
    }

    // MARK: Sending

    private func flush() {
        isScheduled = false
        flushTimer.cancel()
        if omitted > 0 {
            let count = omitted
            pending.appendEvent("gap") { output in
                output.append("{\"omitted\":")
                output.append(decimal: count)
                output.append(UInt8(ascii: "}"))
            }
            omitted = 0
        }
        guard pending.count > 0 else { return }
        for stream in streams.values { stream.send(pending) }
        pending.removeAll()
        pending.shrink(to: 4 << 10)
    }

    private func summarise() {
        flush()
        var output = ByteWriter()
        output.appendEvent("summary") { appendSummary(&$0) }
        for stream in streams.values { stream.send(output) }
        summaryTimer.start(at: platform.now + shell.options.summaryInterval)
    }
}
