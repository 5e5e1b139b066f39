// What a shell asks of the machine. `EventLoop` answers with libuv; the simulator will answer in virtual time.
// Everything here happens on one thread, the loop's own, unless a comment says otherwise.

import Basics

/// One event loop's clock, timers, streams, files and worker threads.
public protocol Platform: AnyObject {
    /// The monotonic clock, read afresh.
    var now: Instant { get }

    /// The wall clock, read afresh.
    var wallTime: WallTime { get }

    /// Accepts connections at `address`; port 0 lets the system choose (see `Listener.address`).
    func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener

    /// Starts connecting and returns at once; `handler` hears `streamOpened` or `streamClosed`, later and exactly once.
    ///
    /// A DNS name is resolved first, within the same `timeout`.
    func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream

    /// Finds out every address that a DNS name stands for; `connect` needs no such thing.
    ///
    /// `completion` is called on the loop, exactly once and never before this call has returned. A platform that stops
    /// meanwhile, or has stopped, lets go of it without a call. How long a lookup takes is the resolver's affair; it
    /// cannot be cancelled.
    ///
    /// A success holds 1 to 16 (`resolvedAddressLimit`) numeric addresses, each with the port of `address`: none twice,
    /// in ascending order of `Address.host` as a string, and the first sixteen of that order. So equal answers of the
    /// resolver, which likes to shuffle them, are equal lists here. A host in digits answers itself and asks nobody; an
    /// IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`) is given as the IPv4 address, and any other IPv6 address as
    /// RFC 5952 writes it. A name without any address is a failure, as is one that nobody knows.
    func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void)

    /// A timer that is not running. It holds `handler` until cancelled for good by its release.
    func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer

    /// Runs `work` on another thread and then `completion` on the loop's.
    func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void)

    /// The platform's durable files.
    var files: any FileStore { get }
}

/// Addresses of one name that `Platform.resolve` gives at most: as many peers as a full mesh of nodes has.
public let resolvedAddressLimit = 16

/// A one-shot timer that can be started again and again.
public protocol PlatformTimer: AnyObject {
    /// Calls the handler once when `instant` is reached; replaces an earlier start.
    func start(at instant: Instant)
    /// Stops; the handler is not called until the next start.
    func cancel()
}

/// An open listening socket.
public protocol Listener: AnyObject {
    /// Where it listens, with the port the system chose.
    var address: Address { get }
    /// Stops accepting. Connections already accepted live on.
    func close()
}

/// Hears about accepted connections.
public protocol ListenerHandler: AnyObject {
    /// A connection was accepted; the answer handles it from now on. Nil refuses (closes) it.
    func accept(_ stream: any ByteStream) -> (any StreamHandler)?
}

/// Files that survive a crash at any byte.
public protocol FileStore: AnyObject {
    /// All bytes of a file, at most `limit`; nil when there is no such file.
    func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8]?

    /// Replaces a file atomically and durably, and then calls back on the loop: temporary file, fsync, rename, fsync of
    /// the directory. Missing directories are created. With `backup`, the previous content is kept at `path` + ".bak".
    ///
    /// Replacements of one path happen in the order of the calls. One that has not begun is left out when a later one is
    /// asked for; its completion then comes with the later one's, in the order of the calls.
    func replace(
        _ path: String, with content: [UInt8], backup: Bool, completion: @escaping (PlatformError?) -> Void)

    /// Appends to a file, which is made if need be, and then calls back on the loop. All of `content` is there or nothing of
    /// it; what a crash of the machine loses is not said. The file is found by its name each time, so that others can rename
    /// it. Appends to one path happen in the order of the calls only if each waits for the one before.
    func append(_ path: String, _ content: [UInt8], completion: @escaping (PlatformError?) -> Void)

    /// Renames a file, at once: how a broken file is set aside.
    func rename(_ path: String, to newPath: String) throws(PlatformError)
}
