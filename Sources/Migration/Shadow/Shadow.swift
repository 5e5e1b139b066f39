// Compares two NameServers, once or on and on:
//
//   everything is read ──▶ nothing differs: done, or again after `every`
//                     └──▶ what differs is read again until it heals or has lasted for `settle`

import Basics
import Platform
import RemotingTransport

/// The asking and remembering side of `hearsay shadow`, over any platform.
public final class Shadow {
    /// How far it is.
    public struct Progress: Sendable {
        /// Readings of everything that were completed.
        public var readings: Int
        /// Topics compared in the reading under way, and how many there are.
        public var compared: Int
        /// See `compared`.
        public var topics: Int
        /// Findings that have not lasted long enough.
        public var unsettled: Int
        /// Differences that stand.
        public var lasting: Int
        /// The server that did not answer last time, and why.
        public var failure: String?
    }

    /// Called for what an operator should see at once: a difference that has lasted, one that healed, a server that does
    /// not answer.
    public var onLine: ((String) -> Void)?
    /// Called after each reading of everything but the last.
    public var onReading: ((ShadowReport) -> Void)?

    private let platform: any Platform
    private let options: ShadowOptions
    private let addresses: [Address]
    private let connections: [RemotingConnection]
    private let completion: (ShadowReport) -> Void
    private let startedAt: Instant
    private var tracker: ShadowTracker
    private var reading: ShadowReading?
    /// Whether the reading under way looks only at what was found before.
    private var isRecheck = false
    private var failure: ShadowFailure?
    private var last: ShadowResult?
    private var readings = 0
    private var healed = 0
    private var lastDiffering: Instant?
    private var nextFull = Instant.zero
    private var isEnded = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.read() }
    private lazy var deadline = platform.makeTimer { [weak self] in self?.stop() }

    /// Prepares it; nothing is asked before `start`.
    ///
    /// - Parameter completion: called once, at the end, with what stands then.
    public init(
        platform: any Platform, reference: Address, candidate: Address, options: ShadowOptions,
        completion: @escaping (ShadowReport) -> Void
    ) {
        self.platform = platform
        self.options = options
        self.completion = completion
        addresses = [reference, candidate]
        var connectionOptions = RemotingConnectionOptions()
        connectionOptions.connectTimeout = options.timeout
        connectionOptions.sign = options.sign
        connections = addresses.map {
            RemotingConnection(platform: platform, address: $0, options: connectionOptions)
        }
        tracker = ShadowTracker(settle: options.settle)
        startedAt = platform.now
    }

    /// Begins the first reading.
    public func start() {
        if let duration = options.duration { deadline.start(at: platform.now + duration) }
        read()
    }

    /// Ends it with what is known.
    public func stop() {
        guard !isEnded else { return }
        isEnded = true
        timer.cancel()
        deadline.cancel()
        reading?.cancel()
        for connection in connections { connection.close() }
        completion(report)
    }

    /// How far it is.
    public var progress: Progress {
        Progress(
            readings: readings, compared: reading?.compared ?? 0, topics: reading?.topics.count ?? 0,
            unsettled: tracker.unsettledCount, lasting: tracker.lasting.count, failure: failure?.reason)
    }

    // MARK: Readings

    private func read() {
        let now = platform.now
        // With `every`, readings of everything come when they are due; without, there is one.
        isRecheck = last != nil && now < nextFull && failure == nil
        if !isRecheck, let every = options.every {
            nextFull = now + every
        } else if !isRecheck {
            nextFull = .distantFuture
        }
        reading = ShadowReading(
            platform: platform, connections: connections, options: options, only: isRecheck ? tracker.topics : nil
        ) { [weak self] in self?.took($0) }
        reading?.start()
    }

    private func took(_ result: Result<ShadowResult, ShadowFailure>) {
        guard !isEnded, let reading else { return }
        let began = reading.began
        self.reading = nil
        switch result {
        case .failure(let failure): failed(failure)
        case .success(let result):
            if let before = failure { onLine?("the \(before.server) answers again") }
            failure = nil
            take(result, began: began)
        }
    }

    private func take(_ result: ShadowResult, began: Instant) {
        let now = platform.now
        if last == nil { lastDiffering = result.findings.isEmpty ? nil : now }
        let change = tracker.take(result.findings, began: began, now: now)
        healed += change.healed.count
        tell(change, now)
        if !tracker.lasting.isEmpty { lastDiffering = now }
        if isRecheck {
            last?.listings = result.listings
        } else {
            last = result
            readings += 1
        }
        let isSettled = tracker.unsettledCount == 0
        if options.every == nil, isSettled { return stop() }
        if !isRecheck, options.every != nil { onReading?(report) }
        schedule(now)
    }

    private func failed(_ failure: ShadowFailure) {
        if self.failure?.server != failure.server {
            onLine?("the \(failure.server) does not answer: \(failure.reason)")
        }
        self.failure = failure
        // Once means that somebody waits for the answer.
        guard let every = options.every else { return stop() }
        timer.start(at: platform.now + min(every, options.timeout))
    }

    /// The next reading of everything, or an earlier one of what was found: four times while it settles.
    private func schedule(_ now: Instant) {
        var next = max(nextFull, now)
        if let settled = tracker.nextSettled {
            next = min(next, max(now + min(options.settle / 4, max(settled - now, .zero)), now + Self.recheckPause))
        }
        timer.start(at: next)
    }

    /// Between two readings of what was found.
    private static let recheckPause = Duration.milliseconds(10)

    private func tell(_ change: ShadowTracker.Change, _ now: Instant) {
        guard let onLine else { return }
        for row in ShadowRow.rows(change.appeared, now: now) { onLine("DIFFERS \(row.line)") }
        for row in ShadowRow.rows(change.healed, now: now) { onLine("HEALED \(row.line)") }
    }

    // MARK: The report

    private var report: ShadowReport {
        let now = platform.now
        let servers = ShadowServer.allCases.map { server in
            ShadowReport.Server(
                address: addresses[server.index].description, software: last?.listings[server.index].software,
                error: failure?.server == server ? failure?.reason : nil)
        }
        let listings = last?.listings ?? []
        return ShadowReport(
            reference: servers[0], candidate: servers[1], readings: readings,
            groups: Set(listings.flatMap(\.groups.keys)).count, topics: last?.topics ?? 0,
            keyValues: Set(
                listings.flatMap { listing in
                    listing.keyValues.flatMap { namespace, table in (table ?? [:]).keys.map { "\(namespace)/\($0)" } }
                }
            ).count,
            differences: ShadowRow.rows(tracker.lasting, now: now), unsettled: tracker.unsettledCount, healed: healed,
            quietMillis: last == nil ? 0 : (now - (lastDiffering ?? startedAt)).wholeMilliseconds,
            notes: last?.notes ?? [])
    }
}
