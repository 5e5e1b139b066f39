// The calling side of the remoting protocol: one connection to one address, any number of calls in flight.
//
//   call ──▶ opaque assigned ──▶ frame ──▶ stream        (connecting: frames wait in `unsent`)
//   answer ◀── matched by opaque ◀── frames ◀── stream   (timeout, close: the call fails, exactly once)

import Basics
import Platform
import Remoting

/// An outgoing connection that is made on first use and made again on the next use after it ended.
public final class RemotingConnection {
    /// Where it connects to.
    public let address: Address
    /// Called for each request the peer sends us (for example 905 or 40).
    public var onRequest: ((RemotingCommand) -> Void)?
    /// Called when an attempt to connect fails or the connection ends; waiting calls have failed by then.
    public var onClose: ((CloseReason) -> Void)?
    /// Whether the connection is up.
    public var isOpen: Bool { link?.isOpen ?? false }

    private struct PendingCall {
        var deadline: Instant
        var completion: (Result<RemotingCommand, RemotingCallError>) -> Void
    }

    private let platform: any Platform
    private let options: RemotingConnectionOptions
    private var link: Link?
    private var calls: [Int32: PendingCall] = [:]
    private var nextOpaque: Int32 = 1
    private var unsent = ByteWriter()
    private lazy var deadlines = platform.makeTimer { [weak self] in self?.failOverdueCalls() }
    private var armed = Instant.distantFuture

    /// Prepares a connection; nothing happens until the first call.
    public init(platform: any Platform, address: Address, options: RemotingConnectionOptions = .init()) {
        self.platform = platform
        self.address = address
        self.options = options
    }

    /// Sends a request and calls back exactly once, with the answer or the reason why there is none.
    ///
    /// The command's `opaque` is replaced by one of this connection's own.
    public func call(
        _ command: RemotingCommand, timeout: Duration,
        completion: @escaping (Result<RemotingCommand, RemotingCallError>) -> Void
    ) {
        guard calls.count < options.callLimit else { return completion(.failure(.tooManyCalls)) }
        var request = command
        repeat {
            request.opaque = nextOpaque
            nextOpaque &+= 1
        } while calls[request.opaque] != nil
        let deadline = platform.now + timeout
        calls[request.opaque] = PendingCall(deadline: deadline, completion: completion)
        arm(deadline)
        transmit(request)
    }

    /// Sends a oneway request. Nobody hears whether it arrived.
    public func send(_ command: RemotingCommand) {
        var request = command
        request.flag |= RemotingCommand.onewayFlag
        transmit(request)
    }

    /// Ends the connection; waiting calls fail with `.closed(.local)` and `onClose` is not called.
    public func close() { end(.local, notify: false) }

    private func transmit(_ command: RemotingCommand) {
        var command = command
        options.sign?(&command)
        command.encode(into: &unsent)
        guard let link else { return connect() }
        if link.isOpen { flush(link) }
    }

    private func flush(_ link: Link) {
        link.stream?.write(unsent.bytes)
        unsent.removeAll()
        unsent.shrink(to: 64 << 10)
    }

    private func connect() {
        let link = Link(owner: self)
        self.link = link
        link.stream = platform.connect(
            to: address, timeout: options.connectTimeout, options: options.stream, handler: link)
    }

    fileprivate func opened(_ link: Link) {
        guard link === self.link else { return }
        flush(link)
    }

    fileprivate func received(_ command: RemotingCommand) {
        guard command.isResponse else {
            onRequest?(command)
            return
        }
        // An answer nobody waits for came after its timeout, or was never asked for.
        calls.removeValue(forKey: command.opaque)?.completion(.success(command))
    }

    fileprivate func closed(_ link: Link, reason: CloseReason) {
        guard link === self.link else { return }
        end(reason, notify: true)
    }

    fileprivate func malformed(_ error: RemotingError, on link: Link) {
        guard link === self.link else { return }
        end(.endOfStream, failing: .malformed(error), notify: true)
    }

    private func end(_ reason: CloseReason, failing error: RemotingCallError? = nil, notify: Bool) {
        disconnect()
        // Callbacks may start new calls: those belong to the next connection.
        let failed = calls.sorted { $0.key < $1.key }
        calls.removeAll()
        deadlines.cancel()
        armed = .distantFuture
        for (_, call) in failed { call.completion(.failure(error ?? .closed(reason))) }
        if notify { onClose?(reason) }
    }

    private func disconnect() {
        let old = link
        link = nil
        old?.owner = nil
        old?.stream?.close()
        unsent.removeAll()
    }

    private func arm(_ deadline: Instant) {
        guard deadline < armed else { return }
        armed = deadline
        deadlines.start(at: deadline)
    }

    private func failOverdueCalls() {
        armed = .distantFuture
        let now = platform.now
        let overdue = calls.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
        for (opaque, _) in overdue { calls[opaque] = nil }
        let ends = !overdue.isEmpty && options.closesOnTimeout
        // First the link, so that a call made in a completion starts on a fresh one.
        let others = ends ? calls.sorted { $0.key < $1.key } : []
        if ends {
            disconnect()
            calls.removeAll()
            deadlines.cancel()
        } else if let next = calls.values.map(\.deadline).min() {
            arm(next)
        }
        for (_, call) in overdue { call.completion(.failure(.timeout)) }
        for (_, call) in others { call.completion(.failure(.closed(.local))) }
        if ends { onClose?(.local) }
    }
}

/// One life of the connection. Callbacks of an earlier life find no owner any more.
private final class Link: StreamHandler {
    weak var owner: RemotingConnection?
    var stream: (any ByteStream)?
    var isOpen = false

    init(owner: RemotingConnection) { self.owner = owner }

    func streamOpened(_ stream: any ByteStream) {
        isOpen = true
        owner?.opened(self)
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        do {
            return try Consumption.frames(in: bytes) { frame throws(RemotingError) in
                let command = try RemotingCommand(decoding: frame)
                owner?.received(command)
                return owner != nil
            }
        } catch {
            owner?.malformed(error, on: self)
            return Consumption(consumed: bytes.count)
        }
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        isOpen = false
        self.stream = nil
        owner?.closed(self, reason: reason)
    }
}
