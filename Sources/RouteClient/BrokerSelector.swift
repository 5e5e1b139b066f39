import Basics

/// Chooses the queue of the next send: round robin over a topic's publish list (protocol.md 7.5, 7.6).
public struct BrokerSelector: Sendable {
    private var index: Int

    /// Starts anywhere, so that many producers do not begin at the same broker.
    public init(using generator: inout some RandomNumberGenerator) {
        index = Int.random(in: 0..<1 << 16, using: &generator)
    }

    /// The next queue; nil only when there is none.
    ///
    /// First one whose broker is available and not `lastBroker` (that of the failed attempt, nil at first), then one
    /// whose broker is reachable and not `lastBroker`, then any. Without `faults`, every broker counts as available.
    public mutating func next(
        of queues: [MessageQueue], avoiding lastBroker: String?, faults: FaultTable?, now: Instant
    ) -> MessageQueue? {
        let other = { (queue: MessageQueue) in queue.brokerName != lastBroker }
        guard let faults else { return next(of: queues, where: other) ?? next(of: queues) { _ in true } }
        return next(of: queues) { other($0) && faults.isAvailable($0.brokerName, now: now) }
            ?? next(of: queues) { other($0) && faults.isReachable($0.brokerName) }
            ?? next(of: queues) { _ in true }
    }

    private mutating func next(of queues: [MessageQueue], where isWanted: (MessageQueue) -> Bool) -> MessageQueue? {
        for step in 0..<queues.count {
            let queue = queues[(index + step) % queues.count]
            guard isWanted(queue) else { continue }
            index = (index + step + 1) % queues.count
            return queue
        }
        return nil
    }
}
