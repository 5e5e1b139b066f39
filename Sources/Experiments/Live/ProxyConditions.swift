import Basics

/// How one way of a link treats what is sent on it; nothing is scaled any more.
struct ProxyConditions: Hashable, Sendable {
    /// Nothing gets through, and nobody is told.
    var isCut = false
    /// Everything arrives so much later,
    var delay = Duration.zero
    /// give or take at most this.
    var jitter = Duration.zero
    /// Packets lost of a thousand; 0 to 999.
    var lossPerMille = 0
    /// How long TCP waits before it sends a lost packet again, doubled with each loss of the same packet.
    var retransmission = ProxyConditions.retransmission
    /// Bytes that get through in a second; nil = as many as come.
    var bytesPerSecond: Int?

    /// Linux's TCP_RTO_MIN.
    static let retransmission = Duration.milliseconds(200)
    /// A link on which all packets are lost is cut.
    private static let greatestLoss = 999

    /// What comes of two faults that hit the same way at the same time.
    func combined(with other: ProxyConditions) -> ProxyConditions {
        var both = self
        both.isCut = isCut || other.isCut
        both.delay += other.delay
        both.jitter += other.jitter
        let arriving = (1000 - lossPerMille) * (1000 - other.lossPerMille) / 1000
        both.lossPerMille = min(1000 - arriving, Self.greatestLoss)
        both.isCut = both.isCut || arriving == 0
        both.bytesPerSecond = [bytesPerSecond, other.bytesPerSecond].compactMap(\.self).min()
        return both
    }

    /// What all faults that are going on do to one way.
    ///
    /// - Parameter timeScale: by which delays and the time of retransmission, but not the bandwidth, are divided.
    static func on(_ link: Link, under faults: some Sequence<Fault>, timeScale: Int) -> ProxyConditions {
        var conditions = ProxyConditions()
        conditions.retransmission = retransmission / timeScale
        for fault in faults {
            if let one = of(fault, on: link, timeScale) { conditions = conditions.combined(with: one) }
        }
        return conditions
    }

    /// What one fault does to the way; nil when nothing, or only once.
    private static func of(_ fault: Fault, on link: Link, _ timeScale: Int) -> ProxyConditions? {
        var conditions = ProxyConditions()
        switch fault {
        case .cut(let links) where links.contains(link): conditions.isCut = true
        case .delay(let links, let time, let variation) where links.contains(link):
            (conditions.delay, conditions.jitter) = (time / timeScale, variation / timeScale)
        case .loss(let links, let perMille) where links.contains(link):
            (conditions.lossPerMille, conditions.isCut) = (min(perMille, greatestLoss), perMille >= 1000)
        case .bandwidth(let links, let limit) where links.contains(link): conditions.bytesPerSecond = max(limit, 1)
        case .powerLoss(let parties) where parties.contains(link.from) || parties.contains(link.to):
            conditions.isCut = true
        default: return nil
        }
        return conditions
    }
}

/// One way of a link for all its connections: decides when something that is sent now arrives.
final class LinkPipe {
    /// What holds now; whoever changes it tells the flows.
    var conditions = ProxyConditions()
    private var random: SeededGenerator
    /// When a link of limited bandwidth has passed on what it already got.
    private var busyUntil = Instant.zero

    /// What an Ethernet frame holds of TCP, the unit of loss.
    static let packetBytes = 1_460
    /// A packet is not lost more often than this in a row: 2^10 retransmission times are more than three minutes.
    private static let lossesInARow = 10

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// The largest part of something sent that travels at once: with limited bandwidth, what passes in 50 ms.
    var pieceBytes: Int { conditions.bytesPerSecond.map { max($0 / 20, 1) } ?? .max }

    /// When `count` bytes sent now are at the other end. Order is the flow's business.
    func arrival(of count: Int, now: Instant) -> Instant {
        var leaves = now
        if let rate = conditions.bytesPerSecond {
            busyUntil = max(busyUntil, now) + .nanoseconds(Int64(count) * 1_000_000_000 / Int64(rate))
            leaves = busyUntil
        }
        return leaves + max(conditions.delay + drawnJitter(), .zero) + retransmissions(count)
    }

    private func drawnJitter() -> Duration {
        let most = conditions.jitter.wholeNanoseconds
        return most == 0 ? .zero : .nanoseconds(Int64.random(in: (-most)...most, using: &random))
    }

    /// The whole waits for its unluckiest packet.
    private func retransmissions(_ count: Int) -> Duration {
        guard conditions.lossPerMille > 0 else { return .zero }
        var worst = 0
        for _ in 0..<max((count + Self.packetBytes - 1) / Self.packetBytes, 1) {
            var losses = 0
            while losses < Self.lossesInARow, Int.random(in: 0..<1000, using: &random) < conditions.lossPerMille {
                losses += 1
            }
            worst = max(worst, losses)
        }
        return conditions.retransmission * ((1 << worst) - 1)
    }
}
