// A TCP link that a test can cut, slow down, reset and heal, between two processes that know nothing of it.
//
//     caller ──▶ listener ──▶ connection: toTarget ▶, ◀ toCaller ──▶ target
//
// A cut is a network that loses every packet: connections stay open at both ends, nobody learns of a close, and what was
// sent meanwhile arrives after the link has healed, as TCP would send it again.

import Foundation
import Glibc

/// A port of 127.0.0.1 behind which another port of 127.0.0.1 is reached, for better or worse.
public final class LinkProxy: Sendable {
    /// One of the two ways of a link.
    public enum Direction: Sendable {
        case toTarget
        case toCaller
    }

    /// Where callers connect instead of to the target.
    public let port: UInt16
    /// `127.0.0.1:port`.
    public var address: String { "127.0.0.1:\(port)" }
    private let relay: LinkRelay

    /// A link to a port of 127.0.0.1 that passes everything.
    public init(to target: UInt16) throws {
        let relay = try LinkRelay(target: target)
        self.relay = relay
        port = relay.port
        Thread.detachNewThread { relay.run() }
    }

    deinit { relay.change { $0.isStopped = true } }

    /// Nothing passes any more, in one direction or both, until `heal`. Later connections seem to be accepted.
    public func cut(_ directions: [Direction] = [.toTarget, .toCaller]) {
        relay.change { state in
            for direction in directions { state.cuts.insert(direction) }
        }
    }

    /// Everything passes, at once; also what was held up by a cut.
    public func heal() {
        relay.change { state in
            state.cuts = []
            state.delay = .zero
            state.refuses = false
        }
    }

    /// What is sent from now on arrives so much later.
    public func delay(by delay: Duration) { relay.change { $0.delay = delay } }

    /// Ends all connections, with a reset for both ends.
    public func reset() { relay.change { $0.resetAll() } }

    /// Resets every further connection at once, until `heal`; those that are open stay.
    public func refuse() { relay.change { $0.refuses = true } }

    /// Connections so far.
    public var accepted: Int { relay.read(\.accepted) }
}

/// One direction of one connection.
private struct Flow {
    /// What was read and not written yet, and not before when it may be.
    var chunks: [(due: ContinuousClock.Instant, bytes: ArraySlice<UInt8>)] = []
    /// The source has closed; so does the sink, after the chunks.
    var isEnded = false
    var isDone = false

    static let limit = 1 << 20

    var takesMore: Bool { !isEnded && chunks.reduce(0) { $0 + $1.bytes.count } < Flow.limit }
}

private struct Connection {
    var caller: Int32
    /// -1 until the target is reached: a cut keeps the first packet back, too.
    var target: Int32 = -1
    var flows: [LinkProxy.Direction: Flow] = [.toTarget: Flow(), .toCaller: Flow()]

    func source(_ direction: LinkProxy.Direction) -> Int32 { direction == .toTarget ? caller : target }
    func sink(_ direction: LinkProxy.Direction) -> Int32 { direction == .toTarget ? target : caller }

    /// Closes both ends: with a reset, or as each direction has ended.
    func close(reset: Bool) {
        for descriptor in [caller, target] where descriptor >= 0 {
            if reset {
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            }
            Glibc.close(descriptor)
        }
    }
}

/// What the proxy's thread and the test share.
private struct LinkState {
    let listener: Int32
    let target: UInt16
    var cuts: Set<LinkProxy.Direction> = []
    var delay = Duration.zero
    var refuses = false
    var isStopped = false
    var accepted = 0
    /// By numbers that are never used again; descriptors are.
    var connections: [Int: Connection] = [:]

    mutating func resetAll() {
        for connection in connections.values { connection.close(reset: true) }
        connections = [:]
    }

    /// What to wait for. A descriptor of a cut direction is left out: its close is news that must not arrive either.
    func entries(now: ContinuousClock.Instant) -> (
        polled: [pollfd], owners: [(Int, LinkProxy.Direction, isSource: Bool)]
    ) {
        var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        var owners: [(Int, LinkProxy.Direction, isSource: Bool)] = []
        for (id, connection) in connections where connection.target >= 0 {
            for (direction, flow) in connection.flows where !cuts.contains(direction) && !flow.isDone {
                if flow.takesMore {
                    polled.append(pollfd(fd: connection.source(direction), events: Int16(POLLIN), revents: 0))
                    owners.append((id, direction, true))
                }
                if let first = flow.chunks.first, first.due <= now {
                    polled.append(pollfd(fd: connection.sink(direction), events: Int16(POLLOUT), revents: 0))
                    owners.append((id, direction, false))
                }
            }
        }
        return (polled, owners)
    }

    func nextDue(after now: ContinuousClock.Instant) -> Duration? {
        connections.values.flatMap(\.flows.values).compactMap(\.chunks.first?.due).filter { $0 > now }.min()
            .map { $0 - now }
    }

    mutating func accept() {
        let descriptor = SpawnLock.shared.withLock {
            let descriptor = Glibc.accept(listener, nil, nil)
            if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            return descriptor
        }
        guard descriptor >= 0 else { return }
        if refuses { return Connection(caller: descriptor).close(reset: true) }
        accepted += 1
        connections[accepted] = Connection(caller: descriptor)
    }

