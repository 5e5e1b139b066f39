import Basics

/// A TCP connection (or its stand-in in virtual time), used on the loop's thread only.
public protocol ByteStream: AnyObject {
    /// Unique within the platform, never reused, at least 1.
    var id: UInt64 { get }
    /// The other end; for an outgoing stream the address asked for.
    var remoteAddress: Address { get }
    /// Our end, known once open.
    var localAddress: Address? { get }
    /// Bytes accepted by `write` that the socket has not taken yet.
    var unsentBytes: Int { get }

    /// Sends bytes in order: tries the socket first, copies and queues only the rest. Ignored once closed, and after
    /// `closeAfterWriting`; before the stream is up the bytes wait for it.
    ///
    /// Inside this stream's own `received`, the bytes follow all that the call appends to `output`.
    /// Above `StreamOptions.highWaterMark` an accepted stream stops reading until the peer has taken bytes down to half of it;
    /// above `unsentLimit` it closes with `.slowPeer`.
    func write(_ bytes: UnsafeRawBufferPointer)

    /// Stops delivering bytes; calls nest not. The handler may call it inside `received`, for "no more for now".
    func pauseReading()

    /// Delivers again: first what was left unconsumed (later in the same loop turn), then new bytes.
    func resumeReading()

    /// Closes after the queued bytes are sent, or after `StreamOptions.lingerTimeout`; `streamClosed` follows with `.local`.
    func closeAfterWriting()

    /// Closes now and drops queued bytes; `streamClosed` follows, later and exactly once, with `.local`.
    func close()

    /// Closes as `close` does, but breaks the connection: the peer hears of a reset, not of an orderly end.
    ///
    /// For tools that imitate a bad network. By default, on platforms without resets, an ordinary `close`.
    func reset()
}

extension ByteStream {
    /// An ordinary `close`.
    public func reset() { close() }
}

/// Hears what happens to one stream. Released by the platform after `streamClosed`.
public protocol StreamHandler: AnyObject {
    /// The connection is up. For accepted streams called right after `ListenerHandler.accept`.
    func streamOpened(_ stream: any ByteStream)

    /// Unread bytes, old rest first, contiguous.
    ///
    /// What the handler appends to `output` is sent on this stream after it returns (one write per read). The bytes are
    /// valid during the call only; those not consumed are offered again together with the next ones.
    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption

    /// The last call for this stream.
    func streamClosed(_ stream: any ByteStream, reason: CloseReason)
}

/// How much of the offered bytes a handler used up.
public struct Consumption: Sendable {
    /// Bytes used from the front.
    public var consumed: Int
    /// Bytes that must be there, counted from the first unconsumed one, before it is worth calling again; 0 = any more.
    ///
    /// Lets the stream allocate a block of exactly a large frame's size.
    public var needed: Int

    /// Says how many bytes were used, and how many the next unit needs.
    @inlinable public init(consumed: Int, needed: Int = 0) {
        self.consumed = consumed
        self.needed = needed
    }
}

/// Why a stream ended.
public enum CloseReason: Error, Hashable, Sendable {
    /// We closed it.
    case local
    /// The peer closed it in order.
    case endOfStream
    /// Connecting took too long.
    case connectTimeout
    /// The peer did not take its answers: more than `StreamOptions.unsentLimit` bytes were waiting.
    case slowPeer
    /// Nothing useful happened for `StreamOptions.idleTimeout`.
    case idle
    /// The system reported an error, for example "connection refused".
    case system(PlatformError)
    /// A secured stream ended for the sake of its security, before or after its handshake.
    case secure(SecureFailure)
}

/// Limits of one stream.
public struct StreamOptions: Sendable {
    /// Listening: unsent bytes above which the stream stops reading; it reads on at half. Default 1 MiB.
    ///
    /// Outgoing streams always read: two ends that both stop would wait for each other forever.
    public var highWaterMark = 1 << 20
    /// Unsent bytes above which the stream is closed. Default 64 MiB: four frames of the largest size.
    public var unsentLimit = 64 << 20
    /// Closes the stream when for this long no handler call consumed a byte and no write finished; nil = never.
    public var idleTimeout: Duration?
    /// How long `closeAfterWriting` waits for the peer. Default 3 s.
    public var lingerTimeout: Duration = .seconds(3)
    /// Listening: length of the kernel's queue of connections not yet accepted. Default 1024, as RocketMQ's.
    public var backlog: Int32 = 1024
    /// Listening: connections accepted at the same time; further ones are closed at once. Default 20,000.
    public var connectionLimit = 20_000

    /// The defaults above.
    public init() {}
}
