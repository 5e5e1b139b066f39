// Between clients and a NameServer: passes every byte on, unchanged and first, and then writes down what it was.
//
//     client ──▶ listener ──▶ Relay ──▶ NameServer
//                    bytes │ frames (FrameTap), secrets masked
//                          ▼
//                    RecordingWriter

import Basics
import Platform
import Remoting

/// A listening address behind which a NameServer is reached, and all that goes there is recorded.
public final class RecordingProxy {
    /// What has passed.
    public struct Counters: Hashable, Sendable {
        /// Connections accepted.
        public var connections = 0
        /// Frames from clients.
        public var requests = 0
        /// Frames from the NameServer.
        public var answers = 0
        /// Connections that spoke something else, and were passed on without being written down.
        public var unreadable = 0
        /// Times that the NameServer could not be reached.
        public var unreached = 0
    }

    /// Bytes that one side has not taken, above which the other is not read: what waits lies in the kernel then.
    static let unsentLimit = 1 << 20
    /// Bytes of unfinished frames, all connections together, above which the connection that brings more is no longer written
    /// down: as much as a node itself keeps of them.
    public static let unfinishedLimit = 1 << 30
    /// How often a side that takes nothing is looked at; the platform does not tell when it takes something.
    static let drainInterval = Duration.milliseconds(5)
    /// For connecting to the NameServer: as RocketMQ's clients.
    static let connectTimeout = Duration.seconds(3)

    /// Where it listens, with the port the system chose.
    public var address: Address { listener.address }
    /// What has passed so far.
    public private(set) var counters = Counters()
    /// Called when the NameServer cannot be reached, and was before, with the reason; and with nil when it can be again.
    public var onReach: ((CloseReason?) -> Void)?

    fileprivate let platform: any Platform
    fileprivate let writer: RecordingWriter
    private let target: Address
    private let unfinishedLimit: Int
    private var unfinishedBytes = 0
    private let acceptor = Acceptor()
    private let listener: any Listener
    private var relays: [UInt32: Relay] = [:]
    private var lastConnection: UInt32 = 0
    private var isReached = true

    /// Listens at once.
    ///
    /// - Parameters:
    ///   - connectionLimit: connections passed at the same time; further ones are closed at once.
    ///   - unfinishedLimit: bytes of unfinished frames that are held at the same time.
    public init(
        platform: any Platform, listen: Address, target: Address, writer: RecordingWriter,
        connectionLimit: Int = 20_000,
        unfinishedLimit: Int = RecordingProxy.unfinishedLimit
    ) throws(PlatformError) {
        self.unfinishedLimit = unfinishedLimit
        self.platform = platform
        self.target = target
        self.writer = writer
        var options = Self.streamOptions
        options.connectionLimit = connectionLimit
        listener = try platform.listen(at: listen, options: options, handler: acceptor)
        acceptor.proxy = self
    }

    /// Stops listening, and ends all connections.
    public func close() {
        listener.close()
        for relay in relays.values.sorted(by: { $0.connection < $1.connection }) { relay.close() }
    }

    /// The relays bound what waits; two limits would wait for each other.
    private static var streamOptions: StreamOptions {
        var options = StreamOptions()
        options.highWaterMark = .max
        return options
    }

    fileprivate func accept(_ client: any ByteStream) -> (any StreamHandler)? {
        counters.connections += 1
        lastConnection &+= 1
        let relay = Relay(self, client: client, connection: lastConnection)
        relays[lastConnection] = relay
        writer.record(.opened(client: "\(client.remoteAddress)"), connection: lastConnection)
        relay.server = platform.connect(
            to: target, timeout: Self.connectTimeout, options: Self.streamOptions,
            handler: RelayEnd(relay, isClient: false))
        return RelayEnd(relay, isClient: true)
    }

    fileprivate func found(_ finding: FrameTap.Finding, fromClient: Bool, _ connection: UInt32) {
        switch finding {
        case .unreadable(let reason):
            counters.unreadable += 1
            writer.record(.unreadable(reason), connection: connection)
        case .frame(let bytes):
            if fromClient { counters.requests += 1 } else { counters.answers += 1 }
            guard writer.state == .recording else { return }
            let frame = SecretMask.masked(bytes)
            writer.record(fromClient ? .toServer(frame) : .toClient(frame), connection: connection)
        }
    }

    /// A connection holds so many bytes more, or fewer, of unfinished frames; says whether that is too much.
    fileprivate func holds(_ more: Int) -> Bool {
        unfinishedBytes += more
        return more > 0 && unfinishedBytes > unfinishedLimit
    }

