import Basics
import Remoting

// What administrators wrote at other nodes, as the gossip layer brings it: it takes the ways of the requests (100, 102, 205,
// 327), but nobody waits for an answer, and it is not told on as a write of this node.

/// A write of a key at another node.
public struct ReplicatedKeyValue: Hashable, Sendable {
    /// The key's namespace; made if it does not exist, unless the key is deleted.
    public var namespace: String
    /// The key.
    public var key: String
    /// Nil deletes it.
    public var value: String?
    /// The node that took the request, for the event.
    public var origin: String

    /// Puts the parts together.
    public init(namespace: String, key: String, value: String?, origin: String) {
        self.namespace = namespace
        self.key = key
        self.value = value
        self.origin = origin
    }
}

extension NameServer {
    /// Keys that are named each in an event of its own; of further ones only the number is told.
    private static let namedKeys = 16

    /// Writes what was written elsewhere; what is so already costs nothing. A value that exceeds the limit of the
    /// configuration is left out, with an event. The file is made durable once for all of them.
    public mutating func applyKeyValues(
        _ writes: [ReplicatedKeyValue], now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) {
        let arrival = Arrival(now: now, wallTime: wallTime)
        var changed = 0
        for write in writes {
            let (namespace, key) = (write.namespace, write.key)
            if let value = write.value,
                keyValues.byteCount(putting: value, at: key, in: namespace) > limits.keyValueBytes
            {
                note(
                    .refused, nil,
                    "configuration \(namespace)/\(key) of \(write.origin) not replicated: the limit of \(limits.keyValueBytes) bytes "
                        + "is reached", arrival, &directives)
                continue
            }
            let isChange =
                write.value == nil
                ? deleteKeyValue(key, from: namespace) : putKeyValue(write.value, at: key, in: namespace)
            guard isChange else { continue }
            changed += 1
            if changed <= Self.namedKeys {
                let verb = write.value == nil ? "deleted" : "set"
                note(
                    .keyValueChanged, nil, "configuration \(namespace)/\(key) \(verb), replicated from \(write.origin)",
                    arrival, &directives)
            }
        }
        if changed > Self.namedKeys {
            note(
                .keyValueChanged, nil, "\(changed - Self.namedKeys) more configuration keys replicated", arrival,
                &directives)
        }
        guard changed > 0 else { return }
        directives.append(.persistKV(keyValues.file.encoded()))
        if firstHand != nil { directives.append(.firstHand(.administered)) }
    }

    /// Wipes or grants a group's write permission, as done at another node. Nothing happens when no replica of the group has a
    /// first-hand entry.
    ///
    /// - Parameter origin: the node that took the request, for the event.
    public mutating func applyWritePermission(
        broker: String, grants: Bool, origin: String, now: Instant, wallTime: WallTime,
        directives: inout [Directive]
    ) {
        guard let group = broker.withBytes({ tables.group(named: $0) }) else { return }
        _ = setWritePermission(
            of: group, grants: grants, "replicated from \(origin)", Arrival(now: now, wallTime: wallTime), &directives)
    }

    /// All key-values: namespace, key, value.
    public var keyValueTable: [String: [String: String]] { keyValues.file.configTable }

    /// What a change of the group's write permission belongs to: a hash of the registration that its topics come from,
    /// DataVersion included. Equal on two nodes that heard the same registration. Nil without such a registration, and
    /// without tracking.
    public func permissionBasis(ofGroup name: String) -> UInt64? {
        name.withBytes { tables.group(named: $0) }.flatMap { permissionBasis(of: $0) }
    }

    func permissionBasis(of group: GroupID) -> UInt64? {
        guard let firstHand, tables.exists(group), let live = contributor(of: group) else { return nil }
        let version = tables.live[live.index].dataVersion
        var bytes = ByteWriter(capacity: 32)
        bytes.append(bigEndian: firstHand.images[live.index].registrationHash)
        bytes.append(bigEndian: version.stateVersion)
        bytes.append(bigEndian: version.timestamp)
        bytes.append(bigEndian: version.counter ?? .min)
        return firstHand.hash.hash(bytes.bytes)
    }
}
