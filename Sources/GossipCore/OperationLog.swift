// What was written by request and may be replicated: one register for each key, one operation for each broker's
// write permission, and a journal in which peers read on from where they were.

import Basics

/// The writes of all nodes, as far as this one knows them.
///
/// Holds texts that the tables hold too, so it costs little more than its stamps. Nothing here is evidence: an operation
/// may be told on by any node (rule R1 is about life).
struct OperationLog {
    /// One key.
    struct Key: Hashable, Comparable, Sendable {
        var namespace: String
        var key: String

        static func < (left: Key, right: Key) -> Bool {
            (left.namespace, left.key) < (right.namespace, right.key)
        }
    }

    /// What the journal speaks of.
    enum Subject: Hashable, Sendable {
        case keyValue(Key)
        case permission(broker: String)
    }

    /// What became of an operation.
    enum Outcome: Equatable {
        /// Nothing new.
        case known
        /// It is kept; the tables are to follow if they hold something else.
        case adopted
        /// It would bring a key back that may have been deleted so long ago that nobody remembers.
        case quarantined
        /// It exceeds a limit.
        case refused
    }

    /// Whether a permission operation is in force here.
    enum Standing: Equatable {
        /// The broker's registration here is not the one it was meant for; it may become so.
        case pending
        case inForce
        /// It was in force, and the broker has registered anew.
        case void
    }

    private struct KeyValueEntry {
        var register: KeyValueRegister
        var sequence: UInt64
    }

    struct PermissionEntry {
        var operation: PermissionOperation
        var standing: Standing
        var sequence: UInt64
    }

    /// How long a deletion is remembered.
    static let tombstoneLife: Duration = .seconds(7 * 86_400)

    private var keyValues: [Key: KeyValueEntry] = [:]
    private(set) var permissions: [String: PermissionEntry] = [:]
    /// Keys with two values from before replication.
    private(set) var contested: Set<Key> = []
    private(set) var tombstones: Set<Key> = []
    /// The latest deletion that has been forgotten. A key that is not known here and was written before may have been deleted.
    private(set) var forgotten: UInt64 = 0
    private(set) var bytes = 0
    private var journal: [(sequence: UInt64, subject: Subject)] = []
    private var lastSequence: UInt64 = 0

    var count: Int { keyValues.count }

    subscript(key: Key) -> KeyValueRegister? { keyValues[key]?.register }

    /// All keys, in order.
    var sortedKeys: [Key] { keyValues.keys.sorted() }

    // MARK: Key-values

    /// Joins an operation of a peer to its key's register.
    mutating func join(_ operation: KVOperation, at wall: WallTime) -> Outcome {
        guard operation.hlc < HybridClock.highest, operation.hlc > 0 || operation.value != nil else { return .refused }
        let key = Key(namespace: operation.namespace, key: operation.key)
        if var register = keyValues[key]?.register {
            guard register.join(KeyValueRegister(operation)) else { return .known }
            return put(register, at: key) ? .adopted : .refused
        }
        if operation.value == nil {
            if Self.isOver(operation.hlc, at: wall) { return .known }
        } else if forgotten > 0, operation.hlc <= forgotten {
            return .quarantined
        }
        return put(KeyValueRegister(operation), at: key) ? .adopted : .refused
    }

    /// A write of this node: it is in the tables already, so no limit stops it.
    mutating func record(_ operation: KVOperation) {
        let key = Key(namespace: operation.namespace, key: operation.key)
        put(KeyValueRegister(operation), at: key, isLimited: false)
    }

    @discardableResult
    private mutating func put(_ register: KeyValueRegister, at key: Key, isLimited: Bool = true) -> Bool {
        let old = keyValues[key]?.register
        let size = Self.size(key, register)
        let growth = size - (old.map { Self.size(key, $0) } ?? 0)
        if isLimited, growth > 0 {
            guard bytes + growth <= GossipLimits.operationBytes,
                old != nil || keyValues.count < GossipLimits.operationKeys
            else { return false }
        }
        bytes += growth
        keyValues[key] = KeyValueEntry(register: register, sequence: enter(.keyValue(key)))
        if register.isContested { contested.insert(key) } else { contested.remove(key) }
        if register.isDeletion { tombstones.insert(key) } else { tombstones.remove(key) }
        if tombstones.count > GossipLimits.tombstonesOfKeys { forgetOldest() }
        return true
    }

    private static func size(_ key: Key, _ register: KeyValueRegister) -> Int {
        key.namespace.utf8.count + key.key.utf8.count + register.size
    }

    // MARK: Deletions

    private static func isOver(_ stamp: UInt64, at wall: WallTime) -> Bool {
        wall.milliseconds - HybridClock.wallTime(of: stamp).milliseconds > tombstoneLife.wholeMilliseconds
    }

    /// Forgets deletions that are seven days old; says whether there were any.
    mutating func forgetOldDeletions(at wall: WallTime) -> Bool {
        let due = tombstones.filter { Self.isOver(keyValues[$0]?.register.stamp ?? 0, at: wall) }
        for key in due { forget(key) }
        return !due.isEmpty
    }

