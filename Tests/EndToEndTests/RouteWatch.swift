import TestSupport

import class Foundation.NSLock
import class Foundation.Thread

/// Asks one node for one route all the time, as impatient clients would, and notes every answer that differs from the
/// one before.
final class RouteWatch: Sendable {
    enum Answer: Hashable {
        /// The brokers that the route leads to.
        case brokers(Set<String>)
        /// TOPIC_NOT_EXIST.
        case unknownTopic
        /// Another code, with the remark.
        case refused(String)
        /// No connection, or it closed.
        case unreachable
    }

    let node: String
    private let record = Record()

    init(_ node: ClusterMember, _ topic: String) {
        self.node = node.name
        let (port, record) = (node.port, record)
        Thread.detachNewThread {
            var connection: RawConnection?
            while !record.isStopped {
                do {
                    let open = try connection ?? RawConnection(port: port)
                    connection = open
                    record.note(try Self.answer(open.route(topic)))
                } catch {
                    connection = nil
                    record.note(.unreachable)
                }
                pause(.milliseconds(10))
            }
        }
    }

    deinit { stop() }

    /// Asks no more.
    func stop() { record.stop() }

    private static func answer(_ frame: RawFrame) throws -> Answer {
        switch frame.code {
        case 0: .brokers(Set(RouteQueue.byBroker(try frame.json()).keys))
        case 17: .unknownTopic
        default: .refused(frame.headerText)
        }
    }

    /// The answers so far, each as long as it stayed the same.
    var answers: [Answer] { record.answers }

    /// Whether some route since the first that led to `broker` did not.
    func hasGap(of broker: String) -> Bool {
        answers.drop { !$0.leads(to: broker) }.contains { $0 == .unknownTopic || $0.isRoute && !$0.leads(to: broker) }
    }
}

extension RouteWatch.Answer {
    var isRoute: Bool { if case .brokers = self { true } else { false } }

    func leads(to broker: String) -> Bool {
        if case .brokers(let names) = self { names.contains(broker) } else { false }
    }
}

private final class Record: @unchecked Sendable {
    private let lock = NSLock()
    /// Both only touched with `lock` held.
    private var noted: [RouteWatch.Answer] = []
    private var stopped = false

    var answers: [RouteWatch.Answer] { lock.withLock { noted } }
    var isStopped: Bool { lock.withLock { stopped } }

    func note(_ answer: RouteWatch.Answer) {
        lock.withLock { if noted.last != answer { noted.append(answer) } }
    }

    func stop() { lock.withLock { stopped = true } }
}
