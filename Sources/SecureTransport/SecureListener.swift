import Platform

/// Puts TLS between a listening socket and a handler of connections: give it to `Platform.listen`.
public final class SecureListener: ListenerHandler {
    private let platform: any Platform
    private let context: TLSContext
    private let options: SecureOptions
    private let handler: any ListenerHandler

    /// - Parameters:
    ///   - context: of the server's side.
    ///   - handler: hears of every accepted connection at once, as a stream that is not open yet; its stream handler
    ///     hears `streamOpened` after the handshake, or else only `streamClosed`.
    public init(
        on platform: any Platform, context: TLSContext, options: SecureOptions = .init(), handler: any ListenerHandler
    ) {
        precondition(context.side == .server, "a client's context to listen with")
        self.platform = platform
        self.context = context
        self.options = options
        self.handler = handler
    }

    /// For the platform.
    public func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let secure = SecureStream.accept(stream, on: platform, context: context, secure: options)
        guard let inner = handler.accept(secure) else { return nil }
        secure.setHandler(inner)
        return secure
    }
}
