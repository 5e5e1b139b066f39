import Basics
import Platform

/// A platform on which some addresses are reached through others: whoever runs on it dials links and does not know.
///
/// A stream's `remoteAddress` is the one really dialled.
public final class RoutedPlatform: Platform {
    private let base: any Platform
    private let route: (Address) -> Address

    /// - Parameter route: where a connection to an address really goes; asked for each connection.
    public init(_ base: any Platform, route: @escaping (Address) -> Address) {
        (self.base, self.route) = (base, route)
    }

    /// The platform's below.
    public var now: Instant { base.now }
    /// The platform's below.
    public var wallTime: WallTime { base.wallTime }
    /// The platform's below.
    public var files: any FileStore { base.files }

    /// The platform's below.
    public func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        try base.listen(at: address, options: options, handler: handler)
    }

    /// Connects where the address is routed.
    public func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        base.connect(to: route(address), timeout: timeout, options: options, handler: handler)
    }

    /// The platform's below.
    public func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        base.resolve(address, completion: completion)
    }

    /// The platform's below.
    public func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer { base.makeTimer(handler) }

    /// The platform's below.
    public func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) {
        base.offload(work, completion: completion)
    }
}
