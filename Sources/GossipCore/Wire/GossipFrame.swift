import Basics

/// The envelope of every gossip message.
///
/// | bytes | meaning |
/// |---|---|
/// | 4 | bytes of the whole frame, these included, big-endian: 8 to 65,536 |
/// | 1 | protocol version, 1 |
/// | 1 | kind (`GossipMessage.Kind`) |
/// | 1 | flags, 0 |
/// | 1 | reserved, 0 |
/// | rest | payload, as its kind says |
///
/// In a frame of a higher version only the length means anything: it is skipped. A node speaks the highest version that
/// both handshakes name, and the handshake itself always in version 1.
public enum GossipFrame {
    /// The version this code speaks.
    public static let version: UInt8 = 1
    /// Bytes before the payload.
    public static let headerBytes = 8

    /// What stands at the front of a stream of bytes.
    public enum Progress: Hashable, Sendable {
        /// No whole frame yet; there must be at least `needed` bytes in all, more than there are now.
        case incomplete(needed: Int)
        /// The first so many bytes are one frame.
        case frame(length: Int)
    }

    /// Looks for one frame at the front of `bytes`.
    ///
    /// Throws `.limit` when the length is impossible: the stream is lost then. Looks at nothing but the length.
    public static func first(in bytes: UnsafeRawBufferPointer) throws(GossipFormatError) -> Progress {
        guard bytes.count >= 4 else { return .incomplete(needed: headerBytes) }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard (headerBytes...WireLimits.frameBytes).contains(length) else {
            throw GossipFormatError(.limit, isTLS(length) ? tlsAdvice : "frame length")
        }
        return bytes.count < length ? .incomplete(needed: length) : .frame(length: length)
    }

    /// Whether the four bytes begin a TLS record: its type and the version 3.x, far above any length.
    private static func isTLS(_ word: Int) -> Bool {
        (0x14...0x17).contains(word >> 24) && (word >> 16) & 0xFF == 3
    }

    private static let tlsAdvice =
        "the peer speaks TLS and this node does not: give both the same gossip.preSharedKeys, or certificates"
}
