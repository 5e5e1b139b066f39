// A listening socket, polled. uv_listen would accept without bound in one turn, want a handle for every connection that
// is only to be refused, and hide that descriptors have run out; accept4 itself is as short.

import Basics
import CLibuv
import Glibc
import Platform

/// Accepts connections and makes streams of them.
final class TCPListener: HandleOwner, Listener {
    /// Connections accepted in one turn, so that a flood of them leaves open streams their share.
    private static let acceptsPerTurn = 64
    /// How long accepting rests when the system gives nothing (no memory, no descriptor at all).
    private static let rest = Duration.milliseconds(100)
    /// How often a cause is told of while it lasts: a flood of refusals is no flood of log lines.
    private static let warningInterval = Duration.seconds(10)

    let address: Address
    private let loop: EventLoop
    private let group: StreamGroup
    private var handler: (any ListenerHandler)?
    private let poll: UnsafeMutablePointer<uv_poll_t>
    private let descriptor: Int32
    /// Given up for a moment when descriptors run out, to accept a connection only to close it: else it would stay in
    /// the queue and wake the loop without end.
    private var reserve: Int32
    private var restTimer: LoopTimer?
    private var isClosed = false
    private var lastWarning: (cause: String, at: Instant)?

    init(
        on loop: EventLoop, at address: Address, group: StreamGroup, handler: any ListenerHandler
    ) throws(PlatformError) {
        self.loop = loop
        self.group = group
        self.handler = handler
        descriptor = try makeListeningSocket(at: address, backlog: group.options.backlog)
        self.address = Address(host: address.host, port: SocketAddress.local(of: descriptor)?.address.port ?? 0)
        reserve = TCPListener.openReserve()
        poll = .allocate(capacity: 1)
        super.init()
        let status = uv_poll_init(loop.uv, poll, descriptor)
        precondition(status == 0, "a fresh socket that cannot be polled: \(status)")
        adopt(poll)
        startPolling()
    }

    deinit { poll.deallocate() }

    override func close() {
        guard !isClosed else { return }
        isClosed = true
        restTimer = nil
        closeHandle(poll)
        Glibc.close(descriptor)
        if reserve >= 0 { Glibc.close(reserve) }
    }

    override func handleClosed() { handler = nil }

    private func startPolling() {
        uv_poll_start(poll, Int32(UV_READABLE.rawValue)) { poll, _, _ in
            Unmanaged<TCPListener>.fromOpaque(poll!.pointee.data).takeUnretainedValue().acceptWaiting()
        }
    }

    private func acceptWaiting() {
        for _ in 0..<TCPListener.acceptsPerTurn where !isClosed {
            var peer = sockaddr_storage()
            let socket = hearsay_accept(descriptor, &peer)
            if socket >= 0 {
                accepted(socket, SocketAddress(peer).address)
            } else {
                switch errno {
                case EAGAIN: return
                case EMFILE, ENFILE: if !refuseOne() { return takeRest("out of file descriptors") }
                case ENOBUFS, ENOMEM: return takeRest("out of memory")
                // The connection died in the queue (accept(2) passes its network errors on), or a signal came.
                default: continue
                }
            }
        }
    }

    private func accepted(_ socket: Int32, _ peer: Address) {
        guard group.members < group.options.connectionLimit else {
            Glibc.close(socket)
            return warn("the limit of \(group.options.connectionLimit) connections is reached")
        }
        let stream = TCPStream(on: loop, remote: peer, group: group, handler: nil)
        guard stream.adoptSocket(socket) else {
            Glibc.close(socket)
            return stream.finish(.local)
        }
        stream.open()
        guard let streamHandler = handler?.accept(stream) else { return stream.finish(.local) }
        stream.state.pointee.handler = streamHandler
        stream.announce()
    }

    // MARK: When descriptors run out

    private static func openReserve() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }

    private func refuseOne() -> Bool {
        guard reserve >= 0 else { return false }
        Glibc.close(reserve)
        let socket = hearsay_accept(descriptor, nil)
        if socket >= 0 { Glibc.close(socket) }
        reserve = TCPListener.openReserve()
        warn("out of file descriptors")
        return true
    }

    private func takeRest(_ cause: String) {
        warn(cause)
        uv_poll_stop(poll)
        let timer = LoopTimer(loop.timers) { [unowned self] in
            if reserve < 0 { reserve = TCPListener.openReserve() }
            startPolling()
        }
        timer.start(at: Clock.monotonic() + TCPListener.rest)
        restTimer = timer
    }

    private func warn(_ cause: String) {
        let now = Clock.monotonic()
        if let lastWarning, lastWarning.cause == cause, now < lastWarning.at + TCPListener.warningInterval { return }
        lastWarning = (cause, now)
        loop.onWarning?("\(address) refuses connections: \(cause)")
    }
}
