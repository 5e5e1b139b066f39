import Basics
import Platform

/// A platform on which some addresses are reached through others: whoever runs on it dials links and does not know.
///
/// A stream's `remoteAddress` is the one really dialled.
final class RoutedPlatform: Platform {
    private let base: any Platform
    private let route: (Address) -> Address

    /// - Parameter route: where a connection to an address really goes; asked for each connection.
    init(_ base: any Platform, route: @escaping (Address) -> Address) {
        (self.base, self.route) = (base, route)
    }

    var now: Instant { base.now }
    var wallTime: WallTime { base.wallTime }
    var files: any FileStore { base.files }

    func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        try base.listen(at: address, options: options, handler: handler)
    }

    func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        base.connect(to: route(address), timeout: timeout, options: options, handler: handler)
    }

    func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        base.resolve(address, completion: completion)
    }

    func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer { base.makeTimer(handler) }

    func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) {
        base.offload(work, completion: completion)
    }
}
