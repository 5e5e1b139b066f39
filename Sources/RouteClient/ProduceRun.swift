import Basics
import Platform
import Remoting

/// Sends a load of messages at a pace and counts what became of them.
public final class ProduceRun {
    /// Called once, when every message has ended.
    public var onFinished: (() -> Void)?
    /// Counts so far.
    public private(set) var summary = ProduceSummary()

    private let platform: any Platform
    private let client: RouteClient
    private let policy: SendPolicy
    private let message: (Int) -> OutgoingMessage
    private var pacing: ProducePacing
    private var isStarting = false
    private var isFinished = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.advance() }

    /// - Parameter message: makes message number 0, 1, 2, ….
    public init(
        platform: any Platform, client: RouteClient, pacing: ProducePacing, policy: SendPolicy = .init(),
        message: @escaping (Int) -> OutgoingMessage
    ) {
        self.platform = platform
        self.client = client
        self.pacing = pacing
        self.policy = policy
        self.message = message
    }

    /// Sends under way now.
    public var underWay: Int { pacing.started - pacing.ended }

    /// Begins.
    public func start() { advance() }

    /// Starts no more messages; those under way still end.
    public func stop() {
        pacing.stop()
        advance()
    }

    private func advance() {
        // A send may end inside `send`, and would come back here.
        if isStarting || isFinished { return }
        isStarting = true
        defer { isStarting = false }
        while true {
            let first = pacing.started
            switch pacing.next(now: platform.now) {
            case .start(let count): for index in first..<first + count { send(index) }
            case .wait(let instant): return timer.start(at: instant)
            case .waitForAnswer: return
            case .finished:
                isFinished = true
                timer.cancel()
                onFinished?()
                return
            }
        }
    }

    private func send(_ index: Int) {
        client.send(message(index), policy: policy) { [self] result in
            pacing.sendEnded()
            summary.record(result)
            advance()
        }
    }
}

/// What became of a load of messages.
public struct ProduceSummary: Sendable {
    /// Accepted by a broker.
    public private(set) var sent = 0
    /// Accepted, but with a warning (flush or slave, codes 10 to 12); counted in `sent` too.
    public private(set) var sentWithWarning = 0
    /// Accepted after more than one attempt; counted in `sent` too.
    public private(set) var retried = 0
    /// Given up.
    public private(set) var failed = 0
    /// Of accepted messages, all attempts included.
    public private(set) var latency = LatencyHistogram()

    private var brokers: [String: Int] = [:]
    private var reasons: [String: Int] = [:]

    /// Different reasons kept; later ones count as "other reasons".
    public static let reasonLimit = 32

    /// Nothing sent.
    public init() {}

    /// Accepted messages by broker, by name.
    public var byBroker: [(name: String, sent: Int)] {
        brokers.sorted { $0.key.precedesAsInJava($1.key) }.map { ($0.key, $0.value) }
    }

    /// Reasons of failures, the most frequent first.
    public var byReason: [(reason: String, failed: Int)] {
        reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    /// Counts one message.
    public mutating func record(_ result: Result<SendReceipt, SendFailure>) {
        switch result {
        case .success(let receipt):
            sent += 1
            if receipt.status != .stored { sentWithWarning += 1 }
            if receipt.attempts > 1 { retried += 1 }
            latency.record(receipt.latency)
            brokers[receipt.queue.brokerName, default: 0] += 1
        case .failure(let failure):
            failed += 1
            let reason = failure.reason.description
            let isKept = reasons[reason] != nil || reasons.count < ProduceSummary.reasonLimit
            reasons[isKept ? reason : "other reasons", default: 0] += 1
        }
    }
}
