import Basics
import HTTPServer
import NameServerCore
import Platform

/// A page about every broker, made in several turns of the loop: lookups that come meanwhile wait for one turn only.
///
/// A broker that comes or goes while the page is made is on it or not.
final class BrokerWalk {
    /// Brokers of one turn. Measured with 10,000 of them: 0.2 to 0.3 ms a turn.
    static let brokersPerTurn = 256

    /// Appends the brokers from a place in the table on; gives the place to go on from, nil at the end.
    typealias Step = (borrowing NameServer, Int, Instant, inout ByteWriter) -> Int?

    var onDone: ((BrokerWalk) -> Void)?

    private unowned let node: NameServerNode
    private var output = ByteWriter(capacity: 64 << 10)
    private let contentType: String
    private let reply: HTTPReply
    private let step: Step
    private var place = 0
    private lazy var timer = node.platform.makeTimer { [unowned self] in go() }

    init(
        _ node: NameServerNode, _ start: [UInt8], _ contentType: String, _ reply: HTTPReply, _ step: @escaping Step
    ) {
        self.node = node
        self.contentType = contentType
        self.reply = reply
        self.step = step
        output.append(start)
    }

    /// Takes a turn.
    func go() {
        let now = node.platform.now
        let next = node.inspectTables { step($0, place, now, &output) }
        if let next, !reply.isVoid {
            place = next
            return timer.start(at: now)
        }
        reply.send(HTTPResponse(contentType: contentType, body: output.array()))
        onDone?(self)
    }
}
