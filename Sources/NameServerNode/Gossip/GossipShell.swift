// Gossip's sockets and timers.
//
//     peers ◀──frames──▶ GossipConnection ◀──▶ Gossip (core) ──directives──▶ hold · release · learn · forget
//                                                 ▲                               │
//              the tables' first-hand changes ────┘        NameServer (core) ◀────┘
//
// Everything runs on the platform's one thread. The cores decide; this shell only carries between them.

import Basics
import GossipCore
import NameServerCore
import Platform
import SecureTransport

/// A node's part in the gossip between nodes.
final class GossipShell {
    /// How long a peer may take to accept a connection.
    private static let connectTimeout = Duration.seconds(3)

    /// Two frames of the largest size may wait in the clear.
    private static let secureOptions: SecureOptions = {
        var options = SecureOptions()
        options.plaintextLimit = 4 * WireLimits.frameBytes
        return options
    }()

    let options: GossipOptions
    /// Who may connect; from the options at first.
    lazy var admits = options.admits
    /// Behind a pointer, as the node's own core: class properties pay for exclusivity checks.
    let core: UnsafeMutablePointer<Gossip>
    var now: Instant { platform.now }

    private let platform: any Platform
    unowned let node: NameServerNode
    private let log: NodeLog
    private var addresses: [Address]
    private var connections: [LinkID: GossipConnection] = [:]
    private var listener: (any Listener)?
    private var isStopped = false
    /// When time is to be handed in again.
    private(set) var wakesAt = Instant.distantFuture
    private lazy var timer = platform.makeTimer { [weak self] in self?.wake() }
    private lazy var discoveryTimer = platform.makeTimer { [weak self] in self?.discover() }
    /// Frames that were not sent because the peer did not read.
    private(set) var droppedSends = 0

    init(node: NameServerNode, platform: any Platform, options: GossipOptions, log: NodeLog) {
        self.node = node
        self.platform = platform
        self.options = options
        self.log = log
        addresses = options.peers
        var random = SeededGenerator(seed: options.seed)
        core = .allocate(capacity: 1)
        core.initialize(
            to: Gossip(options.settings, incarnation: random.next(), seed: random.next(), now: platform.now))
    }

    deinit {
        core.deinitialize(count: 1)
        core.deallocate()
    }

    /// Where the node listens for peers, with the port the system chose.
    var address: Address { listener?.address ?? options.listen }

    func peerAddress(_ peer: Int) -> Address? { peer < options.peers.count ? options.peers[peer] : nil }

    // MARK: Life

    func start() throws(PlatformError) {
        let handler: any ListenerHandler =
            switch options.security {
            case .plaintext: self
            case .tls(let server, _):
                SecureListener(on: platform, context: server, options: Self.secureOptions, handler: self)
            }
        var streams = StreamOptions()
        streams.connectionLimit = 2 * GossipLimits.links
        listener = try platform.listen(at: options.listen, options: streams, handler: handler)
        if options.discovery != nil { discover() }
        wake()
    }

    /// Says goodbye to the peers and ends all connections.
    func stop() {
        guard !isStopped else { return }
        input { core, _, directives in core.stop(now: self.now, directives: &directives) }
        isStopped = true
        timer.cancel()
        discoveryTimer.cancel()
        listener?.close()
        for link in connections.keys.sorted() { connections[link]?.close() }
    }

    private func wake() {
        // What waits in the sockets is read first.
        if node.noticeStandstill() { return timer.start(at: now) }
        wakesAt = .distantFuture
        input { core, tables, directives in
            core.advance(
                tables: tables, now: self.now, wallTime: self.platform.wallTime, directives: &directives)
        }
    }

    private func schedule() {
        guard !isStopped else { return }
        // Never within the same turn: sockets come first.
        let next = max(core.pointee.nextWake, now + .milliseconds(1))
        guard next < wakesAt || wakesAt < now else { return }
        wakesAt = next
        timer.start(at: next)
    }

    // MARK: Into the core

    /// Hands something in and carries out what follows.
    func input(_ body: (inout Gossip, borrowing NameServer, inout [GossipDirective]) -> Void) {
        guard !isStopped else { return }
        _ = node.noticeStandstill()
        var directives: [GossipDirective] = []
        body(&core.pointee, node.hot.pointee.core, &directives)
        for directive in directives { carryOut(directive) }
        if !directives.isEmpty { node.carryOut() }
        schedule()
    }