    fileprivate func reached(_ reason: CloseReason?) {
        if reason != nil { counters.unreached += 1 }
        guard isReached != (reason == nil) else { return }
        isReached = reason == nil
        onReach?(reason)
    }

    fileprivate func ended(_ connection: UInt32) { relays[connection] = nil }
}

/// What the listener holds, so that a proxy that was let go of is not held by its own socket.
private final class Acceptor: ListenerHandler {
    weak var proxy: RecordingProxy?

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { proxy?.accept(stream) }
}

/// One connection through the proxy.
private final class Relay {
    let connection: UInt32
    var server: (any ByteStream)?
    private weak var proxy: RecordingProxy?
    private var client: (any ByteStream)?
    private var isServerOpen = false
    private var isEnded = false
    private var isReadable = true
    private var toServer = FrameTap(mayBeProxied: true)
    private var toClient = FrameTap(mayBeProxied: false)
    private lazy var drain = proxy?.platform.makeTimer { [weak self] in self?.look() }
    private var paused: Set<Bool> = []

    init(_ proxy: RecordingProxy, client: any ByteStream, connection: UInt32) {
        self.proxy = proxy
        self.client = client
        self.connection = connection
    }

    func opened(isClient: Bool) {
        if isClient { return }
        isServerOpen = true
        proxy?.reached(nil)
    }

    func received(_ bytes: UnsafeRawBufferPointer, fromClient: Bool) {
        let sink = fromClient ? server : client
        sink?.write(bytes)
        if let sink, sink.unsentBytes > RecordingProxy.unsentLimit { pause(fromClient) }
        guard isReadable else { return }
        let found: (FrameTap.Finding) -> Void = { [self] finding in
            if case .unreadable = finding { isReadable = false }
            proxy?.found(finding, fromClient: fromClient, connection)
        }
        let before = heldBytes
        if fromClient { toServer.take(bytes, found) } else { toClient.take(bytes, found) }
        if proxy?.holds(heldBytes - before) == true {
            found(.unreadable("too many unfinished frames at the same time"))
        }
        if !isReadable { letGo() }
    }

    private var heldBytes: Int { toServer.heldBytes + toClient.heldBytes }

    private func letGo() {
        let held = heldBytes
        toServer.giveUp()
        toClient.giveUp()
        _ = proxy?.holds(-held)
    }

    /// Stops reading from one side until the other has taken what waits.
    private func pause(_ fromClient: Bool) {
        guard paused.insert(fromClient).inserted, let proxy else { return }
        (fromClient ? client : server)?.pauseReading()
        drain?.start(at: proxy.platform.now + RecordingProxy.drainInterval)
    }

    private func look() {
        for fromClient in [true, false] where paused.contains(fromClient) {
            let sink = fromClient ? server : client
            if let sink, sink.unsentBytes > RecordingProxy.unsentLimit / 2 { continue }
            paused.remove(fromClient)
            (fromClient ? client : server)?.resumeReading()
        }
        if !paused.isEmpty, let proxy { drain?.start(at: proxy.platform.now + RecordingProxy.drainInterval) }
    }

    func close() {
        if !isEnded { ended(byClient: true) }
        client?.close()
        server?.close()
    }

    /// One side has ended; the other is told in the same way, behind what still waits for it.
    func closed(_ reason: CloseReason, isClient: Bool) {
        let other = isClient ? server : client
        if isClient { client = nil } else { server = nil }
        if !isClient, !isServerOpen { proxy?.reached(reason) }
        if !isEnded {
            ended(byClient: isClient)
            switch reason {
            case .endOfStream, .local: other?.closeAfterWriting()
            default: other?.reset()
            }
        }
        if client == nil, server == nil {
            drain?.cancel()
            letGo()
            proxy?.ended(connection)
        }
    }

    private func ended(byClient: Bool) {
        isEnded = true
        proxy?.writer.record(byClient ? .closedByClient : .closedByServer, connection: connection)
    }
}

/// One end of a relay. The platform holds it until the stream has closed, and it holds the relay.
private final class RelayEnd: StreamHandler {
    private let relay: Relay
    private let isClient: Bool

    init(_ relay: Relay, isClient: Bool) { (self.relay, self.isClient) = (relay, isClient) }

    func streamOpened(_ stream: any ByteStream) { relay.opened(isClient: isClient) }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        relay.received(bytes, fromClient: isClient)
        return Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) { relay.closed(reason, isClient: isClient) }
}
