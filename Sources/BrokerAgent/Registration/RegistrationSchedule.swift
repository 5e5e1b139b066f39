// When to register what with which NameServer. Each NameServer has a state of its own, so a dead, slow or refusing one
// changes nothing for the others. The shell (`RegistrationAgent`) turns directives into requests and feeds the answers
// back; this file sees no socket and no clock.

import Basics

/// The decisions of a broker about its registrations (protocol.md 6.2, 6.3, 6.5, 6.7).
public struct RegistrationSchedule: Sendable {
    /// Something that happened.
    public enum Event: Hashable, Sendable {
        /// The broker is ready: register everywhere. Once, first.
        case started
        /// A deadline (`nextDeadline`) may have passed.
        case tick
        /// Topics were created or changed, and the DataVersion was increased.
        case topicsChanged([String])
        /// The answer to `register` with the same `attempt`, or the reason why there is none.
        case answered(server: Int, attempt: UInt64, Result<Acceptance, RegistrationFailure>)
        /// The connection to a NameServer closed. RocketMQ's NameServers drop a broker whose connection closes.
        case connectionClosed(server: Int, reason: String)
        /// The answer to `unregister`.
        case unregistered(server: Int, succeeded: Bool)
        /// The broker shuts down.
        case stopRequested
    }

    /// A NameServer's answer with code 0.
    public struct Acceptance: Hashable, Sendable {
        /// The master's address; only slaves are told (protocol.md 2.5 step 13).
        public var masterAddress: String?

        /// An answer, with the master's address if it carried one.
        public init(masterAddress: String? = nil) { self.masterAddress = masterAddress }
    }

    /// How much a registration carries.
    public enum Kind: Hashable, Sendable {
        /// Every topic.
        case full
        /// Only these topics, sorted: allowed only where a full registration was accepted (guard of 2.5 step 7).
        case incremental([String])
    }

    /// Something the shell must do.
    public enum Directive: Hashable, Sendable {
        /// Send REGISTER_BROKER (103), built now, and answer with the same `attempt`.
        case register(server: Int, attempt: UInt64, Kind)
        /// Send a light heartbeat (904), oneway.
        case heartbeat(server: Int)
        /// Send UNREGISTER_BROKER (104) and report the answer.
        case unregister(server: Int)
        /// A NameServer's phase changed: tell the operator. `registered` from anything but `starting` means it is back.
        case changed(server: Int, from: NameServerState.Phase, to: NameServerState.Phase)
        /// A slave's master is now at this address, or unknown.
        case masterChanged(String?)
        /// Shutdown is complete, or its time is over. Nothing follows.
        case finished
    }

    private struct Server: Sendable {
        var state = NameServerState()
        /// A full registration was accepted and nothing since says that the NameServer forgot it.
        var knowsUs = false
        var inFlight: UInt64?
        var inFlightKind = Kind.full
        var lastFullStart: Instant?
        /// Topics changed since the last registration was built for this server.
        var pendingTopics: Set<String> = []
        var nextHeartbeat: Instant?
        var unregistering = false
    }

    /// The rhythm.
    public let timings: RegistrationTimings
    /// The master's address as the NameServers tell it; nil for a master, and while none knows it.
    public private(set) var masterAddress: String?

    private var servers: [Server]
    private var attempts: UInt64 = 0
    private var stopDeadline: Instant?
    private var isFinished = false

    /// A schedule for NameServers numbered 0 to `serverCount` - 1.
    public init(serverCount: Int, timings: RegistrationTimings) {
        self.timings = timings
        servers = Array(repeating: Server(), count: serverCount)
    }

    /// What is known about each NameServer, in their order.
    public var states: [NameServerState] { servers.map(\.state) }

    /// When `tick` is due at the latest.
    public var nextDeadline: Instant {
        if isFinished { return .distantFuture }
        if let stopDeadline { return stopDeadline }
        return servers.reduce(.distantFuture) { earliest, server in
            min(earliest, server.state.nextAttempt ?? .distantFuture, server.nextHeartbeat ?? .distantFuture)
        }
    }

    /// Takes one event and appends what must be done.
    public mutating func handle(
        _ event: Event, now: Instant, random: inout some RandomNumberGenerator, directives: inout [Directive]
    ) {
        if isFinished { return }
        switch event {
        case .started:
            for index in servers.indices { register(index, .full, now: now, directives: &directives) }
        case .tick: tick(now: now, directives: &directives)
        case .topicsChanged(let topics): change(topics, now: now, directives: &directives)
        case .answered(let index, let attempt, let result):
            guard servers[index].inFlight == attempt else { return }
            servers[index].inFlight = nil
            if stopDeadline != nil { return }
            switch result {
            case .success(let acceptance): accept(acceptance, by: index, now: now, directives: &directives)
            case .failure(let failure): fail(failure, at: index, now: now, random: &random, directives: &directives)
            }
        case .connectionClosed(let index, let reason):
            // A registration in flight fails on its own; only an idle connection's end is news.
            guard servers[index].knowsUs, servers[index].inFlight == nil, stopDeadline == nil else { return }
            fail(.unreachable(reason), at: index, now: now, random: &random, directives: &directives)
        case .unregistered(let index, let succeeded):
            guard servers[index].unregistering else { return }
            servers[index].unregistering = false
            if succeeded { enter(.unregistered, index, &directives) }
            finishIfDone(&directives)
        case .stopRequested: stop(now: now, directives: &directives)
        }
    }

