import Basics
import Platform

/// Where the answer to one request goes; the connection reads its next request only after that.
///
/// Exactly one of the two calls is made, now or in a later turn; what comes after the connection has closed is ignored.
public final class HTTPReply {
    private weak var connection: HTTPConnection?

    init(_ connection: HTTPConnection) { self.connection = connection }

    /// Whether nobody waits for the answer any more.
    public var isVoid: Bool { connection == nil }

    /// Who asks; nil when nobody waits any more.
    public var remoteAddress: Address? { connection?.remoteAddress }

    /// Answers.
    public func send(_ response: HTTPResponse) {
        let connection = connection
        self.connection = nil
        connection?.answer(response)
    }

    /// Answers with events that go on until either side hangs up; nil, and 503, when there are too many such streams.
    public func openEventStream() -> HTTPEventStream? {
        let connection = connection
        self.connection = nil
        return connection?.openEventStream()
    }
}

/// Server-sent events to one reader (the HTML standard, section 9.2).
public final class HTTPEventStream {
    /// The reader is gone, or was dropped because it does not read; called once, and not from within `send`.
    public var onClosed: (() -> Void)?

    private weak var connection: HTTPConnection?

    init(_ connection: HTTPConnection) { self.connection = connection }

    /// Sends what `event` made; a reader that lags too far behind is dropped instead.
    public func send(_ events: borrowing ByteWriter) { connection?.send(events.bytes) }

    /// Bytes that the reader has yet to take; 0 when it is gone.
    public var unsentBytes: Int { connection?.unsentBytes ?? 0 }

    /// Ends the stream.
    public func close() { connection?.close() }

    func closed() {
        connection = nil
        let onClosed = onClosed
        self.onClosed = nil
        onClosed?()
    }
}

extension ByteWriter {
    /// Appends one event: its kind, the id that a reader which comes back names (Last-Event-ID), and its data in one line.
    public mutating func appendEvent(_ kind: StaticString, id: UInt64? = nil, _ data: (inout ByteWriter) -> Void) {
        append("event: ")
        append(kind)
        if let id {
            append("\nid: ")
            append(decimal: Int64(clamping: id))
        }
        append("\ndata: ")
        data(&self)
        append("\n\n")
    }
}
