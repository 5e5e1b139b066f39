import Basics
import GossipCore

/// 1, 2, 12 to 15: what a node keeps of its peers' word is never younger than the truth, and came by an answer.
///
/// One class for all six, since all look at the same change of the same record; each violation carries its number.
final class EvidenceBounds: Invariant {
    private(set) var number = 1
    private(set) var name = ""
    private let watch: GossipWatch
    /// What the clock of the node shows that is looked at.
    private var now = Instant.zero

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        // What an event did not change is looked at once a second: it ages as time passes.
        if let node { return watch.isFresh[node.index] ? check(node, all: false) : nil }
        for node in cluster.nodes where node.host.pause == nil {
            if let text = check(node, all: true) { return text }
        }
        return nil
    }

    private func check(_ node: SimulatedNode, all: Bool) -> String? {
        let isConcerned =
            watch.looks[node.index]?.hasEvidence == true || (!all && watch.before[node.index]?.hasEvidence == true)
        guard isConcerned, let look = watch.looks[node.index] else { return nil }
        now = node.host.now
        let last = all ? nil : watch.before[node.index]
        for (broker, list) in look.evidence.enumerated() {
            if let last, last.evidence[broker] == list { continue }
            for record in list {
                guard let peer = watch.index(of: record.peer) else { continue }
                let text =
                    (all ? nil : adoption(record, node.index, broker, look))
                    ?? bounds(record.life, node.index, peer, broker, look, isTrusted: false)
                    ?? record.trusted.flatMap { bounds($0, node.index, peer, broker, look, isTrusted: true) }
                    ?? contact(record, node.index, peer, broker, look)
                if let text {
                    let label = watch.cluster.brokers[broker].replica.label
                    return "\(node.host.name) on \(label) by \(record.peer): \(text)"
                }
            }
        }
        return nil
    }

    private func fail(_ number: Int, _ name: String, _ text: String) -> String {
        (self.number, self.name) = (number, name)
        return text
    }

    /// 1, 2 and 15.
    private func bounds(
        _ bound: AgeBound, _ node: Int, _ peer: Int, _ broker: Int, _ look: GossipWatch.Look, isTrusted: Bool
    ) -> String? {
        guard bound.earliest <= now else { return fail(1, "age bound", "an event of the future") }
        let high = bound.ageHi(at: now).wholeNanoseconds
        // A report is made older by what the peer may have lost, in one number for both ends of the interval.
        let low = bound.ageLo(at: now).wholeNanoseconds - watch.aged[peer] - watch.aged[node]
        guard let last = watch.heard[peer][broker].last else {
            return fail(1, "age bound", "nothing it could have told")
        }
        let age = watch.time - last.time
        let allowance = allowance(node, peer, since: last.time, isTrusted: isTrusted)
        if high + allowance.time < age {
            let text = "at most \(seconds(high)) old, really \(seconds(age)) or more"
            return allowance.isCorrected
                ? fail(15, "stall correction", text + ", and the lost time is known") : fail(1, "age bound", text)
        }
        // The records of long ago are not kept.
        guard watch.heard[peer][broker].count < 32 || high < 600_000_000_000 else { return nil }
        let fits = watch.heard[peer][broker].reversed().contains { event in
            let age = watch.time - event.time
            return age >= low - 1_000
                && age <= high + self.allowance(node, peer, since: event.time, isTrusted: isTrusted).time
        }
        if fits { return nil }
        return fail(2, "age interval", "between \(seconds(low)) and \(seconds(high)) old, but nothing happened then")
    }

    /// How much younger than the truth evidence may look because a clock stood still and nobody can know yet.
    ///
    /// Corrected: an exchange since has shown it, but for what the offset's width hides.
    private func allowance(
        _ node: Int, _ peer: Int, since event: Int64, isTrusted: Bool
    ) -> (time: Int64, isCorrected: Bool) {
        let own = watch.frozen(node, since: event)
        let other = watch.frozen(peer, since: event)
        if own == 0, other == 0 { return (1_000_000, false) }
        let full = (own + other, false)
        guard isTrusted, own == 0 || other == 0 else { return full }
        let truth = watch.cluster.truth!
        let frozenHost = own > 0 ? node : peer
        let host = watch.cluster.nodes[frozenHost].host
        let resumed = truth.resumedAt[host.index]
        guard host.pause == nil, let start = truth.frozen[host.index].last(where: { $0.upperBound > event })?.lowerBound
        else { return full }
        // Whom the frozen clock was compared with: when both stood still between two exchanges, only the difference shows.
        let witnesses = own > 0 ? watch.cluster.nodes.indices.filter { $0 != node } : [peer]
        for other in witnesses {
            let compared = min(event, watch.exchangedBeforeStall[node][other] ?? event)
            let isSteady = watch.frozen(own > 0 ? other : node, since: compared) == 0
            guard isSteady, let exchanged = watch.exchangedAt[node][other], exchanged > resumed,
                let contact = watch.contacts[node][other].last, contact.time < min(start, event)
            else { continue }
            return (min(full.0, watch.widths[node][other] + 1_500_000_000), true)
        }
        return full
    }

    /// 13, the second half: what counts came after the first contact with the peer's clock.
    private func contact(
        _ record: InspectedEvidence, _ node: Int, _ peer: Int, _ broker: Int, _ look: GossipWatch.Look
    ) -> String? {
        guard let trusted = record.trusted else { return nil }
        let high = trusted.ageHi(at: now).wholeNanoseconds
        let isKnown = watch.heard[peer][broker].reversed().contains { event in
            let age = watch.time - event.time
            guard age <= high + allowance(node, peer, since: event.time, isTrusted: false).time else { return false }
            return watch.contacts[node][peer].contains {
                $0.peerLife == event.life && event.time >= $0.time - $0.roundTrip - 5_000_000
            }
        }
        if isKnown || watch.heard[peer][broker].count >= 32 { return nil }
        return fail(13, "adopted unasked", "evidence from before the first contact counts")
    }

    /// 12, 13 and 14: bounds move forward only with an answer to a nonce, which it uses up.
    private func adoption(
        _ record: InspectedEvidence, _ node: Int, _ broker: Int, _ look: GossipWatch.Look
    ) -> String? {
        guard let last = watch.before[node], last.life == look.life else { return nil }
        let old = last.evidence[broker].first { $0.peer == record.peer }
        let hasRisen =
            old.map { record.life.earliest > $0.life.earliest || record.life.latest > $0.life.latest } ?? true
        guard hasRisen else { return nil }
        if old != nil, look.counters.framesReceived == last.counters.framesReceived {
            return fail(14, "ages only grow", "evidence became younger without an answer")
        }
        let peer = watch.peer(record.peer, of: node)
        let nonces = peer?.before?.nonces ?? []
        let still = peer?.now.nonces ?? []
        if nonces.contains(where: { !still.contains($0) }) { return nil }
        if nonces.isEmpty {
            return fail(13, "adopted unasked", "an age was taken in though nothing had been asked")
        }
        return fail(12, "nonce used twice", "an age was taken in and the nonce stays good for another")
    }
}
