import Basics
import ClusterView
import Platform
import Remoting
import RemotingTransport

/// One connection of a replay: sends recorded frames as they are, and keeps the answers until they are asked for.
final class ReplayConnection {
    /// A request with its answer, once that is there.
    struct Request {
        var command: RemotingCommand
        var connection: UInt32
        var recordedAt: UInt64
        var sentAt: Instant
        var answer: RemotingCommand?
        var microseconds: Int64?

        /// `topic Orders, at 12 s on connection 4`.
        var words: String {
            let about = ["topic", "brokerName", "namespace", "key", "cluster", "clusterName"].compactMap { name in
                command[name].map { "\(name) \($0)" }
            }
            let time = DurationText.short(Int64(recordedAt / 1_000))
            return (about.prefix(2) + ["at \(time) on connection \(connection)"]).joined(separator: ", ")
        }
    }

    /// Called once, when it is up.
    var onReached: (() -> Void)?
    /// Called after each read that brought an answer.
    var onAnswer: (() -> Void)?
    /// Called when it ends and was not closed from here.
    var onClosed: ((CloseReason) -> Void)?
    /// Whether answers may still come.
    private(set) var isOpen = true

    private let id: UInt32
    private var stream: (any ByteStream)?
    private var platform: (any Platform)?
    /// By opaque, the oldest first: nothing keeps a client from using one twice.
    private var waiting: [Int32: [Request]] = [:]

    init(id: UInt32) { self.id = id }

    func connect(_ platform: any Platform, to target: Address, timeout: Duration) {
        self.platform = platform
        stream = platform.connect(to: target, timeout: timeout, options: StreamOptions(), handler: ReplayEnd(self))
    }

    func send(_ frame: [UInt8], _ command: RemotingCommand, recordedAt: UInt64, now: Instant) {
        if !command.isOneway {
            waiting[command.opaque, default: []].append(
                Request(command: command, connection: id, recordedAt: recordedAt, sentAt: now))
        }
        frame.withUnsafeBytes { stream?.write($0) }
    }

    /// The oldest request of an opaque.
    func request(_ opaque: Int32) -> Request? { waiting[opaque]?.first }

    /// Forgets the oldest request of an opaque.
    func forget(_ opaque: Int32) {
        waiting[opaque]?.removeFirst()
        if waiting[opaque]?.isEmpty ?? false { waiting[opaque] = nil }
    }

    /// Those that are not forgotten.
    var requests: [Request] { waiting.values.flatMap { $0 } }

    func close() {
        isOpen = false
        onClosed = nil
        stream?.closeAfterWriting()
    }

    fileprivate func opened() { onReached?() }

    fileprivate func received(_ command: RemotingCommand) {
        guard command.isResponse, let platform,
            let index = waiting[command.opaque]?.firstIndex(where: { $0.answer == nil })
        else { return }
        let sentAt = waiting[command.opaque]?[index].sentAt ?? platform.now
        waiting[command.opaque]?[index].answer = command
        waiting[command.opaque]?[index].microseconds = (platform.now - sentAt).wholeNanoseconds / 1_000
    }

    fileprivate func wasRead() { onAnswer?() }

    fileprivate func closed(_ reason: CloseReason) {
        isOpen = false
        stream = nil
        onClosed?(reason)
    }
}

/// Held by the platform until the stream has closed, and holds the connection.
private final class ReplayEnd: StreamHandler {
    private let connection: ReplayConnection

    init(_ connection: ReplayConnection) { self.connection = connection }

    func streamOpened(_ stream: any ByteStream) { connection.opened() }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        do {
            let consumption = try Consumption.frames(in: bytes) { frame throws(RemotingError) in
                connection.received(try RemotingCommand(decoding: frame))
                return true
            }
            connection.wasRead()
            return consumption
        } catch {
            stream.close()
            return Consumption(consumed: bytes.count)
        }
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) { connection.closed(reason) }
}

extension RemotingCommand {
    /// Reads a frame that came whole; nil when it is none.
    init?(frame bytes: [UInt8]) {
        let command = bytes.withUnsafeBytes { bytes -> RemotingCommand? in
            guard case .frame(let frame)? = try? Frame.first(in: bytes) else { return nil }
            return try? RemotingCommand(decoding: frame)
        }
        guard let command else { return nil }
        self = command
    }
}