    // MARK: Registering

    private mutating func register(_ index: Int, _ kind: Kind, now: Instant, directives: inout [Directive]) {
        attempts += 1
        servers[index].inFlight = attempts
        servers[index].inFlightKind = kind
        servers[index].pendingTopics.removeAll()
        servers[index].state.nextAttempt = nil
        directives.append(.register(server: index, attempt: attempts, kind))
        // The period runs from start to start, whatever the answer takes.
        if case .full = kind { servers[index].lastFullStart = now }
    }

    private mutating func tick(now: Instant, directives: inout [Directive]) {
        if let stopDeadline {
            if now >= stopDeadline { finish(&directives) }
            return
        }
        for index in servers.indices {
            if let due = servers[index].state.nextAttempt, due <= now {
                register(index, .full, now: now, directives: &directives)
            }
            if let due = servers[index].nextHeartbeat, due <= now, let period = timings.heartbeatPeriod {
                directives.append(.heartbeat(server: index))
                servers[index].nextHeartbeat = due + period > now ? due + period : now + period
            }
        }
    }

    private mutating func change(_ topics: [String], now: Instant, directives: inout [Directive]) {
        guard stopDeadline == nil else { return }
        for index in servers.indices {
            // Where no full registration was accepted, the next one carries every topic anyway.
            guard servers[index].knowsUs || servers[index].inFlight != nil else { continue }
            servers[index].pendingTopics.formUnion(topics)
            if servers[index].inFlight == nil { sendPending(index, now: now, directives: &directives) }
        }
    }

    private mutating func sendPending(_ index: Int, now: Instant, directives: inout [Directive]) {
        let topics = servers[index].pendingTopics.sorted()
        if topics.isEmpty { return }
        let kind = topics.count > timings.incrementalTopicLimit ? Kind.full : .incremental(topics)
        register(index, kind, now: now, directives: &directives)
    }

    // MARK: Answers

    private mutating func accept(
        _ acceptance: Acceptance, by index: Int, now: Instant, directives: inout [Directive]
    ) {
        servers[index].knowsUs = true
        servers[index].state.lastSuccess = now
        servers[index].state.consecutiveFailures = 0
        servers[index].state.masterAddress = acceptance.masterAddress
        servers[index].state.nextAttempt = (servers[index].lastFullStart ?? now) + timings.period
        if let period = timings.heartbeatPeriod, servers[index].nextHeartbeat == nil {
            servers[index].nextHeartbeat = now + period
        }
        enter(.registered, index, &directives)
        chooseMaster(&directives)
        sendPending(index, now: now, directives: &directives)
    }

    private mutating func fail(
        _ failure: RegistrationFailure, at index: Int, now: Instant, random: inout some RandomNumberGenerator,
        directives: inout [Directive]
    ) {
        let wasIncremental = servers[index].inFlightKind != .full
        servers[index].inFlightKind = .full
        servers[index].knowsUs = false
        servers[index].nextHeartbeat = nil
        servers[index].pendingTopics.removeAll()
        servers[index].state.lastError = failure
        if case .refused = failure, wasIncremental {
            // The guard of 2.5 step 7: the NameServer lost us (it restarted, or we expired there). Not its failure.
            register(index, .full, now: now, directives: &directives)
            return
        }
        servers[index].state.consecutiveFailures += 1
        let failures = servers[index].state.consecutiveFailures
        servers[index].state.nextAttempt = now + timings.retryDelay(failures: failures, random: &random)
        if case .refused = failure {
            enter(.refused, index, &directives)
        } else {
            enter(.unreachable, index, &directives)
        }
    }

    private mutating func enter(_ phase: NameServerState.Phase, _ index: Int, _ directives: inout [Directive]) {
        let before = servers[index].state.phase
        if before == phase { return }
        servers[index].state.phase = phase
        directives.append(.changed(server: index, from: before, to: phase))
    }

    /// Keeps the known master as long as one NameServer still names it, so that a NameServer that cannot hear the
    /// master does not take it away from the slave.
    private mutating func chooseMaster(_ directives: inout [Directive]) {
        let told = servers.compactMap(\.state.masterAddress)
        if let masterAddress, told.contains(masterAddress) { return }
        if masterAddress == told.first { return }
        masterAddress = told.first
        directives.append(.masterChanged(masterAddress))
    }

    // MARK: Shutdown

    private mutating func stop(now: Instant, directives: inout [Directive]) {
        guard stopDeadline == nil else { return }
        stopDeadline = now + timings.unregisterTimeout
        for index in servers.indices {
            // Also where nothing was accepted yet: a registration that timed out may have arrived.
            servers[index].unregistering = true
            servers[index].nextHeartbeat = nil
            servers[index].state.nextAttempt = nil
            directives.append(.unregister(server: index))
        }
        finishIfDone(&directives)
    }

    private mutating func finishIfDone(_ directives: inout [Directive]) {
        if servers.allSatisfy({ !$0.unregistering }) { finish(&directives) }
    }

    private mutating func finish(_ directives: inout [Directive]) {
        isFinished = true
        directives.append(.finished)
    }
}
