// Plain and TLS connections on one port, told apart by their first byte (protocol.md 5.6). For servers that need not look at
// it themselves; a NameServer node does, since a PROXY header may stand in front.

import Basics
import Platform

/// Lets connections that begin with a TLS record speak TLS, and others as they are: give it to `Platform.listen`.
public final class SharedPortListener: ListenerHandler {
    private let platform: any Platform
    private let context: TLSContext
    private let handler: any ListenerHandler

    /// - Parameters:
    ///   - context: of the server's side.
    ///   - handler: hears of every accepted connection at once; its stream handler hears `streamOpened` with the first byte of
    ///     a plain connection, or after the handshake of a TLS one.
    public init(on platform: any Platform, context: TLSContext, handler: any ListenerHandler) {
        precondition(context.side == .server, "a client's context to listen with")
        (self.platform, self.context, self.handler) = (platform, context, handler)
    }

    /// For the platform.
    public func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let shared = SharedPortStream(stream, platform, context)
        guard let inner = handler.accept(shared) else { return nil }
        shared.inner = inner
        return shared
    }
}

/// One accepted connection: undecided, and then what its first byte says.
private final class SharedPortStream: ByteStream, StreamHandler {
    private let outer: any ByteStream
    private let platform: any Platform
    private let context: TLSContext
    var inner: (any StreamHandler)?
    private var secured: SecureStream?
    private var isPlain = false

    init(_ outer: any ByteStream, _ platform: any Platform, _ context: TLSContext) {
        (self.outer, self.platform, self.context) = (outer, platform, context)
    }

    private var current: any ByteStream { secured ?? outer }

    // MARK: What the handler sees

    var id: UInt64 { outer.id }
    var remoteAddress: Address { outer.remoteAddress }
    var localAddress: Address? { outer.localAddress }
    var unsentBytes: Int { current.unsentBytes }
    func write(_ bytes: UnsafeRawBufferPointer) { current.write(bytes) }
    func pauseReading() { current.pauseReading() }
    func resumeReading() { current.resumeReading() }
    func closeAfterWriting() { current.closeAfterWriting() }
    func close() { current.close() }

    // MARK: What the platform tells

    func streamOpened(_ stream: any ByteStream) {}

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        if let secured { return secured.stream(stream, received: bytes, output: &output) }
        guard isPlain || bytes.first != nil else { return Consumption(consumed: 0, needed: 1) }
        if !isPlain {
            if bytes[0] == SecureStream.firstByte { return secure(bytes, &output) }
            isPlain = true
            inner?.streamOpened(self)
        }
        return inner?.stream(self, received: bytes, output: &output) ?? Consumption(consumed: bytes.count)
    }

    private func secure(_ records: UnsafeRawBufferPointer, _ output: inout ByteWriter) -> Consumption {
        let secured = SecureStream.accept(outer, on: platform, context: context)
        if let inner { secured.setHandler(inner) }
        self.secured = secured
        secured.streamOpened(outer)
        return secured.stream(outer, received: records, output: &output)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        let handler = inner
        inner = nil
        if let secured { return secured.streamClosed(stream, reason: reason) }
        handler?.streamClosed(self, reason: reason)
    }
}
