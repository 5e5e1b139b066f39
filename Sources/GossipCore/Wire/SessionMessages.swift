import Basics

// Short words between two nodes: ask me, not now, goodbye.

extension GossipMessage {
    /// The sender's set changed: an exchange is worth its while. One byte set.
    public struct Hint: Hashable, Sendable {
        /// Which set changed.
        public var set: ComparedSet

        /// Wraps the set.
        public init(set: ComparedSet = .registrations) { self.set = set }
    }

    /// The sender has no room for what was asked. One varint: milliseconds to wait, at most 30,000.
    public struct Busy: Hashable, Sendable {
        /// When to ask again; 0 to `WireLimits.retryMillis`.
        public var retryMillis: Int

        /// Wraps the pause.
        public init(retryMillis: Int) { self.retryMillis = retryMillis }
    }

    /// The sender closes the connection after this frame. One text of at most 256 bytes.
    public struct Bye: Hashable, Sendable {
        /// Why, for people; what exceeds 256 bytes is cut off when it is written.
        public var reason: String

        /// Wraps the reason.
        public init(reason: String) { self.reason = reason }
    }
}

extension GossipMessage.Hint: WireCodable {
    func encode(into output: inout ByteWriter) { output.append(set.rawValue) }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) { set = try reader.readCase("set") }
}

extension GossipMessage.Busy: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(count: retryMillis, atMost: WireLimits.retryMillis, "pause")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        retryMillis = try reader.readCount(atMost: WireLimits.retryMillis, "pause")
    }
}

extension GossipMessage.Bye: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(text: cut, atMost: WireLimits.reasonBytes, "reason")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        reason = try reader.readText(atMost: WireLimits.reasonBytes, "reason")
    }

    /// The reason, without the characters that do not fit whole.
    private var cut: String {
        guard reason.utf8.count > WireLimits.reasonBytes else { return reason }
        var (text, bytes) = (String.UnicodeScalarView(), 0)
        for scalar in reason.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= WireLimits.reasonBytes else { break }
            text.append(scalar)
        }
        return String(text)
    }
}
