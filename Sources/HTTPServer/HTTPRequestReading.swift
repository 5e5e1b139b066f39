/// What a connection asks for that brings certain bytes, a piece at a time: the parser as the fuzz target sees it.
package struct HTTPRequestReading: Hashable {
    /// The requests, in order.
    package private(set) var requests: [HTTPRequest] = []
    /// The status and reason of the refusal that ended it; nil when there was none.
    package private(set) var refusal: String?
    /// Bytes that are no whole request yet.
    package private(set) var rest = 0

    /// Reads all of `input`.
    ///
    /// - Parameter piece: bytes that come at a time, at least 1.
    package init(_ input: [UInt8], piece: Int) {
        var parser = HTTPRequestParser(HTTPServerOptions())
        var (start, end) = (0, 0)
        while end < input.count {
            end += min(piece, input.count - end)
            while let length = take(input[start..<end], &parser) { start += length }
            if refusal != nil { return }
        }
        rest = end - start
    }

    /// The length of the next request; nil when it is not whole, or refused.
    private mutating func take(_ bytes: ArraySlice<UInt8>, _ parser: inout HTTPRequestParser) -> Int? {
        if bytes.isEmpty { return nil }
        switch bytes.withUnsafeBytes({ parser.next(in: $0) }) {
        case .incomplete: return nil
        case .request(let request, let length):
            requests.append(request)
            return length
        case .refused(let refused):
            refusal = "\(refused.status) \(refused.reason)"
            return nil
        }
    }
}
