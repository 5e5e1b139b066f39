import Basics

/// One whole answer. Its length is always told beforehand (Content-Length), and nothing is cached on the way.
public struct HTTPResponse: Sendable {
    /// The result.
    public var status: HTTPStatus
    /// The media type of the body; empty for none.
    public var contentType: String
    /// Further header fields; names and values must be fit for a header.
    public var fields: [(name: String, value: String)] = []
    /// The body.
    public var body: [UInt8]

    /// An answer with a body.
    public init(_ status: HTTPStatus = .ok, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// An answer for people, in one line.
    public init(_ status: HTTPStatus, text: String) {
        self.init(status, contentType: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
    }

    /// An answer in JSON.
    public static func json(_ status: HTTPStatus = .ok, _ body: borrowing ByteWriter) -> HTTPResponse {
        HTTPResponse(status, contentType: "application/json", body: body.array())
    }
}

extension ByteWriter {
    /// Appends the head of an answer, and its body if that is wanted.
    mutating func append(_ response: HTTPResponse, to request: HTTPRequest?, closes: Bool, at time: WallTime) {
        beginHead(response.status, at: time)
        if !response.contentType.isEmpty { appendField("Content-Type", response.contentType) }
        for (name, value) in response.fields { appendField(name, value) }
        if response.status != .noContent { appendField("Content-Length", "\(response.body.count)") }
        if closes {
            append("Connection: close\r\n")
        } else if request?.isVersion10 == true {
            append("Connection: keep-alive\r\n")
        }
        append("\r\n")
        if request?.isHead != true { append(response.body) }
    }

    /// Appends the head of an answer that has no end.
    mutating func appendEventStreamHead(at time: WallTime) {
        beginHead(.ok, at: time)
        append("Content-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    }

    private mutating func beginHead(_ status: HTTPStatus, at time: WallTime) {
        append("HTTP/1.1 ")
        append(decimal: status.rawValue)
        append(UInt8(ascii: " "))
        append(status.reason)
        append("\r\n")
        appendField("Date", HTTPDate.text(time))
        append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
    }

    private mutating func appendField(_ name: String, _ value: String) {
        append(utf8: name)
        append(": ")
        append(utf8: value)
        append("\r\n")
    }
}
