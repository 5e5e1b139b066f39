// HTTP as a test sees it: what is sent is up to the test, byte for byte; what comes back is one whole answer.

/// One answer of an HTTP server.
public struct HTTPAnswer: Sendable {
    /// The number of the status line.
    public var status: Int
    /// Header fields by their names in lower case.
    public var fields: [String: String]
    /// The body, as long as Content-Length says.
    public var body: [UInt8]
    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

extension RawConnection {
    /// Asks `GET path` over a new connection that is closed afterwards.
    public static func get(_ path: String, port: UInt16) throws -> HTTPAnswer {
        let connection = try RawConnection(port: port)
        return try connection.get(path)
    }

    /// Asks `GET path` and waits for the answer.
    public func get(_ path: String) throws -> HTTPAnswer {
        try send("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return try receiveHTTP()
    }

    /// Reads exactly one answer.
    ///
    /// - Parameter isHead: it answers HEAD, and has no body whatever its length says.
    /// - Throws: `TestSupportError` when it is none, or is not whole within `limit`.
    public func receiveHTTP(isHead: Bool = false, within limit: Duration = patience) throws -> HTTPAnswer {
        let head = try receive(through: "\r\n\r\n", within: limit)
        var lines = head.split(separator: "\r\n").map(String.init)
        let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw TestSupportError("no status line: \(head)")
        }
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw TestSupportError("no header field: \(line)") }
            fields[parts[0].lowercased()] = parts[1].trimmed
        }
        let length = isHead ? 0 : Int(fields["content-length"] ?? "0") ?? 0
        return HTTPAnswer(status: status, fields: fields, body: try receive(length, within: limit))
    }

    /// Reads everything until the peer closes, as text.
    public func receiveToEnd(within limit: Duration = patience) throws -> String {
        let deadline = ContinuousClock.now + limit
        while !hasClosed {
            if !receiveSome(until: deadline) { throw TestSupportError("still open after \(limit)") }
        }
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// Reads text up to and with `end`, for event streams.
    public func receive(through end: String, within limit: Duration = patience) throws -> String {
        let wanted = Array(end.utf8)
        let deadline = ContinuousClock.now + limit
        var searched = 0
        while true {
            while searched + wanted.count <= received.count {
                if received[searched..<(searched + wanted.count)].elementsEqual(wanted) {
                    let text = String(decoding: received[..<(searched + wanted.count)], as: UTF8.self)
                    received.removeFirst(searched + wanted.count)
                    return text
                }
                searched += 1
            }
            if hasClosed || !receiveSome(until: deadline) {
                throw TestSupportError("no \(end.debugDescription), only \(String(decoding: received, as: UTF8.self))")
            }
        }
    }

    private func receive(_ count: Int, within limit: Duration) throws -> [UInt8] {
        let deadline = ContinuousClock.now + limit
        while received.count < count {
            if hasClosed || !receiveSome(until: deadline) {
                throw TestSupportError("\(received.count) of \(count) bytes")
            }
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self.drop { $0 == " " }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
