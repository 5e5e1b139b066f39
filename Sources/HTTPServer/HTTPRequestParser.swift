// The head of a request (RFC 9112 sections 2 to 5), strictly: lines end with CRLF, nothing is folded, and a request has no
// body. Two readers of the same bytes must not come to different requests.

/// Finds and reads the next request of one connection.
struct HTTPRequestParser {
    enum Outcome {
        /// The head is not whole yet.
        case incomplete
        /// A request, and how many bytes it took.
        case request(HTTPRequest, length: Int)
        /// It cannot be served, and nothing after it can be read.
        case refused(HTTPRefusal)
    }

    /// Empty lines before a request that are passed over: old clients sent one after a body.
    private static let leadingBytes = 4

    let options: HTTPServerOptions
    /// How far the bytes have been searched for the head's end.
    private var searched = 0
    /// The end of the request line; 0 while it has not come.
    private var lineEnd = 0

    init(_ options: HTTPServerOptions) { self.options = options }

    /// Looks at the unconsumed bytes, which begin with the same ones as at the last call unless that gave a request.
    mutating func next(in bytes: UnsafeRawBufferPointer) -> Outcome {
        do throws(HTTPRefusal) {
            let start = skippedLines(bytes)
            guard let end = try headEnd(bytes, from: start) else { return .incomplete }
            let line = bytes[start..<lineEnd]
            let fields = bytes[(lineEnd + 2)..<(end - 2)]
            (searched, lineEnd) = (0, 0)
            var request = try request(line)
            try read(fields, into: &request)
            return .request(request, length: end)
        } catch {
            return .refused(error)
        }
    }

    private func skippedLines(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while start < Self.leadingBytes, start + 1 < bytes.count, bytes[start] == .carriageReturn,
            bytes[start + 1] == .lineFeed
        {
            start += 2
        }
        return start
    }

    /// Where the head ends, behind its empty line; nil when it has not come. Looks at each byte once.
    private mutating func headEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(HTTPRefusal) -> Int? {
        var position = max(searched, start)
        while position < min(bytes.count, options.headBytes) {
            guard bytes[position] == .lineFeed else {
                position += 1
                continue
            }
            guard position > start, bytes[position - 1] == .carriageReturn else {
                throw HTTPRefusal(.badRequest, "lines must end with CR LF")
            }
            if lineEnd == 0 {
                lineEnd = position - 1
                try checkLine(lineEnd - start)
            } else if bytes[position - 2] == .lineFeed {
                return position + 1
            }
            position += 1
        }
        searched = position
        if lineEnd == 0 { try checkLine(bytes.count - start) }
        if bytes.count >= options.headBytes {
            throw HTTPRefusal(.headerFieldsTooLarge, "the head of a request may have \(options.headBytes) bytes")
        }
        return nil
    }

    private func checkLine(_ length: Int) throws(HTTPRefusal) {
        guard length > options.requestLineBytes else { return }
        throw HTTPRefusal(.uriTooLong, "the request line may have \(options.requestLineBytes) bytes")
    }

    // MARK: The request line

