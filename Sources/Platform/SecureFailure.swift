/// Why a secured stream ended for the sake of its security. The text says what an operator can do about it.
public enum SecureFailure: Error, Hashable, Sendable {
    /// What arrived is no TLS.
    case notTLS
    /// The handshake was not done within `SecureOptions.handshakeTimeout`.
    case handshakeTimeout
    /// The peer sent more than `SecureOptions.handshakeLimit` bytes before the handshake was done.
    case handshakeTooLong
    /// The peer closed the connection during the handshake and gave no reason.
    case peerLeft
    /// The peer, who dialled us, offered keys that are none of ours; their ids, in hexadecimal, are safe to show.
    case unknownKey([String])
    /// The peer, who dialled us, offered no key at all.
    case noKeyOffered
    /// The peer, whom we dialled, does not know our key, whose id is this.
    case keyRefused(String)
    /// We have keys, and the peer answered with a certificate.
    case certificateInsteadOfKey
    /// The peer showed no certificate.
    case noPeerCertificate
    /// We do not accept the peer's certificate, for this reason.
    case peerCertificate(String)
    /// The peer does not accept our certificate, for this reason.
    case certificateRefused(String)
    /// The peer speaks only versions of TLS that we do not.
    case version
    /// Bytes after the handshake were damaged, injected or out of order.
    case damaged
    /// The connection ended without the peer saying so under TLS: bytes may be missing at the end.
    case truncated
    /// The handler left more than `SecureOptions.plaintextLimit` bytes unread, or asked for a frame larger than that.
    case tooMuchUnread
    /// Anything else, in OpenSSL's words.
    case failed(String)
}

extension SecureFailure: CustomStringConvertible {
    /// One clause for a log line: what happened, and what to do. Never shows a key.
    public var description: String {
        switch self {
        case .notTLS:
            "the peer does not speak TLS: turn security on (or `insecure` off) on both nodes, and check the port"
        case .handshakeTimeout: "the TLS handshake took too long: the peer accepts connections but does not answer"
        case .handshakeTooLong: "the peer sent too many bytes before the TLS handshake was done"
        case .peerLeft: "the peer closed the connection during the TLS handshake: its log says why"
        case .unknownKey(let ids):
            "we do not know the peer's key \(ids.joined(separator: ", ")); put the same preSharedKeys file on both nodes"
        case .noKeyOffered:
            "the peer offered no pre-shared key: give both nodes preSharedKeys, or both a certificate"
        case .keyRefused(let id):
            "the peer does not know our key \(id); put the same preSharedKeys file on both nodes"
        case .certificateInsteadOfKey:
            "the peer uses a certificate and we use pre-shared keys: give both nodes the same kind"
        case .noPeerCertificate:
            "the peer showed no certificate: give both nodes certificate, privateKey and authority, or both preSharedKeys"
        case .peerCertificate(let reason):
            "the peer's certificate is not accepted (\(reason)): have it issued by the authority that our file names"
        case .certificateRefused(let reason):
            "the peer does not accept our certificate (\(reason)): have it issued by the authority that its file names"
        case .version: "no common TLS version: the peer is too old, or no Hearsay node"
        case .damaged: "bytes were damaged or injected on the way"
        case .truncated: "the connection was cut: it ended without the peer closing it under TLS"
        case .tooMuchUnread: "the peer sent a frame that is too large"
        case .failed(let words): "TLS failed: \(words)"
        }
    }
}
