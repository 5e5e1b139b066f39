import Basics

/// Chooses the one NameServer a client talks to (protocol.md 7.1): keeps it while it answers, then takes the next.
public struct NameServerSelector: Sendable {
    /// All NameServers in the order of trying; never empty.
    public let addresses: [Address]
    /// The one in use.
    public var current: Address { addresses[index] }

    private var index = 0
    /// Failures since the last success, of NameServers that were current at the time.
    private var failures = 0
    private let backoff: Backoff

    /// What to do after a failure.
    public enum Next: Hashable, Sendable {
        /// Another NameServer has not been tried since the last success: ask it at once.
        case tryNow
        /// All have failed: rest before the next round.
        case rest(Duration)
    }

    /// Shuffles the list once, so that clients spread over the NameServers.
    public init(_ addresses: [Address], backoff: Backoff = .init(), using generator: inout some RandomNumberGenerator) {
        precondition(!addresses.isEmpty, "no NameServer address")
        self.addresses = addresses.shuffled(using: &generator)
        self.backoff = backoff
    }

    /// The current NameServer answered, with whatever code.
    public mutating func succeeded() { failures = 0 }

    /// A call to `address` was refused, timed out or lost its connection. Calls that were under way together fail
    /// together: only the first moves on.
    public mutating func failed(_ address: Address, using generator: inout some RandomNumberGenerator) -> Next {
        guard address == current else { return .tryNow }
        index = (index + 1) % addresses.count
        failures += 1
        guard failures.isMultiple(of: addresses.count) else { return .tryNow }
        return .rest(backoff.delay(round: failures / addresses.count - 1, using: &generator))
    }
}

/// Growing, jittered waits: the full wait doubles from `first` to `limit`; the wait taken lies in its upper half.
public struct Backoff: Hashable, Sendable {
    /// The full wait of round 0. Default 200 ms.
    public var first: Duration
    /// The longest full wait. Default 5 s: a client without routes should notice a NameServer's return soon.
    public var limit: Duration

    /// `first` must not exceed `limit`.
    public init(first: Duration = .milliseconds(200), limit: Duration = .seconds(5)) {
        precondition(first > .zero && first <= limit, "backoff \(first) up to \(limit)")
        self.first = first
        self.limit = limit
    }

    /// The wait before retry number `round`, counted from 0.
    public func delay(round: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let doubled = round < 20 ? first * (1 << max(round, 0)) : limit
        let full = min(doubled, limit).wholeNanoseconds
        return .nanoseconds(Int64.random(in: full / 2...full, using: &generator))
    }
}
