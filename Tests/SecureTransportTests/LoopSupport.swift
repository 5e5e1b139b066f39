import Basics
import EventLoop
import Platform
import SecureTransport
import Testing

/// Runs `body` on a fresh loop and then the loop, until `stop`; fails when that takes too long.
func withLoop(
    limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (EventLoop) throws -> Void
) throws {
    let loop = try EventLoop()
    let watchdog = loop.makeTimer { [unowned loop] in
        Issue.record("the loop still runs after \(limit)", sourceLocation: sourceLocation)
        loop.stop()
    }
    watchdog.start(at: loop.now + limit)
    do {
        try body(loop)
    } catch {
        loop.stop()
        loop.run()
        throw error
    }
    loop.run()
    #expect(loop.openStreams == 0, sourceLocation: sourceLocation)
}

let anyLoopbackPort = Address(host: "127.0.0.1", port: 0)

extension SecureOptions {
    /// For a machine that is busy with other tests.
    static var patient: SecureOptions {
        var options = SecureOptions()
        options.handshakeTimeout = .seconds(60)
        return options
    }
}

/// A handler made of closures; what is not set does nothing and consumes everything.
final class TestHandler: StreamHandler {
    var onOpen: ((any ByteStream) -> Void)?
    var onBytes: ((any ByteStream, UnsafeRawBufferPointer, inout ByteWriter) -> Consumption)?
    var onClose: ((any ByteStream, CloseReason) -> Void)?

    private(set) var opened = 0
    private(set) var calls = 0
    private(set) var received: [UInt8] = []
    private(set) var reasons: [CloseReason] = []

    func streamOpened(_ stream: any ByteStream) {
        opened += 1
        onOpen?(stream)
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        calls += 1
        let used = onBytes?(stream, bytes, &output) ?? Consumption(consumed: bytes.count)
        received.append(contentsOf: bytes[..<used.consumed])
        return used
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        reasons.append(reason)
        onClose?(stream, reason)
        // What tests capture in these often leads back to the handler.
        (onOpen, onBytes, onClose) = (nil, nil, nil)
    }

    /// Sends every byte back.
    static func echo() -> TestHandler {
        let handler = TestHandler()
        handler.onBytes = { _, bytes, output in
            output.append(bytes)
            return Consumption(consumed: bytes.count)
        }
        return handler
    }
}

/// Accepts with a handler made for each connection.
final class TestAcceptor: ListenerHandler {
    let make: (any ByteStream) -> (any StreamHandler)?
    init(_ make: @escaping (any ByteStream) -> (any StreamHandler)?) { self.make = make }
    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { make(stream) }
}

extension EventLoop {
    /// Listens in plain on a free loopback port.
    func listenPlain(_ make: @escaping (any ByteStream) -> (any StreamHandler)?) throws -> any Listener {
        try listen(at: anyLoopbackPort, options: .init(), handler: TestAcceptor(make))
    }

    /// Listens under TLS on a free loopback port.
    func listenSecure(
        _ context: TLSContext, secure: SecureOptions = .patient, options: StreamOptions = .init(),
        _ make: @escaping (any ByteStream) -> (any StreamHandler)?
    ) throws -> any Listener {
        try listen(
            at: anyLoopbackPort, options: options,
            handler: SecureListener(on: self, context: context, options: secure, handler: TestAcceptor(make)))
    }

    @discardableResult
    func connectPlain(to address: Address, _ handler: any StreamHandler) -> any ByteStream {
        connect(to: address, timeout: .seconds(10), options: .init(), handler: handler)
    }

    @discardableResult
    func connectSecure(
        to address: Address, _ context: TLSContext, secure: SecureOptions = .patient, _ handler: any StreamHandler
    ) -> SecureStream {
        .connect(
            on: self, to: address, timeout: .seconds(10), context: context, secure: secure, handler: handler)
    }
}

extension ByteStream {
    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }
    func write(_ text: String) { write([UInt8](text.utf8)) }
}

/// Bytes that show when one is missing, doubled or out of place.
func pattern(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { buffer in
        for offset in stride(from: 0, to: count - 7, by: 8) {
            buffer.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
        }
    }
    return bytes
}

/// A key of the tests.
func key(_ byte: UInt8) throws -> PreSharedKey {
    try PreSharedKey(material: [UInt8](repeating: byte, count: 16))
}

/// Credentials with these keys, the primary first.
func keys(_ bytes: UInt8...) throws -> Credentials {
    .preSharedKeys(Keyring(primary: try key(bytes[0]), secondaries: try bytes.dropFirst().map { try key($0) }))
}