    /// Reaches the target for those who wait for it.
    mutating func connect() {
        guard cuts.isEmpty else { return }
        for (id, connection) in connections where connection.target < 0 {
            if let descriptor = connected(to: target) {
                connections[id]?.target = descriptor
            } else {
                connection.close(reset: true)
                connections[id] = nil
            }
        }
    }

    mutating func read(_ id: Int, _ direction: LinkProxy.Direction, now: ContinuousClock.Instant) {
        guard let descriptor = connections[id]?.source(direction), !cuts.contains(direction) else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count > 0 {
            connections[id]?.flows[direction]?.chunks.append((now + delay, buffer[..<count]))
        } else if count == 0 {
            connections[id]?.flows[direction]?.isEnded = true
        } else if errno != EAGAIN && errno != EINTR {
            drop(id)
        }
    }

    mutating func write(_ id: Int, _ direction: LinkProxy.Direction, now: ContinuousClock.Instant) {
        guard let connection = connections[id], var flow = connection.flows[direction], !cuts.contains(direction) else {
            return
        }
        while let (due, bytes) = flow.chunks.first, due <= now {
            let count = bytes.withUnsafeBytes {
                send(connection.sink(direction), $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { break }
                return drop(id)
            }
            flow.chunks[0].bytes = bytes.dropFirst(count)
            if flow.chunks[0].bytes.isEmpty { flow.chunks.removeFirst() }
        }
        connections[id]?.flows[direction] = flow
    }

    /// Passes the ends of streams on.
    mutating func finish() {
        for (id, connection) in connections {
            for (direction, flow) in connection.flows
            where flow.isEnded && !flow.isDone && flow.chunks.isEmpty && !cuts.contains(direction) {
                shutdown(connection.sink(direction), Int32(SHUT_WR))
                connections[id]?.flows[direction]?.isDone = true
            }
            if cuts.isEmpty, connections[id]?.flows.values.allSatisfy(\.isDone) == true {
                connection.close(reset: false)
                connections[id] = nil
            }
        }
    }

    /// One end is broken; so is the other, or after a cut will be.
    private mutating func drop(_ id: Int) {
        if cuts.isEmpty { return connections.removeValue(forKey: id)?.close(reset: true) ?? () }
        for direction in [LinkProxy.Direction.toTarget, .toCaller] {
            connections[id]?.flows[direction] = Flow(isEnded: true, isDone: true)
        }
    }
}

private final class LinkRelay: @unchecked Sendable {
    let port: UInt16
    private let lock = NSLock()
    /// Only touched with `lock` held.
    private var state: LinkState
    /// A byte in here makes the thread look again.
    private let wake: (readEnd: Int32, writeEnd: Int32)

    init(target: UInt16) throws {
        let listener = try listening()
        state = LinkState(listener: listener.descriptor, target: target)
        port = listener.port
        wake = SpawnLock.shared.withLock { SpawnLock.pipeClosedOnExec() }
    }

    deinit {
        state.resetAll()
        for descriptor in [state.listener, wake.readEnd, wake.writeEnd] { close(descriptor) }
    }

    func read<Value>(_ path: KeyPath<LinkState, Value>) -> Value { lock.withLock { state[keyPath: path] } }

    func change(_ body: (inout LinkState) -> Void) {
        lock.withLock { body(&state) }
        var byte: UInt8 = 0
        _ = write(wake.writeEnd, &byte, 1)
    }

    func run() {
        while true {
            let now = ContinuousClock.now
            let (isStopped, entries, due) = lock.withLock {
                state.connect()
                state.finish()
                return (state.isStopped, state.entries(now: now), state.nextDue(after: now))
            }
            if isStopped { return }
            var polled = entries.polled + [pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)]
            let count = poll(&polled, nfds_t(polled.count), due?.pollMilliseconds ?? -1)
            if count <= 0 { continue }
            if polled[polled.count - 1].revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 64)
                _ = Glibc.read(wake.readEnd, &buffer, buffer.count)
            }
            lock.withLock {
                let now = ContinuousClock.now
                if polled[0].revents != 0 { state.accept() }
                for (entry, owner) in zip(polled.dropFirst(), entries.owners) where entry.revents != 0 {
                    if owner.isSource { state.read(owner.0, owner.1, now: now) }
                    state.write(owner.0, owner.1, now: now)
                }
            }
        }
    }
}

private func listening() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var own = sockaddr_in(host: "127.0.0.1", port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = withUnsafeMutablePointer(to: &own) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) != 0 || listen(descriptor, 64) != 0 || getsockname(descriptor, $0, &size) != 0
        }
    }
    if failed { throw TestSupportError("a link at 127.0.0.1: errno \(errno)") }
    return (descriptor, UInt16(bigEndian: own.sin_port))
}

/// Loopback answers at once, whether somebody listens or not.
private func connected(to port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var target = sockaddr_in(host: "127.0.0.1", port: port)
    let result = withUnsafePointer(to: &target) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    if result == 0 { return descriptor }
    close(descriptor)
    return nil
}