    func firstHand(_ change: FirstHandChange) {
        let now = now
        input { core, tables, directives in
            switch change {
            case .registered(let replica):
                core.registered(replica, tables: tables, now: now, directives: &directives)
            case .closed(let replica):
                core.connectionClosed(replica, tables: tables, now: now, directives: &directives)
            case .removed(let replica, let identity, let departed):
                core.removed(replica, FirstHandRemoval(departed), now: now, directives: &directives)
                core.replicaLeft(broker: identity.name, tables: tables)
            case .saidGoodbye(let identity): core.saidGoodbye(identity, now: now, directives: &directives)
            case .administered:
                let hash = self.options.settings.hash
                core.administered(
                    keyValues: tables.keyValueDigest(hash: hash),
                    administration: tables.administrationDigest(hash: hash))
            case .wrote(.keyValue(let namespace, let key, let value)):
                core.wroteKeyValue(
                    namespace: namespace, key: key, value: value, wallTime: self.platform.wallTime,
                    directives: &directives)
            case .wrote(.writePermission(let broker, let grants, let basis)):
                core.changedPermission(
                    broker: broker, grants: grants, registrationHash: basis, wallTime: self.platform.wallTime)
            }
        }
    }

    /// What the key-value files held at the start.
    func restoreKeyValues(
        _ values: [String: [String: String]], stamps: [UInt8]?
    ) throws(GossipFormatError) {
        try core.pointee.restoreKeyValues(values, stamps: stamps, wallTime: platform.wallTime)
    }

    /// The tables dropped something learned, though gossip did not ask for it.
    func learnedDropped(_ replica: ReplicaIdentity, _ drop: LearnedDrop) {
        let now = now
        input { core, _, directives in
            if drop == .unregistered {
                core.saidGoodbye(replica, now: now, directives: &directives)
            } else {
                core.refusedToLearn(replica, now: now)
            }
        }
    }

    func opened(_ connection: GossipConnection, _ link: LinkID) {
        connections[link] = connection
        let now = now
        input { core, _, directives in
            core.linkOpened(link, contact: connection.contact, now: now, directives: &directives)
        }
    }

    func received(_ frame: UnsafeRawBufferPointer, on link: LinkID) {
        let now = now
        input { core, tables, directives in
            core.received(frame, on: link, tables: tables, now: now, directives: &directives)
        }
    }

    func malformed(_ link: LinkID, _ error: GossipFormatError) {
        let now = now
        input { core, _, directives in core.malformed(link, error, now: now, directives: &directives) }
    }

    func closed(_ connection: GossipConnection, _ link: LinkID, _ reason: CloseReason) {
        connections[link] = nil
        let now = now
        let problem = Self.words(for: reason)
        input { core, _, directives in
            if connection.isOpen {
                core.linkClosed(link, problem: problem, now: now, directives: &directives)
            } else if let contact = connection.contact {
                core.dialFailed(contact: contact, problem: problem, now: now)
            } else {
                core.refusedLink()
            }
        }
        if !connection.isOpen, case .secure = reason { log.gossipRefused(connection.remote, problem, now: now) }
    }

    private static func words(for reason: CloseReason) -> String {
        switch reason {
        case .local: "closed here"
        case .endOfStream: "its connection closed"
        case .connectTimeout: "no connection within \(connectTimeout.wholeMilliseconds) ms"
        case .slowPeer: "it does not read"
        case .idle: "its connection was idle"
        case .system(let error): error.message
        case .secure(let failure): "\(failure)"
        }
    }

    // MARK: Out of the core

    private func carryOut(_ directive: GossipDirective) {
        switch directive {
        case .dial(let contact): dial(contact)
        case .send(let link, let frames): if connections[link]?.send(frames) != true { droppedSends += 1 }
        case .close(let link): connections[link]?.close()
        case .state(let state): node.gossipStateChanged(to: state)
        case .event(let event):
            log.gossip(event, now: now)
            node.http?.happened(event)
        case .stampsChanged: node.hot.pointee.stampsAreDue = true
        case .hold, .release, .unregister, .learn, .learnAll, .extend, .forget, .applyKeyValues, .applyPermissions:
            carryOutInTables(directive)
        }
    }

