// One node: the NameServer core behind a listening socket.
//
//   stream ──bytes──▶ ClientConnection ──frame──▶ NameServer.handle ──▶ answer bytes, directives
//                                                        ▲                        │
//                    scan timer, closed connections ─────┘      close, notify, persist, log ◀┘
//
// Everything runs on the platform's one thread. The core decides; this shell only carries.

import AccessControl
import Basics
import GossipCore
import Logging
import NameServerCore
import Platform
import Remoting
import RemotingTransport

/// A NameServer node on a platform.
public final class NameServerNode {
    /// Where the node listens, with the port the system chose.
    public var address: Address { listener?.address ?? options.listen }

    let platform: any Platform
    let options: NodeOptions
    /// Behind a pointer: class properties would pay for dynamic exclusivity checks on each request (half of the user
    /// time of a plain design, measured before the project began).
    let hot: UnsafeMutablePointer<HotState>
    private(set) var shutdownPhase = ShutdownPhase.running {
        didSet { hot.pointee.isShuttingDown = shutdownPhase != .running }
    }

    /// Nil in mode disabled.
    var tls: RemotingTLS?
    /// Who may do what.
    let access: NodeAccess

    /// Large registrations on their way.
    private(set) lazy var registrations = RegistrationQueue(node: self)

    let log: NodeLog
    private let notifier: MinBrokerNotifier
    private var listener: (any Listener)?
    /// Directives are being carried out; one may lead to others.
    private var isCarryingOut = false
    private(set) var connections: [UInt64: ClientConnection] = [:]
    private(set) var gossip: GossipShell?
    private(set) var http: HTTPShell?
    /// Connections of brokers, clients and tools so far.
    var connectionCounts = ConnectionCounts()
    /// When the next usual scan is due.
    private var nextScan = Instant.distantFuture
    /// When it was last noticed that this node had stood still.
    private var awakeSince = Instant.zero
    private lazy var graceTimer = platform.makeTimer { [weak self] in self?.endGraces() }
    private lazy var scanTimer = platform.makeTimer { [weak self] in self?.scan() }
    private lazy var shutdownTimer = platform.makeTimer { [weak self] in self?.shutdownPhaseEnded() }
    private var onStopped: (() -> Void)?
    private var answeringLimit = Instant.zero
    private var answered = 0

    /// What every request touches.
    struct HotState: ~Copyable {
        var core: NameServer
        var header = CommandHeader()
        let classes = RequestClassTable()
        var directives: [Directive] = []
        /// `shutdownPhase` is not `running`.
        var isShuttingDown = false
        /// The file of stamps must be written, together with what else the directives ask for.
        var stampsAreDue = false
    }

    /// Reads the KV file and prepares the tables; `start` opens the port.
    ///
    /// A KV file that cannot be parsed is renamed to `FILE.broken-<milliseconds>` and reported; the node starts without it.
    ///
    /// - Throws: `PlatformError` when the file exists and cannot be read or set aside, or certificates or accounts cannot be
    ///   used.
    public init(platform: any Platform, options: NodeOptions, logger: Logger) throws(PlatformError) {
        self.platform = platform
        self.options = options
        let log = NodeLog(logger: logger)
        self.log = log
        tls = try RemotingTLS.made(options.tls, platform: platform, log: log)
        access = try NodeAccess(options.access, node: options.name, platform: platform, log: log)
        notifier = MinBrokerNotifier(platform: platform)
        let kv = try Self.readKeyValues(platform, options, log)
        let core = NameServer(
            name: options.name, software: options.software, properties: options.properties, limits: options.limits,
            kv: kv, startedAt: platform.now)
        hot = .allocate(capacity: 1)
        hot.initialize(to: HotState(core: core))
        if let gossip = options.gossip { prepare(gossip) }
    }

