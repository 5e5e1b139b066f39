import Basics
import Platform
import RouteClient

/// Sends messages each at its time, whether or not earlier ones were answered; latency counts from that time, so a stall is
/// seen by every message that it delays (no coordinated omission).
final class OpenLoop {
    /// How each message ended, and how long after its intended time.
    var onEnd: ((Result<SendReceipt, SendFailure>, Duration) -> Void)?

    private let platform: any Platform
    private let client: RouteClient
    private let interval: Double
    private let message: (Int) -> OutgoingMessage
    private let startedAt: Instant
    private var started = 0
    private var underWay = 0
    private var isStopped = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.advance() }

    /// Messages under way at most; a message above it is given up at once. A send lasts 3 s at most, so that this many
    /// means far more a second than one client of an experiment sends.
    static let limit = 10_000

    /// - Parameters:
    ///   - rate: messages a second of the platform's time, above 0.
    ///   - phase: 0 up to 1: which part of the interval passes before the first one.
    init(
        platform: any Platform, client: RouteClient, rate: Double, phase: Double,
        message: @escaping (Int) -> OutgoingMessage
    ) {
        precondition(rate > 0, "a rate of \(rate)")
        self.platform = platform
        self.client = client
        self.message = message
        interval = 1e9 / rate
        startedAt = platform.now + .nanoseconds(Int64(phase * interval))
    }

    func start() { timer.start(at: startedAt) }

    /// Starts no more, and tells nothing any more.
    func stop() {
        onEnd = nil
        isStopped = true
        timer.cancel()
    }

    private func advance() {
        let now = platform.now
        while !isStopped, due(started) <= now {
            started += 1
            send(started - 1, intended: due(started - 1))
        }
        if !isStopped { timer.start(at: due(started)) }
    }

    private func due(_ index: Int) -> Instant {
        startedAt + .nanoseconds(Int64((Double(index) * interval).rounded(.up)))
    }

    private func send(_ index: Int, intended: Instant) {
        guard underWay < Self.limit else {
            let failure = SendFailure(reason: .limit("\(Self.limit) messages under way"), attempts: 0)
            onEnd?(.failure(failure), platform.now - intended)
            return
        }
        underWay += 1
        client.send(message(index)) { [weak self] result in
            guard let self else { return }
            underWay -= 1
            onEnd?(result, platform.now - intended)
        }
    }
}
