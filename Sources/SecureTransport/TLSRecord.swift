/// The frame of TLS: type (1 byte), version (2), length (2), and as many bytes. RFC 8446, 5.1.
///
/// Records are split before OpenSSL sees them. It is given whole ones only and so holds none of its own, and bytes that
/// are no TLS show at the first of them.
enum TLSRecord: Equatable {
    /// That many bytes must be there, from the record's start.
    case incomplete(needed: Int)
    /// The record ends after so many bytes.
    case complete(length: Int)
    /// No TLS.
    case malformed

    static let headerBytes = 5
    /// TLS 1.2 allows 2,048 bytes more than the plaintext, TLS 1.3 only 256.
    static let payloadLimit = (16 << 10) + 2048

    /// The record at the front of the bytes.
    static func first(in bytes: Slice<UnsafeRawBufferPointer>) -> TLSRecord {
        let start = bytes.startIndex
        // Change of cipher spec, alert, handshake, application data.
        if bytes.count > 0, !(20...23).contains(bytes[start]) { return .malformed }
        if bytes.count > 1, bytes[start + 1] != 3 { return .malformed }
        guard bytes.count >= headerBytes else { return .incomplete(needed: headerBytes) }
        let payload = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
        if payload == 0 || payload > payloadLimit { return .malformed }
        return bytes.count < headerBytes + payload
            ? .incomplete(needed: headerBytes + payload) : .complete(length: headerBytes + payload)
    }
}
