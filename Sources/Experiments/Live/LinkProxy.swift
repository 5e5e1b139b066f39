// A TCP link between two processes that know nothing of it, and that can be made as bad as networks get.
//
//     caller ──▶ listener ──▶ ProxiedConnection: LinkFlow toTarget ▶, ◀ LinkFlow toCaller ──▶ target
//
// A cut is a network that loses every packet: connections stay open at both ends, nobody learns of a close, later
// connections seem to be accepted (the one thing that differs: a caller does not wait for an answer to its SYN), and
// what was sent meanwhile arrives after the link has healed, as TCP would send it again.

import Basics
import Platform

/// An address behind which another address is reached, for better or worse.
final class LinkProxy {
    /// One of the two ways of a link.
    enum Direction: CaseIterable {
        case toTarget
        case toCaller
    }

    /// Where callers connect instead of to the target.
    var address: Address { listener.address }
    /// Where it leads.
    let target: Address
    /// Connections so far.
    private(set) var accepted = 0

    fileprivate let platform: any Platform
    private let acceptor = LinkAcceptor()
    private let listener: any Listener
    private let pipes: [Direction: LinkPipe]
    fileprivate var connections: [UInt64: ProxiedConnection] = [:]

    /// A link that passes everything at once.
    ///
    /// - Parameters:
    ///   - address: where to listen.
    ///   - seed: decides what chance decides.
    init(
        platform: any Platform, at address: Address = Address(host: "127.0.0.1", port: 0), to target: Address,
        seed: UInt64
    ) throws(PlatformError) {
        self.platform = platform
        self.target = target
        var random = SeededGenerator(seed: seed)
        pipes = [.toTarget: LinkPipe(seed: random.next()), .toCaller: LinkPipe(seed: random.next())]
        var options = StreamOptions()
        // The flows bound what waits for a caller; two limits would wait for each other.
        options.highWaterMark = .max
        listener = try platform.listen(at: address, options: options, handler: acceptor)
        acceptor.proxy = self
    }

    /// Connections that are open, dead ones among them.
    var openConnections: Int { connections.count }

    /// Changes how one way treats what is sent from now on, and whether anything passes.
    func set(_ conditions: ProxyConditions, _ direction: Direction) {
        guard let pipe = pipes[direction], pipe.conditions != conditions else { return }
        pipe.conditions = conditions
        for connection in inOrder { connection.conditionsChanged() }
    }

    /// Breaks every connection, for both ends.
    func reset() {
        for connection in inOrder { connection.reset() }
    }

    /// Every connection that is up goes dead: nothing passes any more, and nobody is told. Later ones work.
    func goSilent() {
        for connection in inOrder { connection.goSilent() }
    }

    /// One end's machine is back after `goSilent` and knows none of the dead connections: who still sends on one hears a
    /// reset.
    func forgetSilent() {
        for connection in inOrder { connection.forgetSilent() }
    }

    /// Ends the link and all its connections.
    func close() {
        listener.close()
        for connection in inOrder { connection.close() }
    }

    /// A handshake needs both ways.
    fileprivate var canConnect: Bool { pipes.values.allSatisfy { !$0.conditions.isCut } }

    private var inOrder: [ProxiedConnection] { connections.sorted { $0.key < $1.key }.map(\.value) }

    fileprivate func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        accepted += 1
        guard let toTarget = pipes[.toTarget], let toCaller = pipes[.toCaller] else { return nil }
        let connection = ProxiedConnection(self, caller: stream, toTarget: toTarget, toCaller: toCaller)
        connections[stream.id] = connection
        return connection.callerEnd
    }
}

/// What the listener holds, so that a proxy that was let go of is not held by its own socket.
private final class LinkAcceptor: ListenerHandler {
    weak var proxy: LinkProxy?

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { proxy?.accept(stream) }
}

/// One connection through a proxy.
private final class ProxiedConnection {
    /// For making a connection; both ends are on this machine.
    private static let connectTimeout = Duration.seconds(3)

    private weak var proxy: LinkProxy?
    private let platform: any Platform
    private let id: UInt64
    private var caller: (any ByteStream)?
    private var target: (any ByteStream)?
    private var isDialled = false
    private var toTarget: LinkFlow!
    private var toCaller: LinkFlow!

    init(_ proxy: LinkProxy, caller: any ByteStream, toTarget: LinkPipe, toCaller: LinkPipe) {
        self.proxy = proxy
        platform = proxy.platform
        self.caller = caller
        id = caller.id
        self.toTarget = LinkFlow(platform: platform, pipe: toTarget) { [unowned self] in end(target, $0) }
        self.toCaller = LinkFlow(platform: platform, pipe: toCaller) { [unowned self] in end(self.caller, $0) }
        self.toTarget.source = caller
        self.toCaller.sink = caller
    }

    /// What hears the caller; it holds this connection.
    var callerEnd: any StreamHandler { ProxiedEnd(self, isCaller: true) }

    /// The news of one end's end has come to the other.
    private func end(_ stream: (any ByteStream)?, _ kind: LinkFlow.Ending) {
        switch kind {
        case .orderly: stream?.closeAfterWriting()
        case .reset: stream?.reset()
        }
    }

    func conditionsChanged() {
        if !isDialled, caller != nil, proxy?.canConnect == true {
            isDialled = true
            let stream = platform.connect(
                to: proxy?.target ?? caller!.remoteAddress, timeout: Self.connectTimeout, options: StreamOptions(),
                handler: ProxiedEnd(self, isCaller: false))
            target = stream
            toTarget.sink = stream
            toCaller.source = stream
        }
        toTarget.advance()
        toCaller.advance()
    }

    func reset() {
        caller?.reset()
        target?.reset()
    }

    func close() {
        caller?.close()
        target?.close()
    }

    func goSilent() {
        guard isDialled else { return }
        toTarget.goSilent()
        toCaller.goSilent()
    }

    func forgetSilent() {
        toTarget.forget()
        toCaller.forget()
    }

    func received(_ bytes: UnsafeRawBufferPointer, fromCaller: Bool) {
        (fromCaller ? toTarget : toCaller).received(bytes)
    }

    func closed(_ reason: CloseReason, isCaller: Bool) {
        if isCaller { caller = nil } else { target = nil }
        let kind: LinkFlow.Ending = reason == .endOfStream || reason == .local ? .orderly : .reset
        (isCaller ? toCaller : toTarget).sinkEnded()
        (isCaller ? toTarget : toCaller).sourceEnded(kind)
        let isOver = caller == nil && (target == nil || !isDialled)
        if isOver { proxy?.connections[id] = nil }
    }
}

/// One end of a connection. The platform holds it until the stream has closed, and it holds the connection.
private final class ProxiedEnd: StreamHandler {
    private let connection: ProxiedConnection
    private let isCaller: Bool

    init(_ connection: ProxiedConnection, isCaller: Bool) {
        (self.connection, self.isCaller) = (connection, isCaller)
    }

    func streamOpened(_ stream: any ByteStream) { connection.conditionsChanged() }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        connection.received(bytes, fromCaller: isCaller)
        return Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) { connection.closed(reason, isCaller: isCaller) }
}