    private func prepare(_ options: GossipOptions) {
        let settings = options.settings
        guard settings.mode != .off else { return }
        hot.pointee.core.trackFirstHand(hash: settings.hash)
        if settings.mode >= .protect, settings.closeGrace > .zero { hot.pointee.core.closeGrace = settings.closeGrace }
        gossip = GossipShell(node: self, platform: platform, options: options, log: log)
        gossipStateChanged(to: .warming)
        if settings.replicatesKeyValues { restoreStamps() }
        gossip?.firstHand(.administered)
    }

    /// Beside RocketMQ's file, which stays as it is; without `replicate: [kv]` it is neither read nor written.
    private var stampsPath: String {
        let path = options.properties.kvConfigPath
        return path.isEmpty ? "" : path + ".stamps"
    }

    /// A file of stamps that cannot be read is reported and written anew; no key is lost by that.
    private func restoreStamps() {
        let path = stampsPath
        do {
            let stamps = path.isEmpty ? nil : try platform.files.read(path, limit: options.kvFileLimit)
            try gossip?.restoreKeyValues(hot.pointee.core.keyValueTable, stamps: stamps)
        } catch {
            log.stampsUnreadable(path: path, error: error)
            if error is PlatformError { try? gossip?.restoreKeyValues(hot.pointee.core.keyValueTable, stamps: nil) }
        }
    }

    deinit {
        hot.deinitialize(count: 1)
        hot.deallocate()
    }

    private static func readKeyValues(
        _ platform: any Platform, _ options: NodeOptions, _ log: NodeLog
    ) throws(PlatformError) -> KVConfigFile {
        let path = options.properties.kvConfigPath
        guard !path.isEmpty, let bytes = try platform.files.read(path, limit: options.kvFileLimit) else {
            return KVConfigFile()
        }
        do {
            return try KVConfigFile(decoding: bytes)
        } catch {
            let aside = "\(path).broken-\(platform.wallTime.milliseconds)"
            try platform.files.rename(path, to: aside)
            log.keyValuesSetAside(path: path, aside: aside, error: error)
            return KVConfigFile()
        }
    }

    /// Opens the port and starts the scan.
    public func start() throws(PlatformError) {
        listener = try platform.listen(at: options.listen, options: options.stream, handler: self)
        tls?.start()
        access.start()
        scheduleScan()
        try gossip?.start()
        if let options = options.http { http = try HTTPShell(node: self, options: options) }
        if case .plaintext(beyondLoopback: true) = options.gossip?.security { log.gossipInsecure() }
        log.started(at: address, http: httpAddress)
    }

    /// Stops accepting, answers what is in flight, and calls back within `shutdownDeadline`.
    ///
    /// With RocketMQ's `enableShutdownGracefully`, the port first stays open for `shutdownWaitTimeSeconds` and clients
    /// newer than 5.3.1 are sent elsewhere (code 1500, protocol.md 1.13).
    public func shutdown(completion: @escaping () -> Void) {
        guard shutdownPhase == .running else { return }
        onStopped = completion
        scanTimer.cancel()
        graceTimer.cancel()
        tls?.stop()
        access.stop()
        gossip?.stop()
        let properties = hot.pointee.core.properties
        let wait = properties.enableShutdownGracefully ? Duration.seconds(properties.shutdownWaitTimeSeconds) : .zero
        log.stopping(wait: wait, deadline: options.shutdownDeadline)
        advanceShutdown(to: .sendingElsewhere, for: wait)
    }

    /// The steps of a shutdown, each with its own time limit.
    enum ShutdownPhase: Int {
        case running
        /// Listening, and answering newer clients with GO_AWAY.
        case sendingElsewhere
        /// Not listening; requests that have reached this machine are still answered.
        case answering
        /// Connections close as soon as nothing of them waits.
        case draining
        case stopped
    }

    /// How long requests already on their way are still read after the port has closed.
    private static let answeringTime = Duration.milliseconds(100)

