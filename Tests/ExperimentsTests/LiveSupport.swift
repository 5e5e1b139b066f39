import Basics
import EventLoop
import Platform
import Testing

@testable import Experiments

/// Runs `body` on a fresh loop and then the loop, until `stop`; fails when that takes far too long.
///
/// What `body` answers lives until the loop has stopped.
func withLoop(
    limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation, _ body: (EventLoop) throws -> Any
) throws {
    let loop = try EventLoop()
    let watchdog = loop.makeTimer { [unowned loop] in
        Issue.record("the loop still runs after \(limit)", sourceLocation: sourceLocation)
        loop.stop()
    }
    watchdog.start(at: loop.now + limit)
    do {
        let kept = try body(loop)
        loop.run()
        withExtendedLifetime(kept) {}
    } catch {
        loop.stop()
        loop.run()
        throw error
    }
}

/// Looks every few milliseconds whether a condition holds, and then goes on.
final class Waiting {
    private let loop: EventLoop
    private var steps: [(until: () -> Bool, then: () -> Void)] = []
    private lazy var timer = loop.makeTimer { [unowned self] in look() }

    init(_ loop: EventLoop) { self.loop = loop }

    /// After everything waited for before.
    func wait(until condition: @escaping () -> Bool, then action: @escaping () -> Void) {
        steps.append((condition, action))
        if steps.count == 1 { look() }
    }

    private func look() {
        while let step = steps.first, step.until() {
            step.then()
            steps.removeFirst()
        }
        if !steps.isEmpty { timer.start(at: loop.now + .milliseconds(2)) }
    }
}

/// An end of a connection that remembers what came.
final class Recorder: StreamHandler {
    private(set) var stream: (any ByteStream)?
    private(set) var bytes: [UInt8] = []
    private(set) var closed: CloseReason?
    var echoes = false

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var isReset: Bool {
        if case .system(let error)? = closed { error.name == "ECONNRESET" } else { false }
    }

    func streamOpened(_ stream: any ByteStream) { self.stream = stream }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        self.bytes += bytes
        if echoes { output.append(bytes) }
        return Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        self.stream = nil
        closed = reason
    }

    func send(_ text: String) { send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { stream?.write($0) } }
}

/// Accepts everybody.
final class RecordingListener: ListenerHandler {
    private(set) var peers: [Recorder] = []
    var echoes = false

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let peer = Recorder()
        peer.echoes = echoes
        peers.append(peer)
        return peer
    }
}

/// A listener behind a proxy, and callers.
final class ProxyStage {
    let loop: EventLoop
    let waiting: Waiting
    let target = RecordingListener()
    let proxy: LinkProxy
    private let listener: any Listener

    init(_ loop: EventLoop, seed: UInt64 = 1) throws {
        self.loop = loop
        waiting = Waiting(loop)
        listener = try loop.listen(
            at: Address(host: "127.0.0.1", port: 0), options: StreamOptions(), handler: target)
        proxy = try LinkProxy(platform: loop, to: listener.address, seed: seed)
    }

    func call() -> Recorder {
        let caller = Recorder()
        _ = loop.connect(
            to: proxy.address, timeout: .seconds(10), options: StreamOptions(), handler: caller)
        return caller
    }

    func cut(_ directions: LinkProxy.Direction...) { for one in directions { set(one) { $0.isCut = true } } }
    func heal() { for one in LinkProxy.Direction.allCases { proxy.set(ProxyConditions(), one) } }

    func set(_ direction: LinkProxy.Direction, _ change: (inout ProxyConditions) -> Void) {
        var conditions = ProxyConditions()
        change(&conditions)
        proxy.set(conditions, direction)
    }

    /// Goes on when a connection through the proxy is up; `then` hears both ends.
    func connected(_ then: @escaping (_ caller: Recorder, _ peer: Recorder) -> Void) {
        let (caller, count) = (call(), target.peers.count)
        waiting.wait {
            caller.stream != nil && self.target.peers.count > count
        } then: {
            then(caller, self.target.peers[count])
        }
    }
}
