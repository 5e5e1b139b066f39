import Basics
import EventLoop
import Glibc
import Platform

/// An event loop whose sockets are made in another network namespace. A socket stays where it was made.
///
/// Host names are not looked up there.
final class NamespacePlatform: Platform {
    private let loop: EventLoop
    private let name: String
    /// -1 until first used.
    private var namespace: Int32 = -1

    /// Nothing is touched before the first socket; by then `ip netns add` must have made the namespace.
    init(_ loop: EventLoop, _ name: String) { (self.loop, self.name) = (loop, name) }

    deinit { if namespace >= 0 { close(namespace) } }

    /// setns(2), which the Glibc module does not show (a GNU extension).
    private static let setns: @convention(c) (Int32, Int32) -> Int32 = {
        guard let symbol = dlsym(nil, "setns") else { preconditionFailure("glibc has no setns") }
        return unsafeBitCast(symbol, to: (@convention(c) (Int32, Int32) -> Int32).self)
    }()

    /// CLONE_NEWNET.
    private static let network: Int32 = 0x4000_0000

    /// Runs `body` on this thread with new sockets made in the namespace.
    private func inside<Result>(_ body: () throws(PlatformError) -> Result) throws(PlatformError) -> Result {
        if namespace < 0 { namespace = open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC) }
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        defer { if home >= 0 { close(home) } }
        guard namespace >= 0, home >= 0, Self.setns(namespace, Self.network) == 0 else {
            throw PlatformError(
                operation: "enter the network namespace \(name)", name: "errno \(errno)",
                message: String(cString: strerror(errno)))
        }
        defer {
            precondition(Self.setns(home, Self.network) == 0, "no way back to the own network namespace: \(errno)")
        }
        return try body()
    }

    var now: Instant { loop.now }
    var wallTime: WallTime { loop.wallTime }
    var files: any FileStore { loop.files }

    func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        try inside { () throws(PlatformError) in try loop.listen(at: address, options: options, handler: handler) }
    }

    func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        do {
            return try inside { loop.connect(to: address, timeout: timeout, options: options, handler: handler) }
        } catch {
            // The namespace is gone, so nobody is there; the loop says so in its own way and time.
            let stream = loop.connect(to: address, timeout: timeout, options: options, handler: handler)
            stream.close()
            return stream
        }
    }

    func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        loop.resolve(address, completion: completion)
    }

    func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer { loop.makeTimer(handler) }

    func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) {
        loop.offload(work, completion: completion)
    }
}