    /// There are too many: the older half goes early. That is safe, since what is older than a forgotten deletion is
    /// quarantined.
    private mutating func forgetOldest() {
        let byAge = tombstones.sorted {
            (keyValues[$0]?.register.stamp ?? 0, $0) < (keyValues[$1]?.register.stamp ?? 0, $1)
        }
        for key in byAge.prefix(byAge.count / 2) { forget(key) }
    }

    private mutating func forget(_ key: Key) {
        guard let entry = keyValues.removeValue(forKey: key) else { return }
        bytes -= Self.size(key, entry.register)
        forgotten = max(forgotten, entry.register.stamp)
        tombstones.remove(key)
    }

    /// As read from the file of stamps.
    mutating func restore(forgotten stamp: UInt64) { forgotten = stamp }

    // MARK: Permissions

    /// Joins an operation of a peer; whether it is in force is found out next.
    mutating func join(_ operation: PermissionOperation) -> Outcome {
        guard operation.hlc < HybridClock.highest, operation.hlc > 0 else { return .refused }
        if let known = permissions[operation.brokerName]?.operation {
            guard known.isBefore(operation) else { return .known }
        } else if permissions.count >= GossipLimits.operationBrokers {
            return .refused
        }
        put(operation, .pending)
        return .adopted
    }

    /// The write permission of a broker was changed at this node.
    mutating func record(_ operation: PermissionOperation) {
        if permissions[operation.brokerName] == nil, permissions.count >= GossipLimits.operationBrokers { return }
        put(operation, .inForce)
    }

    private mutating func put(_ operation: PermissionOperation, _ standing: Standing) {
        permissions[operation.brokerName] = PermissionEntry(
            operation: operation, standing: standing, sequence: enter(.permission(broker: operation.brokerName)))
    }

    mutating func set(_ standing: Standing, ofPermission broker: String) {
        guard let old = permissions[broker], old.standing != standing else { return }
        put(old.operation, standing)
    }

    // MARK: The journal

    private mutating func enter(_ subject: Subject) -> UInt64 {
        lastSequence += 1
        journal.append((lastSequence, subject))
        if journal.count > 2 * (keyValues.count + permissions.count) + 64 {
            journal = journal.filter { $0.sequence == lastSequence || isCurrent($0.sequence, $0.subject) }
        }
        return lastSequence
    }

    private func isCurrent(_ sequence: UInt64, _ subject: Subject) -> Bool {
        switch subject {
        case .keyValue(let key): keyValues[key]?.sequence == sequence
        case .permission(let broker): permissions[broker]?.sequence == sequence
        }
    }

    /// What has changed after a cursor, as much as one frame holds; without operations when nothing has.
    ///
    /// Only permissions that are in force here are told: of the others this node does not know whether they still hold.
    func operations(after cursor: UInt64, keyValues tellsKeyValues: Bool, permissions tellsPermissions: Bool)
        -> GossipMessage.Operations
    {
        var answer = GossipMessage.Operations(nextCursor: cursor, keyValues: [], permissions: [])
        var room = WireLimits.frameBytes - GossipMessage.Operations.overhead
        let start = journal.partitioningIndex { $0.sequence > cursor }
        for (sequence, subject) in journal[start...] where isCurrent(sequence, subject) {
            switch subject {
            case .keyValue(let key):
                guard tellsKeyValues, let register = keyValues[key]?.register else { continue }
                let operations = register.operations(key)
                guard operations.allSatisfy(\.isCarriable) else { continue }
                let size = operations.reduce(0) { $0 + $1.encodedSize }
                // Two values of a contested key may together exceed a frame: then they stay where they are.
                guard size <= WireLimits.frameBytes - GossipMessage.Operations.overhead else { continue }
                guard size <= room, answer.keyValues.count + operations.count <= WireLimits.operations else {
                    return answer
                }
                room -= size
                answer.keyValues += operations
            case .permission(let broker):
                guard tellsPermissions, let entry = permissions[broker], entry.standing == .inForce,
                    entry.operation.isCarriable
                else { continue }
                guard entry.operation.encodedSize <= room, answer.permissions.count < WireLimits.operations else {
                    return answer
                }
                room -= entry.operation.encodedSize
                answer.permissions.append(entry.operation)
            }
            answer.nextCursor = sequence
        }
        return answer
    }
}

extension PermissionOperation {
    /// By stamp, then by node; the rest only so that two forged ones are ordered at all.
    fileprivate func isBefore(_ other: PermissionOperation) -> Bool {
        if hlc != other.hlc { return hlc < other.hlc }
        if !node.utf8.elementsEqual(other.node.utf8) { return node.utf8.lexicographicallyPrecedes(other.node.utf8) }
        if grants != other.grants { return grants }
        return registrationHash < other.registrationHash
    }
}
