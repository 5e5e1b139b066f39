import Basics
import Glibc
import Remoting

/// One request and its answer, blocking: for what is not measured.
enum Exchange {
    /// How long an answer may take.
    private static let limit = timeval(tv_sec: 10, tv_usec: 0)
    /// The largest answer that is kept.
    private static let sizeLimit = 64 << 20

    /// The body of the answer to one request of a plan.
    static func answerBody(
        to request: RequestBook.RequestID, of plan: Plan, at address: Address
    ) throws(LoadError) -> [UInt8] {
        let answer = try answer(to: plan.book.frame(request), at: Endpoint(address))
        let header = Int(answer[5]) << 16 | Int(answer[6]) << 8 | Int(answer[7])
        guard 8 + header <= answer.count else {
            throw LoadError(.garbage, "\(address): its answer is no RocketMQ frame")
        }
        return Array(answer[(8 + header)...])
    }

    /// A whole answer frame, of at least eight bytes.
    static func answer(to frame: [UInt8], at endpoint: Endpoint) throws(LoadError) -> [UInt8] {
        let descriptor = try endpoint.connect(0)
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFL, 0)
        var limit = limit
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                send(descriptor, $0.baseAddress.map { $0 + sent }, frame.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw failure(endpoint, "takes no request") }
            sent += count
        }
        var answer = [UInt8](repeating: 0, count: 8)
        guard receive(descriptor, &answer, from: 0) else { throw failure(endpoint, "no answer") }
        let length = answer[..<4].reduce(0) { $0 << 8 | Int($1) } + 4
        guard length >= 8, length <= sizeLimit else {
            throw LoadError(.garbage, "\(endpoint.address): its answer is no RocketMQ frame")
        }
        answer += [UInt8](repeating: 0, count: length - 8)
        guard receive(descriptor, &answer, from: 8) else { throw failure(endpoint, "half an answer") }
        return answer
    }

    private static func receive(_ descriptor: Int32, _ bytes: inout [UInt8], from start: Int) -> Bool {
        let size = bytes.count - start
        guard size > 0 else { return true }
        return bytes.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress.map { $0 + start }, size, Int32(MSG_WAITALL))
        } == size
    }

    private static func failure(_ endpoint: Endpoint, _ what: String) -> LoadError {
        LoadError(.noAnswer, "\(endpoint.address): \(what) (\(String(cString: strerror(errno))))")
    }
}
