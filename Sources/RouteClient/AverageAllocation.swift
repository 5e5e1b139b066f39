/// Shares a topic's queues among the consumers of a group as RocketMQ's AllocateMessageQueueAveragely does: contiguous
/// runs of the sorted queues, in the order of the sorted client ids, the first ones one queue longer.
public enum AverageAllocation {
    /// The queues of one consumer; none when it is not among the consumers, or there are more consumers than queues.
    public static func queues(
        of clientID: String, among clientIDs: [String], from queues: [MessageQueue]
    ) -> [MessageQueue] {
        let consumers = Set(clientIDs).sorted { $0.precedesAsInJava($1) }
        guard let rank = consumers.firstIndex(of: clientID) else { return [] }
        let (share, rest) = queues.count.quotientAndRemainder(dividingBy: consumers.count)
        let start = rank * share + min(rank, rest)
        return Array(queues.sorted()[start..<start + share + (rank < rest ? 1 : 0)])
    }
}
