// Percent-encoding (RFC 3986 section 2.1), strict: what a client cannot mean is refused, not guessed.

/// Why a request cannot be served, and how it is answered.
struct HTTPRefusal: Error, Hashable {
    var status: HTTPStatus
    /// One clause for the body of the answer.
    var reason: String

    init(_ status: HTTPStatus, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}

enum PercentCoding {
    /// The text that the bytes stand for.
    ///
    /// - Parameter plusIsSpace: as forms write blanks in a query.
    /// - Throws: a refusal when a percent sign has no two hexadecimal digits, and when the result is no UTF-8 or holds
    ///   control characters.
    static func decode(_ bytes: Slice<UnsafeRawBufferPointer>, plusIsSpace: Bool) throws(HTTPRefusal) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "%"):
                guard position + 1 < bytes.endIndex, let high = digit(bytes[position]),
                    let low = digit(bytes[position + 1])
                else { throw HTTPRefusal(.badRequest, "% must be followed by two hexadecimal digits") }
                decoded.append(high << 4 | low)
                position += 2
            case UInt8(ascii: "+") where plusIsSpace: decoded.append(UInt8(ascii: " "))
            default: decoded.append(byte)
            }
        }
        guard !decoded.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw HTTPRefusal(.badRequest, "control characters are not allowed")
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw HTTPRefusal(.badRequest, "the path and the query must be UTF-8")
        }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