    /// And how long at most while more of them keep arriving: below the time `hearsay run` gives its children.
    private static let longestAnswering = Duration.seconds(1)

    /// Whether requests came since the last look, or wait for the disk with others behind them.
    private var isStillAnswering: Bool {
        let before = answered
        answered = hot.pointee.core.counters.requests
        guard platform.now < answeringLimit else { return false }
        return answered != before || connections.values.contains { $0.isWaiting }
    }

    private func advanceShutdown(to phase: ShutdownPhase, for duration: Duration) {
        shutdownPhase = phase
        shutdownTimer.start(at: platform.now + duration)
    }

    private func shutdownPhaseEnded() {
        switch shutdownPhase {
        case .running, .stopped: break
        case .sendingElsewhere:
            listener?.close()
            answeringLimit = platform.now + Self.longestAnswering
            answered = hot.pointee.core.counters.requests
            advanceShutdown(to: .answering, for: Self.answeringTime)
        case .answering:
            if isStillAnswering { return advanceShutdown(to: .answering, for: Self.answeringTime) }
            advanceShutdown(to: .draining, for: options.shutdownDeadline)
            for id in connections.keys.sorted() { connections[id]?.drain() }
            if connections.isEmpty { stopped() }
        case .draining:
            for id in connections.keys.sorted() { connections[id]?.abandon() }
            stopped()
        }
    }

    private func stopped() {
        guard shutdownPhase != .stopped else { return }
        shutdownPhase = .stopped
        shutdownTimer.cancel()
        notifier.close()
        http?.stop()
        access.audit.flush()
        let completion = onStopped
        onStopped = nil
        completion?()
    }

    private func scheduleScan() {
        nextScan = platform.now + options.scanInterval
        scanTimer.start(at: nextScan)
    }

    private func scan() {
        // What waits in the sockets is read first.
        if noticeStandstill() { return scanTimer.start(at: platform.now) }
        hot.pointee.core.scan(now: platform.now, wallTime: platform.wallTime, directives: &hot.pointee.directives)
        carryOut()
        scheduleScan()
        scheduleGraces()
    }

    /// Looks whether this node has stood still: whether something that should have happened long ago has not. If so no broker is
    /// let go for what this node itself missed (gossip.md 2.7). Asked before anything is judged by the time.
    ///
    /// Without gossip, and in mode observe, the node does what RocketMQ's does: it judges by the clock alone.
    func noticeStandstill() -> Bool {
        guard let gossip, gossip.options.settings.mode >= .protect, shutdownPhase == .running else { return false }
        let now = platform.now
        let due = max(min(nextScan, gossip.wakesAt), awakeSince)
        // A late timer of a busy node is none: gossip itself gives its peers as long.
        guard due < now, now - due > gossip.options.settings.period else { return false }
        awakeSince = now
        hot.pointee.core.stoodStill(for: now - due, now: now)
        log.stoodStill(for: now - due)
        scheduleGraces()
        return true
    }

    /// Lets go, between the scans, what waits for no scan: replicas whose connection closed and that no peer hears.
    private func endGraces() {
        if noticeStandstill() { return }
        hot.pointee.core.endGraces(
            now: platform.now, wallTime: platform.wallTime, directives: &hot.pointee.directives)
        carryOut()
        scheduleGraces()
    }

    func scheduleGraces() {
        guard shutdownPhase == .running, let due = hot.pointee.core.nextRemoval else { return graceTimer.cancel() }
        graceTimer.start(at: max(due, platform.now))
    }

    func gossipStateChanged(to state: NodeState) {
        guard let gossip = options.gossip else { return }
        // Mode observe changes no answer.
        let gates = gossip.gatesUnknownTopics && gossip.settings.mode >= .protect
        hot.pointee.core.setServing(isReady: state == .ready, gatesUnknownTopics: gates)
    }