    private func request(_ line: Slice<UnsafeRawBufferPointer>) throws(HTTPRefusal) -> HTTPRequest {
        let parts = line.split(separator: .space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenByte) else {
            throw HTTPRefusal(.badRequest, "a request line is METHOD TARGET HTTP/1.1")
        }
        guard parts[2].count == 8, parts[2].starts(with: "HTTP/".utf8) else {
            throw HTTPRefusal(.badRequest, "a request line is METHOD TARGET HTTP/1.1")
        }
        let version = String(decoding: parts[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw HTTPRefusal(.versionNotSupported, "HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        let isHead = parts[0].elementsEqual("HEAD".utf8)
        let isPost = options.takesPosts && parts[0].elementsEqual("POST".utf8)
        guard isHead || isPost || parts[0].elementsEqual("GET".utf8) else {
            throw HTTPRefusal(.methodNotAllowed, "only \(options.methods) are served")
        }
        var request = HTTPRequest(isPost: isPost, isHead: isHead, path: [])
        request.isVersion10 = version == "HTTP/1.0"
        request.keepsAlive = !request.isVersion10
        try Self.read(target: parts[1], into: &request)
        return request
    }

    /// `/path?query`, or the same behind `http://host` as proxies send it.
    private static func read(
        target: Slice<UnsafeRawBufferPointer>, into request: inout HTTPRequest
    ) throws(HTTPRefusal) {
        var rest = target
        if rest.starts(with: "http://".utf8) {
            rest = rest.dropFirst(7)
            rest = rest[(rest.firstIndex { $0 == .slash || $0 == .questionMark } ?? rest.endIndex)...]
        } else if rest.first != .slash {
            throw HTTPRefusal(.badRequest, "a target begins with /")
        }
        guard rest.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw HTTPRefusal(.badRequest, "the target holds a character that must be percent-encoded")
        }
        let mark = rest.firstIndex(of: .questionMark) ?? rest.endIndex
        for part in rest[..<mark].split(separator: .slash) {
            let text = try PercentCoding.decode(part, plusIsSpace: false)
            guard text != ".", text != ".." else { throw HTTPRefusal(.badRequest, "paths go down only") }
            request.path.append(text)
        }
        guard mark < rest.endIndex else { return }
        for part in rest[rest.index(after: mark)...].split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            request.queryNames.append(try PercentCoding.decode(part[..<equals], plusIsSpace: true))
            let value = equals < part.endIndex ? part[(equals + 1)...] : part[equals...]
            request.queryValues.append(try PercentCoding.decode(value, plusIsSpace: true))
        }
    }

    // MARK: The header fields

    private func read(
        _ bytes: Slice<UnsafeRawBufferPointer>, into request: inout HTTPRequest
    ) throws(HTTPRefusal) {
        var hosts = 0
        var count = 0
        var rest = bytes
        while let end = rest.firstIndex(of: .lineFeed) {
            let line = rest[rest.startIndex..<end].dropLast()
            rest = rest[(end + 1)...]
            count += 1
            guard count <= options.fieldCount else {
                throw HTTPRefusal(.headerFieldsTooLarge, "a request may have \(options.fieldCount) header fields")
            }
            let (name, value) = try Self.field(line)
            if name == "host" { hosts += 1 }
            if let first = request.fields[name] {
                // Lists may be spread over several fields; a length may not.
                if name == "content-length", first != value {
                    throw HTTPRefusal(.badRequest, "two lengths of one body")
                }
                continue
            }
            request.fields[name] = value
        }
        guard hosts == 1 || (hosts == 0 && request.isVersion10) else {
            throw HTTPRefusal(.badRequest, "a request needs one Host field")
        }
        try checkBody(request)
        let words = (request.fields["connection"] ?? "").lowercased().split(separator: ",")
            .map { $0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" } }
        if words.contains("close") { request.keepsAlive = false }
        if request.isVersion10, words.contains("keep-alive") { request.keepsAlive = true }
    }

    private static func field(_ line: Slice<UnsafeRawBufferPointer>) throws(HTTPRefusal) -> (String, String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(\.isTokenByte)
        else { throw HTTPRefusal(.badRequest, "a header field is NAME: VALUE, on one line") }
        var value = line[(colon + 1)...].drop { $0 == .space || $0 == .tab }
        while let last = value.last, last == .space || last == .tab { value = value.dropLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == .tab }) else {
            throw HTTPRefusal(.badRequest, "control characters are not allowed")
        }
        return (String(decoding: line[..<colon], as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self))
    }

    private func checkBody(_ request: HTTPRequest) throws(HTTPRefusal) {
        if request.fields["transfer-encoding"] != nil {
            throw HTTPRefusal(.contentTooLarge, "requests have no body here")
        }
        guard let length = request.fields["content-length"] else { return }
        guard !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw HTTPRefusal(.badRequest, "Content-Length is no number")
        }
        if length.utf8.contains(where: { $0 != 0x30 }) {
            throw HTTPRefusal(.contentTooLarge, "requests have no body here")
        }
    }
}

extension UInt8 {
    fileprivate static let carriageReturn: UInt8 = 0x0D
    fileprivate static let lineFeed: UInt8 = 0x0A
    fileprivate static let space: UInt8 = 0x20
    fileprivate static let tab: UInt8 = 0x09
    fileprivate static let slash = UInt8(ascii: "/")
    fileprivate static let questionMark = UInt8(ascii: "?")

    /// Whether a token (RFC 9110 section 5.6.2) may hold it.
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
