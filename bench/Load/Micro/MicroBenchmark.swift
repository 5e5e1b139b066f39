import Basics
import GossipCore
import Remoting

/// Single steps that requests are made of, without sockets: thread CPU time, so that other programs do not count as waiting.
public enum MicroBenchmark: String, CaseIterable, Sendable {
    /// A registration body to packed topics.
    case decode
    /// The same body's fingerprint: CRC-32 and Adler-32.
    case crc
    /// A route of so many brokers to bytes.
    case route
    /// A registration with one changed topic through the core: header, CRC, decoding and the difference.
    case difference
    /// A scan that finds every broker silent.
    case expiry
    /// One broker comes or goes: its symbols of the gossip sketch.
    case symbol

    /// Times it.
    ///
    /// - Parameters:
    ///   - size: topics of the body, brokers of the route, the table and the sketch.
    ///   - rounds: the median of them counts.
    public func run(size: Int, rounds: Int) -> LimitFigure {
        switch self {
        case .decode: decode(size, rounds)
        case .crc: crc(size, rounds)
        case .route: route(size, rounds)
        case .difference: difference(size, rounds)
        case .expiry: expiry(size, rounds)
        case .symbol: symbol(size, rounds)
        }
    }

    private func decode(_ size: Int, _ rounds: Int) -> LimitFigure {
        let body = Fleet(brokers: 1, topics: size).body(ofSet: 0)
        let times = timed(rounds) {
            let decoded = body.withUnsafeBytes {
                try? RegistrationBody.decode(
                    $0, version: RemotingVersion.v5_3_3, compressed: false, receivedAt: WallTime(milliseconds: 1))
            }
            precondition(decoded?.topics.count == size, "a body of \(size) topics did not decode")
        }
        return figure("decode a body of \(size.grouped) topics", times, bytes: body.count)
    }

    private func crc(_ size: Int, _ rounds: Int) -> LimitFigure {
        let body = Fleet(brokers: 1, topics: size).body(ofSet: 0)
        var sum: UInt32 = 0
        let times = timed(rounds) { body.withUnsafeBytes { sum &+= BodyFingerprint($0).crc32 } }
        precondition(rounds % 2 == 0 || sum != 0, "a checksum of 0")
        return figure("fingerprint a body of \(size.grouped) topics", times, bytes: body.count)
    }

    private func route(_ size: Int, _ rounds: Int) -> LimitFigure {
        let fleet = Fleet(brokers: size, topics: 2, spread: size)
        let node = CoreUnderTest()
        for broker in 0..<size { node.register(fleet, broker: broker) }
        var count = 0
        // Each registration drops the cached bytes of the routes it is part of.
        let times = timed(rounds, before: { node.register(fleet, broker: 0, state: 2 + $0, changed: $0 % 2) }) {
            count = node.lookup(fleet.topic(0, of: 0), of: fleet)
        }
        precondition(count > size * 50, "a route of \(size) brokers has \(count) bytes")
        return figure("encode a route of \(size.grouped) brokers", times, bytes: count)
    }

    private func difference(_ size: Int, _ rounds: Int) -> LimitFigure {
        let fleet = Fleet(brokers: 1, topics: size)
        let node = CoreUnderTest()
        node.register(fleet, broker: 0)
        let frames = [2, 3].map { node.registration(fleet, broker: 0, state: $0, changed: 1) }
        let times = timed(rounds) { round in node.send(frames[round % 2]) }
        return figure("register \(size.grouped) topics, one changed", times, bytes: frames[0].count)
    }

    private func expiry(_ size: Int, _ rounds: Int) -> LimitFigure {
        let fleet = Fleet(brokers: min(size, Fleet.brokerLimit), topics: 2, spread: 10)
        let node = CoreUnderTest()
        let times = timed(
            rounds,
            before: { _ in
                for broker in 0..<fleet.brokers { node.register(fleet, broker: broker) }
            }
        ) {
            let expired = node.expireAll()
            precondition(expired == fleet.brokers, "\(expired) of \(fleet.brokers) brokers expired")
        }
        return figure("expire \(fleet.brokers.grouped) brokers", times, each: fleet.brokers)
    }

    private func symbol(_ size: Int, _ rounds: Int) -> LimitFigure {
        var random = SeededGenerator(seed: 1)
        let items = (0..<size).map { _ in random.next() }
        var sketch = Sketch(hash: KeyedHash(low: 1, high: 2))
        let times = timed(rounds) { round in
            for item in items { round % 2 == 0 ? sketch.insert(item) : sketch.remove(item) }
        }
        precondition(sketch.itemCount == (rounds % 2 == 0 ? 0 : size), "\(sketch.itemCount) items in the sketch")
        return figure("update the sketch of \(size.grouped) brokers", times, each: size)
    }

    // MARK: Timing

    private func timed(_ rounds: Int, before: (Int) -> Void = { _ in }, _ work: () -> Void) -> Spread {
        timed(rounds, before: before) { _ in work() }
    }

    /// Microseconds of each round.
    private func timed(_ rounds: Int, before: (Int) -> Void = { _ in }, _ work: (Int) -> Void) -> Spread {
        Spread(
            (0..<rounds).map { round in
                before(round)
                let begin = threadTime()
                work(round)
                return Double(threadTime() - begin) / 1_000
            })
    }

    private func figure(_ name: String, _ times: Spread, bytes: Int) -> LimitFigure {
        LimitFigure(name, times, "µs", detail: "\(bytes.grouped) B, \((Double(bytes) / times.median).short) MB/s")
    }

    private func figure(_ name: String, _ times: Spread, each: Int) -> LimitFigure {
        LimitFigure(name, times, "µs", detail: "\((times.median / Double(each)).short) µs each")
    }
}
