import Basics
import EventLoop
import Platform
import Simulator
import Testing

/// The two worlds a node can live in.
enum PlatformKind: CaseIterable { case eventLoop, simulated }

/// One platform to try the contract on, with itself as its peer.
final class Workbench {
    let platform: any Platform
    private let loop: EventLoop?
    private let world: World?
    private var isStopped = false
    /// Virtual or real time after which a test has failed.
    private static let limit = Duration.seconds(20)

    init(_ kind: PlatformKind) throws {
        switch kind {
        case .eventLoop:
            let loop = try EventLoop()
            (platform, self.loop, world) = (loop, loop, nil)
        case .simulated:
            let world = World(seed: 1)
            let host = world.makeHost("here", ip: "127.0.0.1")
            (platform, loop, self.world) = (SimulatedPlatform(on: host, seed: 1), nil, world)
        }
    }

    func stop() {
        isStopped = true
        loop?.stop()
    }

    /// Runs until `stop`.
    func run(sourceLocation: SourceLocation = #_sourceLocation) {
        if let loop {
            let watchdog = loop.makeTimer { [unowned self] in
                Issue.record("still running after \(Workbench.limit)", sourceLocation: sourceLocation)
                stop()
            }
            watchdog.start(at: loop.now + Workbench.limit)
            loop.run()
        }
        guard let world else { return }
        let end = Workbench.limit.wholeNanoseconds
        while !isStopped, world.step(until: end) {}
        if !isStopped { Issue.record("nothing more happens", sourceLocation: sourceLocation) }
        world.tearDown()
    }

    /// Listens on a free loopback port.
    func listen(
        _ options: StreamOptions = .init(), _ make: @escaping (any ByteStream) -> (any StreamHandler)?
    ) throws -> any Listener {
        try platform.listen(
            at: Address(host: "127.0.0.1", port: 0), options: options, handler: Acceptor(make))
    }

    @discardableResult
    func connect(
        _ address: Address, _ handler: Recorder, timeout: Duration = .seconds(10)
    ) -> any ByteStream {
        platform.connect(to: address, timeout: timeout, options: StreamOptions(), handler: handler)
    }

    /// A started timer; keep it.
    func after(_ delay: Duration, _ handler: @escaping () -> Void) -> any PlatformTimer {
        let timer = platform.makeTimer(handler)
        timer.start(at: platform.now + delay)
        return timer
    }
}

private final class Acceptor: ListenerHandler {
    let make: (any ByteStream) -> (any StreamHandler)?
    init(_ make: @escaping (any ByteStream) -> (any StreamHandler)?) { self.make = make }
    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { make(stream) }
}

/// A handler made of closures that notes every call; what is not set consumes everything.
final class Recorder: StreamHandler {
    var onOpen: ((any ByteStream) -> Void)?
    var onBytes: ((any ByteStream, UnsafeRawBufferPointer, inout ByteWriter) -> Consumption)?
    var onClose: ((any ByteStream, CloseReason) -> Void)?
    private(set) var opened = 0
    private(set) var calls = 0
    private(set) var depth = 0
    private(set) var received: [UInt8] = []
    private(set) var reasons: [CloseReason] = []

    func streamOpened(_ stream: any ByteStream) {
        enter()
        opened += 1
        #expect(reasons.isEmpty && calls == 0)
        onOpen?(stream)
        depth -= 1
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        enter()
        calls += 1
        #expect(reasons.isEmpty && opened == 1)
        let used = onBytes?(stream, bytes, &output) ?? Consumption(consumed: bytes.count)
        received += bytes[..<used.consumed]
        depth -= 1
        return used
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        enter()
        reasons.append(reason)
        #expect(reasons.count == 1)
        onClose?(stream, reason)
        depth -= 1
        (onOpen, onBytes, onClose) = (nil, nil, nil)
    }

    private func enter() {
        depth += 1
        #expect(depth == 1, "a callback inside a callback")
    }

    static func echo() -> Recorder {
        let handler = Recorder()
        handler.onBytes = { _, bytes, output in
            output.append(bytes)
            return Consumption(consumed: bytes.count)
        }
        return handler
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
