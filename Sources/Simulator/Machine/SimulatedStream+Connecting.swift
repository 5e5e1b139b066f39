import Basics
import Platform

extension SimulatedStream {
    /// Starts the handshake; `remoteAddress` may name a host.
    func connect(timeout: Duration) {
        let timer = SimulatedTimer(platform.timers) { [unowned self] in finish(.connectTimeout) }
        timer.start(at: platform.now + timeout)
        self.timer = timer
        connectStarted = world.time
        // A shadow's own connections go nowhere.
        if platform.isShadow { return }
        if world.host(at: remoteAddress.host) == nil {
            let lookup = PlatformError(
                operation: "look up \(remoteAddress.host)", name: "EAI_NONAME", message: "unknown node or service")
            return platform.later(after: 1_000_000) { [self] in finish(.system(lookup)) }
        }
        sendSYN()
    }

    private var target: Host? { world.host(at: remoteAddress.host) }

    private func forward(_ target: Host) -> Link { world.link(from: platform.host, to: target) }
    private func backward(_ target: Host) -> Link { world.link(from: target, to: platform.host) }

    func sendSYN() {
        guard phase == .connecting, platform.isAlive, let target else { return }
        schedule(.synArrives, at: forward(target).arrival(of: 60, now: world.time, random: &world.random))
    }

    /// At the other host's kernel.
    func synArrives() {
        guard phase == .connecting, platform.isAlive, let target else { return }
        let link = forward(target)
        if link.cuts > 0 || !target.answersPackets { return retrySYN() }
        if link.stalledUntil > world.time { return schedule(.synArrives, at: link.stalledUntil) }
        let listener = target.listeners[remoteAddress.port]
        accepter = listener?.isOpen == true ? listener : nil
        let answer = backward(target).arrival(of: 60, now: world.time, random: &world.random)
        schedule(accepter == nil ? .refused : .synAckArrives, at: answer)
    }

    private func retrySYN() {
        schedule(.synRetry, at: Retransmission.nextConnect(after: world.time, since: connectStarted))
    }

    /// Back at our kernel: the connection is up, and its first packet tells the other end so.
    func synAckArrives() {
        guard phase == .connecting, platform.isAlive, let target else { return }
        let link = backward(target)
        if link.cuts > 0 || !platform.host.answersPackets { return retrySYN() }
        if link.stalledUntil > world.time { return schedule(.synAckArrives, at: link.stalledUntil) }
        guard let accepter, accepter.isOpen else { return refused() }
        let ownAddress = Address(host: platform.host.ip, port: platform.host.nextPort())
        self.ownAddress = ownAddress
        let other = SimulatedStream(
            accepter.platform, remote: ownAddress, options: accepter.options, handler: nil, listener: accepter)
        other.ownAddress = remoteAddress
        accepter.platform.add(other)
        accepter.members += 1
        join(other, carriesGossip: world.gossipPorts.contains(remoteAddress.port))
        self.accepter = nil
        outgoing?.send(.handshake)
        schedule(.opened)
    }

    private func join(_ other: SimulatedStream, carriesGossip: Bool) {
        let there = Pipe(from: self, to: other, carriesGossip: carriesGossip)
        let back = Pipe(from: other, to: self, carriesGossip: carriesGossip)
        (peer, other.peer) = (other, self)
        (outgoing, other.incoming) = (there, there)
        (incoming, other.outgoing) = (back, back)
    }

    func refused() {
        guard phase == .connecting, platform.isAlive, let target else { return }
        if backward(target).cuts > 0 || !platform.host.answersPackets { return retrySYN() }
        failed("ECONNREFUSED", "connection refused")
    }

    func opened() {
        guard phase == .connecting else { return }
        open()
        if !unsent.isEmpty {
            let early = unsent
            unsent = []
            early.withUnsafeBytes { send($0) }
        }
        announce()
        if drainsWhenOpen { closeAfterWriting() }
    }

    /// The handshake's last packet reached us, the accepting end.
    func arrived() {
        guard let listener else { return }
        if let shadow = platform.shadow, platform.mirroredPorts.contains(listener.address.port) {
            makeMirror(on: shadow, listener.address.port)
        }
        occur(Happening.accept.rawValue)
        mirror?.occur(Happening.accept.rawValue)
    }

    func makeMirror(on shadow: SimulatedPlatform, _ port: UInt16) {
        guard let listener = shadow.shadowListeners[port] else { return }
        let copy = SimulatedStream(
            shadow, remote: remoteAddress, options: listener.options, handler: nil, listener: listener)
        copy.ownAddress = ownAddress
        shadow.add(copy)
        listener.members += 1
        mirror = copy
        comparison = MirrorComparison(world, remoteAddress, platform.host)
        copy.comparison = comparison
    }

    func accepted() {
        guard phase == .connecting, let listener else { return }
        guard let acceptor = listener.handler, listener.members <= listener.options.connectionLimit else {
            return finish(.local)
        }
        open()
        guard let streamHandler = acceptor.accept(self) else { return finish(.local) }
        handler = streamHandler
        announce()
    }
}