    private func carryOutInTables(_ directive: GossipDirective) {
        let hot = node.hot
        let (now, wallTime) = (now, platform.wallTime)
        switch directive {
        case .hold(let replica, let until, let witness):
            hot.pointee.core.hold(replica, until: until, witness: witness)
        case .release(let replica):
            hot.pointee.core.release(
                replica, cause: "no peer heard it either", now: now, wallTime: wallTime,
                directives: &hot.pointee.directives)
        case .unregister(let replica, let peer):
            hot.pointee.core.unregister(
                replica, saidTo: peer, now: now, wallTime: wallTime, directives: &hot.pointee.directives)
        case .learn(let learned): learn([learned], images: learned.image)
        case .learnAll(let batch, let images): learn(batch, images: images)
        case .extend(let identity, let until, let isProvisional):
            hot.pointee.core.extendLearned(identity, usableUntil: until, isProvisional: isProvisional)
        case .forget(let identity, let cause):
            hot.pointee.core.forgetLearned(
                identity, cause: cause, now: now, wallTime: wallTime, directives: &hot.pointee.directives)
        case .applyKeyValues(let operations):
            hot.pointee.core.applyKeyValues(
                operations.map { ReplicatedKeyValue($0) }, now: now, wallTime: wallTime,
                directives: &hot.pointee.directives)
        case .applyPermissions(let operations):
            for operation in operations {
                hot.pointee.core.applyWritePermission(
                    broker: operation.brokerName, grants: operation.grants, origin: operation.node, now: now,
                    wallTime: wallTime, directives: &hot.pointee.directives)
            }
        default: break
        }
        node.scheduleGraces()
    }

    /// One damaged image spoils its run; otherwise each replica is learned, or not, by itself.
    private func learn(_ batch: [LearnedFromPeer], images bytes: [UInt8]) {
        let hot = node.hot
        let images = try? RegistrationImages.decode(bytes, replicas: batch.count)
        for (index, learned) in batch.enumerated() where learned.usableUntil > now {
            let replica = LearnedReplica(
                summary: learned.summary, origin: learned.origin, isProvisional: learned.isProvisional,
                usableUntil: learned.usableUntil)
            let outcome = images.map {
                hot.pointee.core.learn(
                    replica, image: index, of: $0, now: now, wallTime: platform.wallTime,
                    directives: &hot.pointee.directives)
            }
            if outcome != .learned { core.pointee.refusedToLearn(learned.summary.identity, now: now) }
        }
    }

    private func dial(_ contact: Int) {
        let connection = GossipConnection(shell: self, contact: contact)
        let address = addresses[contact]
        guard mayTalk(to: address.host) || !address.isNumeric else {
            core.pointee.dialFailed(
                contact: contact,
                problem: "plaintext gossip with \(address) is refused; configure gossip.preSharedKeys",
                now: now)
            return
        }
        let stream: any ByteStream =
            switch options.security {
            case .plaintext:
                platform.connect(
                    to: address, timeout: Self.connectTimeout, options: StreamOptions(), handler: connection)
            case .tls(_, let client):
                SecureStream.connect(
                    on: platform, to: address, timeout: Self.connectTimeout, context: client,
                    secure: Self.secureOptions, handler: connection)
            }
        connection.attach(stream)
    }

    /// Whether a peer at this address may take part without TLS.
    private func mayTalk(to host: String) -> Bool {
        switch options.security {
        case .plaintext(let beyondLoopback): beyondLoopback || Address(host: host, port: 0).isLoopback
        case .tls: true
        }
    }

    // MARK: Finding peers by name

    private func discover() {
        guard let name = options.discovery, !isStopped else { return }
        discoveryTimer.start(at: now + options.discoveryInterval)
        platform.resolve(name) { [weak self] result in
            guard let self, !isStopped else { return }
            switch result {
            case .success(let found): for address in found { add(address, among: found) }
            case .failure(let error): log.discoveryFailed(name, error, now: now)
            }
        }
    }

    /// Peers that were found once are dialled on: a name may lose an address by mistake. One that it lost makes room for one
    /// that it has won, as where pods come back under new addresses.
    private func add(_ address: Address, among found: [Address]) {
        guard !addresses.contains(address), address != options.listen, mayTalk(to: address.host) else { return }
        let now = now
        let lost = (options.peers.count..<addresses.count).first {
            !found.contains(addresses[$0]) && core.pointee.replaceContact($0, now: now)
        }
        if let lost {
            addresses[lost] = address
            schedule()
        } else if addresses.count < GossipLimits.peers {
            addresses.append(address)
            input { core, _, _ in core.addContact(now: now) }
        }
    }
}

extension GossipShell: ListenerHandler {
    /// Lets a peer in, as far as its address goes; who it is it has to say first.
    func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let host = stream.remoteAddress.host
        guard !isStopped, admits(host), mayTalk(to: host) else {
            core.pointee.refusedLink()
            log.gossipRefused(
                stream.remoteAddress,
                mayTalk(to: host)
                    ? "gossip.allow does not name its address"
                    : "plaintext gossip is refused beyond this machine; configure gossip.preSharedKeys or certificates",
                now: now)
            return nil
        }
        let connection = GossipConnection(shell: self, contact: nil)
        connection.attach(stream)
        return connection
    }
}
