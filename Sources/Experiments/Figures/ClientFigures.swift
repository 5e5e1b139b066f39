import Basics

/// What producers and consumers went through.
struct ClientFigures {
    private let scenario: Scenario
    /// By topic.
    private let holders: [String: [Int]]
    private var wrongAnswers = 0
    private var unanswered = 0
    private var failed = 0
    private var retried = 0
    /// Of the messages taken.
    private var latencies: [Double] = []
    /// By client: when the last message was taken, and the longest time without.
    private var lastTaken: [Double]
    private var outages: [Double]
    /// By client: messages taken or read, those before everybody agreed included.
    private var totals: [Int]

    init(_ scenario: Scenario) {
        self.scenario = scenario
        holders = Dictionary(
            scenario.topics.map { topic in
                (topic.name, scenario.replicas.indices.filter { topic.groups.contains(scenario.replicas[$0].group) })
            }, uniquingKeysWith: { first, _ in first })
        lastTaken = Array(repeating: 0, count: scenario.clients.count)
        outages = Array(repeating: 0, count: scenario.clients.count)
        totals = Array(repeating: 0, count: scenario.clients.count)
    }

    mutating func take(_ event: HistoryEvent, living truth: GroundTruth) {
        switch event.kind {
        case .route(let client, let outcome) where event.time >= 0:
            judge(outcome, for: client, at: event.time, truth)
        case .send(let client, let outcome): take(outcome, of: client, at: event.time)
        case .received(let client, let total): totals[client] = total
        default: break
        }
    }

    private mutating func judge(
        _ outcome: HistoryEvent.RouteOutcome, for client: Int, at time: Double, _ truth: GroundTruth
    ) {
        let living = holders[scenario.clients[client].topic, default: []].contains { truth.isLiving($0, at: time) }
        switch outcome {
        case .brokers(let named):
            if living, !named.contains(where: { truth.brokers[$0] == .up }) { wrongAnswers += 1 }
        case .noRoute: if living { wrongAnswers += 1 }
        case .notReady: break
        case .unanswered: unanswered += 1
        }
    }

    private mutating func take(_ outcome: HistoryEvent.SendOutcome, of client: Int, at time: Double) {
        if outcome.broker != nil { totals[client] += 1 }
        guard time >= 0 else { return }
        guard outcome.broker != nil else {
            failed += 1
            return
        }
        if outcome.attempts > 1 { retried += 1 }
        latencies.append(outcome.latencyMillis)
        endOutage(of: client, at: time)
    }

    private mutating func endOutage(of client: Int, at time: Double) {
        guard case .producer(let rate, _) = scenario.clients[client].role else { return }
        let span = time - lastTaken[client]
        // A hair more than twice, for times are fractions.
        if span * rate > 2.001 { outages[client] = max(outages[client], span) }
        lastTaken[client] = max(time, lastTaken[client])
    }

    mutating func values(until end: Double) -> [Figure: Double] {
        var values: [Figure: Double] = [:]
        if !scenario.clients.isEmpty {
            values[.wrongAnswers] = Double(wrongAnswers)
            values[.unanswered] = Double(unanswered)
        }
        let producers = scenario.clients.indices.filter { scenario.clients[$0].isProducer }
        guard !producers.isEmpty else { return values }
        for client in producers { endOutage(of: client, at: end) }
        values[.sendsFailed] = Double(failed)
        values[.sendsRetried] = Double(retried)
        values[.longestSendOutage] = outages.max()
        let sends = failed + latencies.count
        if sends > 0 { values[.sendFailureRate] = 100 * Double(failed) / Double(sends) }
        latencies.sort()
        values[.sendLatencyMedian] = quantile(0.5)
        values[.sendLatencyP99] = quantile(0.99)
        values[.unread] = scenario.clients.indices.filter { !scenario.clients[$0].isProducer }.map(unread).max()
        return values
    }

    private func unread(_ consumer: Int) -> Double {
        let topic = scenario.clients[consumer].topic
        let taken = scenario.clients.indices
            .filter { scenario.clients[$0].isProducer && scenario.clients[$0].topic == topic }
            .reduce(0) { $0 + totals[$1] }
        return Double(max(0, taken - totals[consumer]))
    }

    /// The smallest latency that this share of them does not exceed (nearest rank).
    private func quantile(_ share: Double) -> Double? {
        guard !latencies.isEmpty else { return nil }
        let rank = Int((share * Double(latencies.count)).rounded(.up))
        return latencies[max(1, rank) - 1]
    }
}

extension Scenario.Client {
    /// Whether it sends.
    var isProducer: Bool {
        if case .producer = role { true } else { false }
    }
}
