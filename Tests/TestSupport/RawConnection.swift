// A TCP connection a test holds in its hand: bytes out, exactly one frame in, or the close, or silence. Blocking, with a
// deadline on everything, and ignorant of what the bytes mean.

import Glibc

/// A blocking TCP connection on loopback.
public final class RawConnection {
    /// What a test allows before it calls an answer missing; generous, since only failures wait for it.
    public static let patience = Duration.seconds(10)

    /// Held as long as this connection, e.g. the process at the other end.
    public var keepAlive: AnyObject?

    private var descriptor: Int32
    /// What has come and was not taken yet.
    var received: [UInt8] = []
    private var ended = false
    /// The opaque of the next request that asks for one; see `nextOpaque()`.
    private var opaque: Int32 = 0

    /// Connects to `host` (an IPv4 address) and `port`.
    ///
    /// - Throws: `TestSupportError` when the connection is refused.
    public init(host: String = "127.0.0.1", port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        precondition(descriptor >= 0, "socket: errno \(errno)")
        var address = sockaddr_in(host: host, port: port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 {
            let code = errno
            // `deinit` runs, too, and a second close(2) would hit whoever has got the number meanwhile.
            close()
            throw TestSupportError("connect to \(host):\(port): errno \(code)")
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Takes over a connected socket.
    init(accepted descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close()
    }

    /// Whether the peer has closed; something it sent before may still be there.
    var hasClosed: Bool { ended }

    /// Whether the peer has closed and everything it sent has been read.
    var hasEnded: Bool { ended && received.isEmpty }

    /// The socket, for poll(2); -1 once closed.
    var fileDescriptor: Int32 { descriptor }

    /// A different number for every call on this connection, starting at 1.
    public func nextOpaque() -> Int32 {
        opaque += 1
        return opaque
    }

    /// Closes both directions now. Closing twice is harmless.
    public func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Ends our direction only, so that the peer's own close can be awaited with `expectClose`.
    public func closeWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes with a reset instead of an orderly end.
    public func reset() {
        var lingerNot = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingerNot, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Sends all of `bytes`.
    ///
    /// - Throws: `TestSupportError` when the peer has closed, or takes nothing within `patience`.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            guard wait(for: POLLOUT, within: Self.patience) else {
                throw TestSupportError("the peer takes no bytes: \(sent) of \(bytes.count) sent")
            }
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            if count < 0 { throw TestSupportError("send: errno \(errno), \(sent) of \(bytes.count) sent") }
            sent += count
        }
    }

    /// Sends as much of `bytes` as the peer takes and answers how many that were; gives up when it has taken none for
    /// `limit`.
    ///
    /// - Throws: `TestSupportError` when the peer has closed.
    public func sendUntilStuck(_ bytes: [UInt8], for limit: Duration) throws -> Int {
        var sent = 0
        while sent < bytes.count, wait(for: POLLOUT, within: limit) {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count < 0 && errno != EAGAIN && errno != EINTR { throw TestSupportError("send: errno \(errno)") }
            sent += max(count, 0)
        }
        return sent
    }

    /// Sends `text` as UTF-8.
    public func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Reads exactly one frame.
    ///
    /// - Throws: `TestSupportError` when the connection closes or `limit` passes before it is whole, or it is none.
    public func receiveFrame(within limit: Duration = patience) throws -> RawFrame {
        let deadline = ContinuousClock.now + limit
        while true {
            if let frame = try takeFrame() { return frame }
            if ended { throw TestSupportError("closed while a frame was expected, with \(received.count) bytes of it") }
            if !receiveSome(until: deadline) {
                throw TestSupportError("no frame within \(limit), only \(received.count) bytes")
            }
        }
    }

    /// The frame at the front of what has been received, if it is whole.
    func takeFrame() throws -> RawFrame? {
        guard received.count >= 4 else { return nil }
        let length = Int(received.bigEndian32(at: 0))
        guard length >= 4, length <= 1 << 26 else { throw TestSupportError("a frame of length \(length) was received") }
        guard received.count >= 4 + length else { return nil }
        let frame = RawFrame(Array(received[..<(4 + length)]))
        received.removeFirst(4 + length)
        return frame
    }

    /// Waits for the peer's close, by an end of stream or a reset.
    ///
    /// - Throws: `TestSupportError` when bytes arrive instead, or nothing within `limit`.
    public func expectClose(within limit: Duration = patience) throws {
        let deadline = ContinuousClock.now + limit
        while !ended {
            if !received.isEmpty { throw TestSupportError("bytes instead of a close: \(received.prefix(200))") }
            if !receiveSome(until: deadline) { throw TestSupportError("still open after \(limit)") }
        }
        if !received.isEmpty { throw TestSupportError("bytes before the close: \(received.prefix(200))") }
    }

    /// Waits until the peer has closed, ignoring bytes before that; answers whether it has.
    public func closes(within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while !ended && receiveSome(until: deadline) { received.removeAll() }
        return ended
    }

    /// Proves that neither bytes nor a close arrive for `duration`.
    ///
    /// - Throws: `TestSupportError` with what came.
    public func expectSilence(for duration: Duration) throws {
        let deadline = ContinuousClock.now + duration
        if received.isEmpty && !ended { _ = receiveSome(until: deadline) }
        if !received.isEmpty { throw TestSupportError("bytes instead of silence: \(received.prefix(200))") }
        if ended { throw TestSupportError("closed instead of silent") }
    }

    /// Reads what is there, waiting at most until `deadline`; false when nothing came by then.
    func receiveSome(until deadline: ContinuousClock.Instant) -> Bool {
        guard wait(for: POLLIN, within: deadline - ContinuousClock.now) else { return false }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 {
            received += buffer[..<count]
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            ended = true
        }
        return true
    }

    private func wait(for events: Int32, within limit: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let count = Glibc.poll(&entry, 1, limit.pollMilliseconds)
            if count >= 0 || errno != EINTR { return count > 0 }
        }
    }
}

extension sockaddr_in {
    /// An IPv4 address and port; traps on a host that is none.
    init(host: String, port: UInt16) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = port.bigEndian
        precondition(inet_pton(AF_INET, host, &sin_addr) == 1, "not an IPv4 address: \(host)")
    }
}

extension [UInt8] {
    /// The big-endian signed 32-bit number at `offset`.
    func bigEndian32(at offset: Int) -> Int32 {
        Int32(bitPattern: self[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) })
    }
}
