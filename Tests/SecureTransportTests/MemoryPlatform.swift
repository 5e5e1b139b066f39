// A platform in memory and virtual time, as strict about the stream contract as the event loop: what a secured stream
// does must not depend on how the bytes are cut, and a seed decides how they are.

import Basics
import Platform

/// Streams in memory. `run` carries out what is pending, in an order and in pieces that the seed decides.
final class MemoryPlatform: Platform {
    var now = Instant.zero
    let wallTime = WallTime(milliseconds: 0)
    var files: any FileStore { fatalError("no files in memory") }

    private var generator: SeededGenerator
    /// The most bytes delivered at a time; 1 = byte by byte.
    private let pieceLimit: Int
    private var streams: [MemoryStream] = []
    private var timers: [MemoryTimer] = []
    private var acceptor: (any ListenerHandler)?

    init(seed: UInt64, pieceLimit: Int) {
        generator = SeededGenerator(seed: seed)
        self.pieceLimit = pieceLimit
    }

    func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        acceptor = handler
        return MemoryListener(address: address)
    }

    func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        let near = MemoryStream(id: UInt64(streams.count + 1), address)
        let far = MemoryStream(id: UInt64(streams.count + 2), address)
        (near.peer, far.peer) = (far, near)
        near.handler = handler
        streams += [near, far]
        return near
    }

    func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer {
        let timer = MemoryTimer(handler)
        timers.append(timer)
        return timer
    }

    /// Nobody in these tests has a name.
    func resolve(_ address: Address, completion: @escaping (Swift.Result<[Address], PlatformError>) -> Void) {
        completion(.success([address]))
    }

    func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) { completion(work()) }

    /// Timers that are running.
    var runningTimers: Int { timers.count { $0.deadline != nil } }

    /// Carries out everything that is pending, and lets `actions` add to it after every step.
    func run(_ actions: () -> Void = {}) {
        while true {
            actions()
            let ready = streams.filter(\.isReady)
            guard !ready.isEmpty else { return }
            let stream = ready[Int(generator.next() % UInt64(ready.count))]
            if let far = stream.peer, !stream.isOpen, !far.isOpen, stream.handler != nil, !stream.isClosing {
                far.handler = acceptor?.accept(far)
                far.open()
                stream.open()
            } else {
                stream.step(pieceLimit == 1 ? 1 : 1 + Int(generator.next() % UInt64(pieceLimit)))
            }
        }
    }

    /// Forgets everything: listeners know their platform, and it knows them.
    func stop() {
        acceptor = nil
        streams = []
        timers = []
    }

    /// Lets time pass, and what is due happen.
    func advance(by duration: Duration) {
        now = now + duration
        for timer in timers { timer.fire(at: now) }
    }
}

private final class MemoryListener: Listener {
    let address: Address
    init(address: Address) { self.address = address }
    func close() {}
}

private final class MemoryTimer: PlatformTimer {
    private let handler: () -> Void
    private(set) var deadline: Instant?
    init(_ handler: @escaping () -> Void) { self.handler = handler }
    func start(at instant: Instant) { deadline = instant }
    func cancel() { deadline = nil }
    func fire(at now: Instant) {
        guard let due = deadline, due <= now else { return }
        deadline = nil
        handler()
    }
}

/// One end of a connection in memory.
final class MemoryStream: ByteStream {
    let id: UInt64
    let remoteAddress: Address
    let localAddress: Address? = nil
    fileprivate(set) weak var peer: MemoryStream?
    fileprivate var handler: (any StreamHandler)?
    fileprivate private(set) var isOpen = false
    fileprivate private(set) var isClosing = false

    /// Sent, and not delivered yet; then whether that is all.
    private var arriving: [UInt8] = []
    private var peerEnded = false
    /// Offered, and not consumed.
    private var held: [UInt8] = []
    private var needed = 0
    private var isPaused = false
    private var offersHeld = false
    private var isDelivering = false
    private var afterOutput: [UInt8] = []
    private var early: [UInt8] = []
    private var drains = false
    private var reason: CloseReason?

    fileprivate init(id: UInt64, _ address: Address) {
        self.id = id
        remoteAddress = address
    }

    /// Every byte is taken at once, except in a handler call.
    var unsentBytes: Int { early.count + afterOutput.count }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard reason == nil, !drains else { return }
        if !isOpen {
            early.append(contentsOf: bytes)
        } else if isDelivering {
            afterOutput.append(contentsOf: bytes)
        } else {
            peer?.arriving.append(contentsOf: bytes)
        }
    }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        offersHeld = !held.isEmpty || isDelivering
    }

    func closeAfterWriting() {
        drains = true
        if !isDelivering { close() }
    }

    func close() { finish(.local) }

    private func finish(_ reason: CloseReason) {
        guard self.reason == nil else { return }
        self.reason = reason
        isClosing = true
        peer?.peerEnded = true
    }

    // MARK: For the platform

    fileprivate func open() {
        isOpen = true
        peer?.arriving += early
        early = []
        handler?.streamOpened(self)
    }

    /// Whether `step` has something to do.
    fileprivate var isReady: Bool {
        guard handler != nil else { return false }
        if reason != nil || !isOpen { return true }
        return !isPaused && !drains && (offersHeld || !arriving.isEmpty || peerEnded)
    }

    /// One event: the close callback, the rest again, at most `limit` new bytes, or the end of the peer's bytes.
    fileprivate func step(_ limit: Int) {
        if let reason {
            let handler = handler
            self.handler = nil
            handler?.streamClosed(self, reason: reason)
        } else if offersHeld {
            offersHeld = false
            if !held.isEmpty, held.count >= needed { deliver() }
        } else if !arriving.isEmpty {
            let count = min(limit, arriving.count)
            held += arriving[..<count]
            arriving.removeFirst(count)
            if held.count >= needed { deliver() }
        } else if peerEnded {
            finish(.endOfStream)
        }
    }

    private func deliver() {
        isDelivering = true
        // A copy of exactly these bytes, so that the address sanitizer sees who looks beyond them or later.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: held.count, alignment: 1)
        bytes.copyBytes(from: held)
        defer { bytes.deallocate() }
        var output = ByteWriter()
        let used = handler!.stream(self, received: UnsafeRawBufferPointer(bytes), output: &output)
        isDelivering = false
        precondition(used.consumed >= 0 && used.consumed <= held.count && used.needed >= 0)
        guard reason == nil else { return }
        held.removeFirst(used.consumed)
        needed = used.needed
        peer?.arriving += output.array() + afterOutput
        afterOutput = []
        if drains { close() }
    }
}