    /// Answers GET_GOSSIP_STATUS; says whether there is gossip to tell about.
    func answerGossipStatus(_ output: inout ByteWriter) -> Bool {
        guard let gossip else { return false }
        let header = hot.pointee.header.opaque
        let mark = ResponseFrame.begin(
            &output, code: ResponseCode.success, opaque: header, remark: nil, fields: .absent)
        gossip.encodeStatus(into: &output)
        ResponseFrame.end(&output, mark)
        return true
    }

    /// Where the node listens for peers; nil in mode off.
    public var gossipAddress: Address? { gossip?.address }

    /// Where the node answers HTTP; nil without it.
    public var httpAddress: Address? { http?.address }

    /// Connections open now.
    var connectionCount: Int { connections.count }

    /// Looks at the tables, for checks; nothing may be kept of them.
    public func inspectTables<Result>(_ body: (borrowing NameServer) -> Result) -> Result { body(hot.pointee.core) }

    /// Looks at the gossip core, for checks; nil in mode off.
    public func inspectGossip<Result>(_ body: (borrowing Gossip) -> Result) -> Result? {
        gossip.map { body($0.core.pointee) }
    }

    func connectionClosed(_ connection: ClientConnection, isIdle: Bool) {
        connections[connection.id] = nil
        if shutdownPhase.rawValue >= ShutdownPhase.draining.rawValue {
            // We hang up, not the brokers: no table is asked any more, and no line should say that they left.
            if connections.isEmpty { stopped() }
            return
        }
        _ = noticeStandstill()
        hot.pointee.core.connectionClosed(
            connection.id, isIdle: isIdle, now: platform.now, wallTime: platform.wallTime,
            directives: &hot.pointee.directives)
        carryOut()
    }

    /// Does what the core asked for. Answers true when the answer just written must wait for the disk.
    @discardableResult
    func carryOut(for connection: ClientConnection? = nil) -> Bool {
        if hot.pointee.directives.isEmpty, !hot.pointee.stampsAreDue { return false }
        let isOutermost = !isCarryingOut
        isCarryingOut = true
        let directives = hot.pointee.directives
        hot.pointee.directives.removeAll(keepingCapacity: true)
        var waits = false
        for directive in directives {
            switch directive {
            case .close(let id): connections[id]?.abandon()
            case .notify(let addresses, let command): notifier.notify(addresses, command)
            case .persistKV(let bytes):
                waits = persist(bytes, at: options.properties.kvConfigPath, for: connection) || waits
            case .persistProperties(let bytes):
                waits = persist(bytes, at: options.properties.configStorePath, for: connection) || waits
            case .firstHand(let change):
                gossip?.firstHand(change)
                if case .closed = change { scheduleGraces() }
            case .learnedDropped(let replica, let drop): gossip?.learnedDropped(replica, drop)
            case .event(let event):
                log.event(event, now: platform.now)
                http?.happened(event)
            }
        }
        guard isOutermost else { return waits }
        isCarryingOut = false
        if hot.pointee.stampsAreDue, let stamps = gossip?.core.pointee.keyValueStamps {
            hot.pointee.stampsAreDue = false
            waits = persist(stamps, at: stampsPath, backup: false, for: connection) || waits
        }
        return waits
    }

    /// A failed write is logged and the request still answered with success, as RocketMQ does: the change is in force.
    private func persist(
        _ bytes: [UInt8], at path: String, backup: Bool = true, for connection: ClientConnection?
    ) -> Bool {
        guard !path.isEmpty else { return false }
        connection?.beginWaiting()
        platform.files.replace(path, with: bytes, backup: backup) { [weak self, weak connection] error in
            if let error { self?.log.persistFailed(path: path, error: error) }
            connection?.endWaiting()
        }
        return connection != nil
    }
}

extension NameServerNode: ListenerHandler {
    /// Gives each accepted connection its handler.
    public func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let connection = ClientConnection(node: self, stream: stream)
        connectionCounts.accepted += 1
        connections[stream.id] = connection
        return connection
    }
}
