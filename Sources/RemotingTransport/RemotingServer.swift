// The answering side of the remoting protocol for stand-in brokers, tools and tests. It decodes each frame into an
// owning command; the NameServer's own hot path (NameServerNode) does not go through here.

import Basics
import Platform
import Remoting

/// Hears the requests of all peers of a `RemotingServer`.
public protocol RemotingServerHandler: AnyObject {
    /// A request, or an answer to a request of ours. Answer requests with `peer.send`, now or later.
    func received(_ command: RemotingCommand, from peer: RemotingPeer)
    /// The last call for this peer.
    func closed(_ peer: RemotingPeer)
}

/// Accepts connections and turns their bytes into commands.
public final class RemotingServer {
    /// Where it listens, with the port the system chose.
    public var address: Address { listener.address }

    private let listener: any Listener
    private let acceptor: Acceptor

    /// Listens at once.
    ///
    /// - Parameter handler: held weakly; it must outlive the server.
    public init(
        platform: any Platform, address: Address, options: StreamOptions = .init(),
        handler: any RemotingServerHandler
    ) throws(PlatformError) {
        acceptor = Acceptor(handler: handler)
        listener = try platform.listen(at: address, options: options, handler: acceptor)
    }

    /// Stops listening and closes every connection after its answers are sent.
    public func close() {
        listener.close()
        for peer in acceptor.peers.values.sorted(by: { $0.id < $1.id }) { peer.close() }
    }
}

private final class Acceptor: ListenerHandler {
    weak var handler: (any RemotingServerHandler)?
    var peers: [UInt64: RemotingPeer] = [:]

    init(handler: any RemotingServerHandler) { self.handler = handler }

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        let peer = RemotingPeer(stream: stream, handler: handler) { [weak self] in self?.peers[stream.id] = nil }
        peers[stream.id] = peer
        return peer
    }
}

/// One accepted connection.
public final class RemotingPeer {
    /// Unique among the platform's streams.
    public let id: UInt64
    /// The other end.
    public let remoteAddress: Address

    private var stream: (any ByteStream)?
    private weak var handler: (any RemotingServerHandler)?
    private let onClosed: () -> Void
    private var outbox = ByteWriter()
    private var isDelivering = false

    fileprivate init(
        stream: any ByteStream, handler: (any RemotingServerHandler)?, onClosed: @escaping () -> Void
    ) {
        id = stream.id
        remoteAddress = stream.remoteAddress
        self.stream = stream
        self.handler = handler
        self.onClosed = onClosed
    }

    /// Sends an answer, or a request of ours. Ignored once the connection has ended.
    public func send(_ command: RemotingCommand) {
        guard let stream else { return }
        command.encode(into: &outbox)
        if isDelivering { return }
        stream.write(outbox.bytes)
        outbox.removeAll()
        outbox.shrink(to: 64 << 10)
    }

    /// Closes after what was sent has left.
    public func close() { stream?.closeAfterWriting() }
}

extension RemotingPeer: StreamHandler {
    /// Nothing to do yet: the peer speaks first.
    public func streamOpened(_ stream: any ByteStream) {}

    /// Hands each frame on, and sends the answers made meanwhile in one write.
    public func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        isDelivering = true
        defer {
            isDelivering = false
            output.append(outbox.bytes)
            outbox.removeAll()
            outbox.shrink(to: 64 << 10)
        }
        do {
            return try Consumption.frames(in: bytes) { frame throws(RemotingError) in
                let command = try RemotingCommand(decoding: frame)
                handler?.received(command, from: self)
                return self.stream != nil
            }
        } catch {
            stream.closeAfterWriting()
            return Consumption(consumed: bytes.count)
        }
    }

    /// Tells the handler that this peer is gone.
    public func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        self.stream = nil
        onClosed()
        handler?.closed(self)
    }
}
