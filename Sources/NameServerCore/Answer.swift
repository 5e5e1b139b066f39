import Basics
import Remoting

/// Where and when a request came in.
struct Arrival: Sendable {
    var connection: UInt64
    var now: Instant
    var wallTime: WallTime
    var opaque: Int32
    var isOneway: Bool
}

extension ByteWriter {
    /// Appends an answer without a body.
    mutating func answer(
        _ arrival: Arrival, code: Int32 = ResponseCode.success, remark: String? = nil, fields: ResponseFields = .absent
    ) {
        let mark = ResponseFrame.begin(&self, code: code, opaque: arrival.opaque, remark: remark, fields: fields)
        ResponseFrame.end(&self, mark)
    }

    /// Begins a successful answer; the body follows, then `ResponseFrame.end`.
    mutating func beginAnswer(
        _ arrival: Arrival, remark: String? = nil, fields: ResponseFields = .absent
    ) -> FrameMark {
        ResponseFrame.begin(
            &self, code: ResponseCode.success, opaque: arrival.opaque, remark: remark, fields: fields)
    }
}

extension NameServer {
    /// Answers code 1: the request was wrong or refused, and changed nothing.
    mutating func fail(
        _ remark: String, _ arrival: Arrival, fields: ResponseFields = .absent, _ output: inout ByteWriter
    ) {
        counters.errors += 1
        output.answer(arrival, code: ResponseCode.systemError, remark: remark, fields: fields)
    }

    /// Records a state change and asks for its line in the log.
    mutating func note(
        _ kind: TableEvent.Kind, _ broker: ReplicaIdentity? = nil, _ text: String, _ arrival: Arrival,
        _ directives: inout [Directive]
    ) {
        directives.append(.event(events.record(kind, broker, text, at: arrival.wallTime)))
    }
}
