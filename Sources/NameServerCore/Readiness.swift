// Whether this node knows enough of the cluster to deny that a topic exists. Decided by the gossip layer; without it a
// node is ready from the start.

/// What the gossip layer said last.
struct Readiness {
    var isReady = true
    var gatesUnknownTopics = false
}

extension NameServer {
    /// Sets whether the node is ready, and whether before that it answers a request for an unknown topic with "name server
    /// not ready" instead of denying it (a client then keeps the route it has). Known topics are served in any case.
    public mutating func setServing(isReady: Bool, gatesUnknownTopics: Bool) {
        readiness = Readiness(isReady: isReady, gatesUnknownTopics: gatesUnknownTopics)
    }

    /// Whether a topic without a route may be one that this node has not heard of yet.
    var refusesUnknownTopics: Bool { !readiness.isReady && readiness.gatesUnknownTopics }
}
