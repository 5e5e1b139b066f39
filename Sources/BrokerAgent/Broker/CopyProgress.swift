// Which messages the slaves have, and the sends that wait for it. A send is acknowledged when every attached slave has
// copied its message, so that killing the master loses no acknowledged message: RocketMQ's SYNC_MASTER. Without an
// attached slave the master answers at once.

import Basics
import Remoting

/// The copies the slaves hold of this master's messages.
struct CopyProgress: Sendable {
    /// An answer that waits for the slaves.
    struct PendingSend: Sendable {
        var connection: UInt64
        var answer: RemotingCommand
        var queue: MessageQueueKey
        var offset: Int64
    }

    /// Per attached slave's connection: the first offset of each queue it does not have.
    private var slaves: [UInt64: [MessageQueueKey: Int64]] = [:]
    private var pending: [UInt64: PendingSend] = [:]
    private var byQueue: [MessageQueueKey: [UInt64]] = [:]
    private var deadlines = DeadlineHeap<UInt64>()
    private var lastID: UInt64 = 0

    var attachedSlaves: [UInt64] { slaves.keys.sorted() }
    var pendingCount: Int { pending.count }
    var nextDeadline: Instant { deadlines.next }

    mutating func attach(_ connection: UInt64) { if slaves[connection] == nil { slaves[connection] = [:] } }

    func isAttached(_ connection: UInt64) -> Bool { slaves[connection] != nil }

    /// A slave asked for `offset`: it has everything before. Gives the sends that may be answered now.
    mutating func copied(_ queue: MessageQueueKey, before offset: Int64, by connection: UInt64) -> [PendingSend] {
        guard slaves[connection] != nil else { return [] }
        slaves[connection]?[queue] = offset
        return release(queue)
    }

    /// A slave is gone. Gives the sends that waited for it alone.
    mutating func detach(_ connection: UInt64) -> [PendingSend] {
        guard slaves.removeValue(forKey: connection) != nil else { return [] }
        return byQueue.keys.sorted().flatMap { release($0) }
    }

    mutating func wait(_ send: PendingSend, until deadline: Instant) {
        lastID += 1
        pending[lastID] = send
        byQueue[send.queue, default: []].append(lastID)
        deadlines.insert(lastID, due: deadline)
        if deadlines.count > 2 * pending.count + 1_024 {
            let live = pending
            deadlines.removeAll { live[$0] == nil }
        }
    }

    /// A send that has waited long enough. The slaves that do not have its message are detached until they ask for
    /// the topics again, so that one stuck slave costs one wait and not one for each send.
    mutating func popOverdue(now: Instant) -> PendingSend? {
        while let id = deadlines.popDue(now: now) {
            guard let send = pending.removeValue(forKey: id) else { continue }
            byQueue[send.queue]?.removeAll { $0 == id }
            for (connection, offsets) in slaves where offsets[send.queue, default: 0] <= send.offset {
                slaves[connection] = nil
            }
            return send
        }
        return nil
    }

    /// The sends whose messages all attached slaves have, after a change that `popOverdue` made.
    mutating func releaseAll() -> [PendingSend] { byQueue.keys.sorted().flatMap { release($0) } }

    private mutating func release(_ queue: MessageQueueKey) -> [PendingSend] {
        guard let waiting = byQueue[queue] else { return [] }
        let copied = slaves.values.map { $0[queue, default: 0] }.min() ?? .max
        var released: [PendingSend] = []
        var left: [UInt64] = []
        for id in waiting {
            guard let send = pending[id] else { continue }
            if send.offset < copied {
                pending[id] = nil
                released.append(send)
            } else {
                left.append(id)
            }
        }
        byQueue[queue] = left.isEmpty ? nil : left
        return released
    }
}
