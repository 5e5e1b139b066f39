import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

/// Runs `body` on a fresh loop and then the loop, until `stop`; fails when that takes too long.
func withLoop(
    limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
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
    #expect(loop.ownedBytes == 0, sourceLocation: sourceLocation)
}

let anyLoopbackPort = Address(host: "127.0.0.1", port: 0)

/// A handler made of closures; what is not set does nothing and consumes everything.
final class TestHandler: StreamHandler {
    var onOpen: ((any ByteStream) -> Void)?
    var onBytes: ((any ByteStream, UnsafeRawBufferPointer, inout ByteWriter) -> Consumption)?
    var onClose: ((any ByteStream, CloseReason) -> Void)?

    private(set) var opened = 0
    private(set) var calls = 0
    private(set) var reasons: [CloseReason] = []

    func streamOpened(_ stream: any ByteStream) {
        opened += 1
        onOpen?(stream)
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        calls += 1
        return onBytes?(stream, bytes, &output) ?? Consumption(consumed: bytes.count)
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
    /// Listens on a free loopback port.
    func listen(
        options: StreamOptions = .init(), _ make: @escaping (any ByteStream) -> (any StreamHandler)?
    ) throws(PlatformError) -> any Listener {
        try listen(at: anyLoopbackPort, options: options, handler: TestAcceptor(make))
    }

    /// Connects to loopback with a generous timeout.
    @discardableResult
    func connect(
        to address: Address, options: StreamOptions = .init(), _ handler: TestHandler
    ) -> any ByteStream {
        connect(to: address, timeout: .seconds(10), options: options, handler: handler)
    }

    /// A started timer.
    func after(_ delay: Duration, _ handler: @escaping () -> Void) -> any PlatformTimer {
        let timer = makeTimer(handler)
        timer.start(at: now + delay)
        return timer
    }
}

extension ByteStream {
    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }
    func write(_ text: String) { write([UInt8](text.utf8)) }
}

/// Bytes that show when one is missing, doubled or out of place.
func pattern(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 7)
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { buffer in
        for offset in stride(from: 0, to: count - 7, by: 8) {
            buffer.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
        }
    }
    return bytes
}

/// Lets this process open at least `count` descriptors, as far as the system allows.
func raiseDescriptorLimit(to count: Int) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(max(limit.rlim_cur, rlim_t(count)), limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
