import Basics
import NameServerCore
import Platform
import Remoting

/// Large registrations on their way into the tables: decoded on worker threads, then applied in steps, one after the other
/// in the order in which they were decoded.
///
///     ClientConnection ──frame──▶ core: .decode ──▶ decode ──▶ begin, proceed, proceed ... ──▶ answer
///            ▲                         .wait │                      └ other work between two turns
///            └──── offered again ◀── waiting ◀┘
///
/// How much is on its way is bounded by `NameServerLimits.pendingBytes`: a connection beyond it waits, with its frame unread.
final class RegistrationQueue {
    /// Bodies being decoded at one time. The loop takes longer to read a frame and to apply it than a worker to decode it, so
    /// more of them would gain nothing, and take the core from the loop where there are few.
    private static let decodersAtOnce = 1
    /// Topics of one step: a tenth of a millisecond.
    private static let stepTopics = 128
    /// After so many steps or that time a turn of them is over: what a lookup may have to wait for them.
    private static let stepsPerTurn = 8
    private static let turnTime = Duration.microseconds(500)

    private unowned let node: NameServerNode
    private var toDecode: [(PendingRegistration, ClientConnection)] = []
    private var decoding = 0
    private var decoded: [Decoded] = []
    /// Whose registration has steps left.
    private var applying: ClientConnection?
    /// Connections with a frame for which there was no room, in the order in which they came.
    private var waiting: [(connection: ClientConnection, bytes: Int)] = []
    /// The one that was let go on last: if there is no room again, it keeps its place.
    private weak var wokenLast: ClientConnection?
    private lazy var turn = node.platform.makeTimer { [unowned self] in takeTurn() }
    private var isTurnDue = false

    private struct Decoded {
        var registration: PendingRegistration
        var body: Result<RegistrationBody, RemotingError>
        var connection: ClientConnection
    }

    init(node: NameServerNode) { self.node = node }

    /// A registration whose connection waits for `answered`.
    func add(_ registration: PendingRegistration, of connection: ClientConnection) {
        toDecode.append((registration, connection))
        decodeNext()
    }

    /// There was no room for a registration of this connection, which counts for so many bytes; it waits for `roomCame`.
    func wait(_ connection: ClientConnection, for bytes: Int) {
        waiting.insert((connection, bytes), at: connection === wokenLast ? 0 : waiting.count)
    }

    private func decodeNext() {
        while decoding < Self.decodersAtOnce, !toDecode.isEmpty {
            let (registration, connection) = toDecode.removeFirst()
            // Its ticket is torn up already.
            if connection.isClosed { continue }
            decoding += 1
            node.platform.offload({ registration.decode() }) { [weak self] body in
                guard let self else { return }
                decoding -= 1
                node.hot.pointee.core.reuseBody(of: registration)
                decoded.append(Decoded(registration: registration.withoutBody, body: body, connection: connection))
                decodeNext()
                scheduleTurn()
            }
        }
    }

    private var hasSteps: Bool { applying != nil || !decoded.isEmpty }

    private func scheduleTurn() {
        guard !isTurnDue else { return }
        isTurnDue = true
        turn.start(at: node.platform.now)
    }

    /// As many steps as have time; the rest waits until the loop has served others.
    private func takeTurn() {
        isTurnDue = false
        let start = node.platform.now
        for _ in 0..<Self.stepsPerTurn where hasSteps {
            step()
            if node.platform.now - start >= Self.turnTime { break }
        }
        let hasWoken = wakeNext()
        if hasSteps || hasWoken { scheduleTurn() }
    }

    private func step() {
        let hot = node.hot
        var output = ByteWriter()
        let connection: ClientConnection
        let isOver: Bool
        if let applying {
            connection = applying
            isOver = hot.pointee.core.proceed(
                atMost: Self.stepTopics, output: &output, directives: &hot.pointee.directives)
        } else {
            let next = decoded.removeFirst()
            connection = next.connection
            isOver = hot.pointee.core.begin(
                next.registration, next.body, atMost: Self.stepTopics, output: &output,
                directives: &hot.pointee.directives)
        }
        applying = isOver ? nil : connection
        node.carryOut()
        if isOver { connection.answered(output.bytes) }
    }

    /// Lets the first of those that wait try again if there is room. What it does with it is seen in the next turn, so there
    /// is one in a turn.
    private func wakeNext() -> Bool {
        while let next = waiting.first {
            if !next.connection.isClosed, !node.hot.pointee.core.hasRoom(for: next.bytes) { return false }
            waiting.removeFirst()
            if next.connection.isClosed { continue }
            wokenLast = next.connection
            next.connection.roomCame()
            return true
        }
        return false
    }
}
