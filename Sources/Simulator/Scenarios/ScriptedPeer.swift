import Basics
import GossipCore
import Platform

/// A peer that says whatever a scenario wants it to say, in well-formed frames or not: a liar with the key, a later
/// version, somebody who replays what he overheard.
final class ScriptedPeer: StreamHandler, ListenerHandler {
    /// What it knows of itself and tells in handshakes.
    var hello: GossipMessage.Hello
    /// Answers one frame; nothing by default but the handshake and empty exchanges.
    var answer: ((GossipMessage) -> [GossipMessage])?
    /// Bytes sent after each of its frames.
    var afterEach: [UInt8] = []
    /// Frames it received, as they came.
    private(set) var received: [[UInt8]] = []
    /// Times that its connection was closed.
    private(set) var closes = 0

    private let platform: SimulatedPlatform
    private var listener: (any Listener)?
    private var opening: [UInt8] = []

    init(on host: Host, hello: GossipMessage.Hello, seed: UInt64) {
        platform = SimulatedPlatform(on: host, seed: seed)
        self.hello = hello
    }

    /// Takes the gossip port of its host.
    func listen() {
        let address = Address(host: platform.host.ip, port: SimulatedNode.gossipPort)
        listener = try? platform.listen(at: address, options: StreamOptions(), handler: self)
    }

    /// Dials a node and sends these bytes.
    func dial(_ node: SimulatedNode, sending bytes: [UInt8]) {
        opening = bytes
        _ = platform.connect(
            to: Address(host: node.host.ip, port: SimulatedNode.gossipPort), timeout: .seconds(3),
            options: StreamOptions(), handler: self)
    }

    /// A frame as bytes.
    static func bytes(_ message: GossipMessage) -> [UInt8] {
        var output = ByteWriter()
        message.encode(into: &output)
        return output.array()
    }

    private func say(_ message: GossipMessage, on stream: any ByteStream) {
        (Self.bytes(message) + afterEach).withUnsafeBytes { stream.write($0) }
    }

    var now: Instant { platform.now }

    // MARK: Streams

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { self }

    func streamOpened(_ stream: any ByteStream) {
        if !opening.isEmpty { opening.withUnsafeBytes { stream.write($0) } }
        opening = []
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        var consumed = 0
        while consumed < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[consumed...])
            guard case .frame(let length)? = try? GossipFrame.first(in: rest) else { break }
            let frame = Array(rest[..<length])
            consumed += length
            received.append(frame)
            if received.count > 64 { received.removeFirst() }
            guard let message = try? GossipMessage.decode(frame) else { continue }
            for reply in reply(to: message) { say(reply, on: stream) }
        }
        return Consumption(consumed: consumed)
    }

    private func reply(to message: GossipMessage) -> [GossipMessage] {
        hello.clock = now
        if let answer { return answer(message) }
        return courtesy(message)
    }

    /// The handshake and exchanges that claim to hold what the other one holds.
    func courtesy(_ message: GossipMessage, ages: (UInt64) -> AgeReport.Heard? = { _ in nil }) -> [GossipMessage] {
        switch message {
        case .hello: return [.helloAck(.init(hello: hello, refusal: nil))]
        case .syn(let syn):
            var digest = syn.digest
            digest.state = .ready
            let reports = syn.asks.map { AgeReport(replica: $0, heard: ages($0)) }
            return [.synAck(.init(echo: syn.nonce, nonce: 1, clock: now, digest: digest, ages: reports, asks: []))]
        default: return []
        }
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) { closes += 1 }
}
