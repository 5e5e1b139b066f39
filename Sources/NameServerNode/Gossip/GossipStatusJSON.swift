import Basics
import GossipCore
import NameServerCore
import Remoting

// The answer to GET_GOSSIP_STATUS (29002): one node's account of its peers and of how their tables differ, as JSON.

extension GossipShell {
    func encodeStatus(into output: inout ByteWriter) {
        let status = core.pointee.status(tables: node.hot.pointee.core, now: now)
        let settings = options.settings
        let learned = status.replicas.count { $0.source == .learned }
        let protected = status.replicas.count { $0.source == .protected }
        output.object { object, output in
            object.text("node", settings.node, &output)
            object.text("mode", settings.mode.name, &output)
            object.text("state", status.state.name, &output)
            object.text("label", settings.label, &output)
            object.text("incarnation", hexadecimal(core.pointee.incarnation), &output)
            object.number("protocol", Int64(GossipFrame.version), &output)
            object.number("uptimeMillis", status.uptime.wholeMilliseconds, &output)
            object.number("localHealth", Int64(status.localHealth), &output)
            object.number("stallMillis", status.stalled.wholeMilliseconds, &output)
            object.list("peers", status.peers.enumerated(), &output) { encode($0.element, $0.offset, &$1) }
            object.list("divergences", status.divergences, &output) { encode($0, &$1) }
            object.list("brokers", status.replicas, &output) { encode($0, &$1) }
            object.member("totals", &output) { output in
                output.object { totals, output in
                    totals.number("protected", Int64(protected), &output)
                    totals.number("learned", Int64(learned), &output)
                    totals.number("tombstones", Int64(status.tombstones), &output)
                    totals.number("floors", Int64(status.floors), &output)
                    totals.number("divergences", Int64(status.divergences.count), &output)
                }
            }
            object.member("counters", &output) { output in
                output.object { counters, output in
                    for (name, value) in core.pointee.counters.named { counters.number(name, Int64(value), &output) }
                    counters.number("droppedSends", Int64(droppedSends), &output)
                }
            }
        }
    }

    /// Appends what gossip knows of one broker group: `mode`, `state`, and the entries of `encodeStatus` that are about it.
    func encodeAccount(of group: String, into output: inout ByteWriter) {
        let status = core.pointee.status(tables: node.hot.pointee.core, now: now)
        output.object { object, output in
            object.text("mode", options.settings.mode.name, &output)
            object.text("state", status.state.name, &output)
            object.list("brokers", status.replicas.filter { $0.identity.name == group }, &output) { encode($0, &$1) }
            object.list("divergences", status.divergences.filter { $0.replica?.name == group }, &output) {
                encode($0, &$1)
            }
        }
    }

    private func encode(_ peer: GossipStatus.Peer, _ index: Int, _ output: inout ByteWriter) {
        output.object { object, output in
            object.text("name", peer.name, &output)
            if let address = peerAddress(index) { object.text("address", address.description, &output) }
            object.boolean("connected", peer.isConnected, &output)
            if let incarnation = peer.incarnation { object.text("incarnation", hexadecimal(incarnation), &output) }
            if let digest = peer.digest {
                object.text("mode", digest.mode.name, &output)
                object.text("state", digest.state.name, &output)
                object.number("brokers", Int64(digest.replicas), &output)
                object.number("late", Int64(digest.late), &output)
            }
            if let agrees = peer.agrees { object.boolean("agrees", agrees, &output) }
            if let since = peer.sinceExchange {
                object.number("lastExchangeMillis", since.wholeMilliseconds, &output)
                object.number("roundTripMicros", peer.roundTrip.wholeNanoseconds / 1_000, &output)
            }
            if let uncertainty = peer.offsetUncertainty {
                object.number("offsetUncertaintyMicros", uncertainty.wholeNanoseconds / 1_000, &output)
            }
            object.number("stallMillis", peer.stalled.wholeMilliseconds, &output)
            object.number("exchanges", Int64(peer.exchanges), &output)
            if let problem = peer.problem { object.text("problem", problem, &output) }
        }
    }

    private func encode(_ divergence: Divergence, _ output: inout ByteWriter) {
        output.object { object, output in
            object.text("kind", divergence.kind.name, &output)
            object.text("peer", divergence.peer, &output)
            if let replica = divergence.replica { object.identity(replica, name: "broker", &output) }
            object.number("sinceMillis", (now - divergence.since).wholeMilliseconds, &output)
            object.boolean("reported", divergence.isReported, &output)
            object.text("text", divergence.text, &output)
            object.text("advice", divergence.advice, &output)
        }
    }

    private func encode(_ replica: GossipStatus.Replica, _ output: inout ByteWriter) {
        let origin = node.inspectTables { $0.learned(replica.identity)?.origin }
        output.object { object, output in
            object.identity(replica.identity, name: "name", &output)
            object.text("source", replica.source.rawValue, &output)
            if let age = replica.age { object.number("ageMillis", age.wholeMilliseconds, &output) }
            object.number("timeoutMillis", replica.timeout.wholeMilliseconds, &output)
            if let remaining = replica.remaining { object.number("heldMillis", remaining.wholeMilliseconds, &output) }
            if let origin { object.text("origin", origin, &output) }
            object.boolean("provisional", replica.isProvisional, &output)
            object.list("evidence", replica.evidence, &output) { testimony, output in
                output.object { object, output in
                    object.text("peer", testimony.peer, &output)
                    object.number("ageMillis", testimony.age.wholeMilliseconds, &output)
                    object.boolean("connected", testimony.isConnected, &output)
                }
            }
        }
    }

    private func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The members of one JSON object, with commas between them.
private struct ObjectMembers {
    private var isFirst = true

    mutating func member(_ name: StaticString, _ output: inout ByteWriter, _ value: (inout ByteWriter) -> Void) {
        key("\(name)", &output)
        value(&output)
    }

    mutating func text(_ name: String, _ value: String, _ output: inout ByteWriter) {
        key(name, &output)
        output.appendJSON(string: value, dialect: .standard)
    }

    mutating func number(_ name: String, _ value: Int64, _ output: inout ByteWriter) {
        key(name, &output)
        output.append(decimal: value)
    }

    mutating func boolean(_ name: String, _ value: Bool, _ output: inout ByteWriter) {
        key(name, &output)
        output.appendJSON(boolean: value)
    }

    mutating func identity(_ replica: ReplicaIdentity, name: String, _ output: inout ByteWriter) {
        text("cluster", replica.cluster, &output)
        text(name, replica.name, &output)
        number("id", replica.id, &output)
        text("address", replica.address, &output)
    }

    mutating func list<Elements: Sequence>(
        _ name: String, _ elements: Elements, _ output: inout ByteWriter,
        _ appendElement: (Elements.Element, inout ByteWriter) -> Void
    ) {
        key(name, &output)
        output.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            appendElement(element, &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func key(_ name: String, _ output: inout ByteWriter) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        output.appendJSON(string: name, dialect: .standard)
        output.append(UInt8(ascii: ":"))
    }
}

extension ByteWriter {
    fileprivate mutating func object(_ members: (inout ObjectMembers, inout ByteWriter) -> Void) {
        var object = ObjectMembers()
        append(UInt8(ascii: "{"))
        members(&object, &self)
        append(UInt8(ascii: "}"))
    }
}
