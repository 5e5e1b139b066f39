import Basics
import Platform

/// A platform whose outgoing connections speak TLS, and whose ports take TLS beside plain connections.
///
/// Gives a client or a server of any protocol TLS without its knowing: hand it this platform instead.
public final class SecuredPlatform: Platform {
    private let base: any Platform
    private let client: TLSContext
    private let server: TLSContext?

    /// - Parameters:
    ///   - client: of the client's side.
    ///   - server: of the server's side; nil leaves ports as they are.
    public init(_ base: any Platform, client: TLSContext, server: TLSContext? = nil) {
        precondition(client.side == .client, "a server's context to dial with")
        (self.base, self.client, self.server) = (base, client, server)
    }

    /// Connects and shakes hands; the handler hears `streamOpened` after that.
    public func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        SecureStream.connect(
            on: base, to: address, timeout: timeout, options: options, context: client, handler: handler)
    }

    /// Listens for plain and TLS connections, or for plain ones only.
    public func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        let shared = server.map { SharedPortListener(on: base, context: $0, handler: handler) }
        return try base.listen(at: address, options: options, handler: shared ?? handler)
    }

    /// The platform's below.
    public var now: Instant { base.now }
    /// The platform's below.
    public var wallTime: WallTime { base.wallTime }
    /// The platform's below.
    public var files: any FileStore { base.files }

    /// The platform's below.
    public func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        base.resolve(address, completion: completion)
    }

    /// The platform's below.
    public func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer { base.makeTimer(handler) }

    /// The platform's below.
    public func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) { base.offload(work, completion: completion) }
}
