import Basics
import Glibc
import Remoting

/// What the answer to a request must look like. Anything else is counted as wrong.
enum Expectation {
    /// This code, any body.
    case code(Int32)
    /// Code 0 and a body that a check of the book accepts.
    case body(check: Int)
    /// Code 0 and the field `changed` with this value (QUERY_DATA_VERSION).
    case changed(Bool)
}

/// Looks whether a body says what it must.
///
/// Decoding every answer would measure the generator, so equal bytes are accepted after one comparison; only bytes never seen
/// before are decoded. A server may order the arrays as it likes.
struct BodyCheck {
    /// What the body must say.
    enum Meaning {
        /// A route over exactly these brokers, sorted.
        case route([String])
        /// A topic list of at least so many topics.
        case topics(Int)
    }

    let meaning: Meaning
    private var accepted: [UInt8] = []

    init(_ meaning: Meaning) { self.meaning = meaning }

    mutating func accepts(_ body: UnsafeRawBufferPointer) -> Bool {
        let isSame =
            !accepted.isEmpty && accepted.count == body.count
            && accepted.withUnsafeBytes { memoryIsEqual($0, body) }
        if isSame { return true }
        guard isRight(body) else { return false }
        accepted = [UInt8](body)
        return true
    }

    private func isRight(_ body: UnsafeRawBufferPointer) -> Bool {
        switch meaning {
        case .route(let brokers):
            guard let route = try? TopicRouteData.decode(body) else { return false }
            return route.brokerDatas.map(\.brokerName).sorted() == brokers
                && route.queueDatas.map(\.brokerName).sorted() == brokers
        case .topics(let count):
            guard let list = try? TopicList.decode(body) else { return false }
            return list.topicList.count >= count
        }
    }
}

/// Whether two runs of bytes of one length are the same.
private func memoryIsEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard let first = left.baseAddress, let second = right.baseAddress else { return left.count == right.count }
    return memcmp(first, second, left.count) == 0
}
