import Basics
import CLibuv
import Glibc
import Platform

/// One outgoing stream's way to an open connection: look the name up, then try its addresses one after another.
///
/// Every attempt gets an equal share of the time left, so that one address that swallows packets does not cost the rest
/// of them their turn.
final class Connector {
    /// Addresses of one name that are tried at most.
    private static let addressLimit = 16

    /// Written before the stream is up.
    private(set) var early = HeldBytes()
    /// `closeAfterWriting` was called before the stream was up.
    var drainsWhenOpen = false

    private unowned let stream: TCPStream
    private let deadline: Instant
    private var lookup: Lookup?
    /// Not yet tried.
    private var addresses: ArraySlice<SocketAddress> = []
    /// Why the last attempt failed; nil = it took too long.
    private var lastError: PlatformError?
    /// libuv's; used until the stream's handle is closed, and this object lives longer.
    private let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)

    init(_ stream: TCPStream, deadline: Instant) {
        self.stream = stream
        self.deadline = deadline
    }

    deinit {
        request.deallocate()
        releaseEarly()
    }

    private var operation: String { "connect to \(stream.remoteAddress)" }

    func start() {
        startTimer(at: deadline)
        if let address = SocketAddress(numeric: stream.remoteAddress) { return attempt([address]) }
        do throws(PlatformError) {
            lookup = try Lookup(stream.remoteAddress, limit: Connector.addressLimit, on: stream.loop) {
                [unowned self] in resolved($0)
            }
        } catch {
            stream.finish(.system(error))
        }
    }

    /// The stream has ended; an attempt under way ends with its handle.
    func abandon() { lookup?.abandon() }

    private func resolved(_ result: Result<[SocketAddress], PlatformError>) {
        lookup = nil
        switch result {
        case .success(let addresses): attempt(addresses[...])
        case .failure(let error): stream.finish(.system(error))
        }
    }

    // MARK: Attempts

    /// Tries these from the first on.
    func attempt(_ addresses: ArraySlice<SocketAddress>) {
        guard let address = addresses.first else { return stream.finish(.connectTimeout) }
        self.addresses = addresses.dropFirst()
        let now = Clock.monotonic()
        let share = max(deadline.nanoseconds - now.nanoseconds, 0) / Int64(addresses.count)
        startTimer(at: Instant(nanoseconds: now.nanoseconds + share))
        lastError = nil
        let status = address.withSockaddr { address, _ in
            uv_tcp_connect(request, stream.tcp, address) { request, status in
                let data = request!.pointee.handle.pointee.data!
                Unmanaged<TCPStream>.fromOpaque(data).takeUnretainedValue().transition.connector?.attempted(status)
            }
        }
        if status != 0 { attempted(status) }
    }

    /// Hears `ECANCELED` for an attempt whose handle was closed under it.
    private func attempted(_ status: Int32) {
        guard stream.state.pointee.phase == .connecting, !stream.isHandleClosing else { return }
        if status == 0 { return opened() }
        lastError = PlatformError(operation, status: status)
        nextAttempt()
    }

    /// A socket that failed to connect is of no more use: closes it and goes on with a new one, in the same handle.
    private func nextAttempt() {
        if addresses.isEmpty {
            return stream.finish(lastError.map { .system($0) } ?? .connectTimeout)
        }
        uv_close(stream.uvHandle) { handle in
            let stream = Unmanaged<TCPStream>.fromOpaque(handle!.pointee.data).takeUnretainedValue()
            guard stream.state.pointee.phase == .connecting, let connector = stream.transition.connector else {
                // Closed meanwhile: this was the handle's last close callback.
                return HandleOwner.didClose(handle)
            }
            uv_tcp_init(stream.loop.uv, stream.tcp)
            connector.attempt(connector.addresses)
        }
    }

    private func startTimer(at instant: Instant) {
        let timer = stream.transition.timer ?? LoopTimer(stream.loop.timers) { [unowned self] in timedOut() }
        stream.transition.timer = timer
        timer.start(at: instant)
    }

    private func timedOut() {
        guard !stream.isHandleClosing else { return stream.finish(.connectTimeout) }
        lastError = nil
        nextAttempt()
    }

    // MARK: Bytes written too early

    func writeEarly(_ bytes: UnsafeRawBufferPointer) {
        if early.count + bytes.count > stream.state.pointee.group.options.unsentLimit {
            return stream.finish(.slowPeer)
        }
        if early.count == 0 { stream.loop.core.pointee.liveBlocks += 1 }
        early.append(bytes, needed: .max)
    }

    /// The stream lets go of this object now; the caller still holds it.
    private func opened() {
        stream.open()
        if early.count > 0 { stream.send(early.bytes) }
        releaseEarly()
        stream.announce()
        if drainsWhenOpen { stream.closeAfterWriting() }
    }

    private func releaseEarly() {
        guard early.count > 0 else { return }
        early.free()
        stream.loop.core.pointee.liveBlocks -= 1
    }
}
