import Basics

/// What the nodes answered when they were asked once, as it came.
struct PollRound: Sendable {
    /// The answer to one question.
    enum Answer: Sendable {
        /// It was not asked.
        case none
        /// A success, with this body.
        case body([UInt8])
        /// A refusal, with RocketMQ's code.
        case refused(Int32)
        /// No answer, for this reason.
        case failed(String)
    }

    /// What one node answered.
    struct NodeAnswers: Sendable {
        /// To GET_NODE_STATUS.
        var status = Answer.none
        /// When that came.
        var at = Instant.zero
        /// To GET_GOSSIP_STATUS.
        var gossip = Answer.none
    }

    /// In the order of the cluster.
    var nodes: [NodeAnswers]
    /// Seen from here since the last round.
    var notes: [ClusterModel.Event] = []
}
