/// Limits of one secured stream, besides the `StreamOptions` of the stream below.
public struct SecureOptions: Sendable {
    /// From the connection to the end of the handshake. Default 5 s.
    public var handshakeTimeout: Duration = .seconds(5)
    /// Bytes that the peer may send before the handshake is done: a hello and a few certificates. Default 64 KiB.
    public var handshakeLimit = 64 << 10
    /// Bytes that `write` may be given before the handshake is done; more end the stream with `.slowPeer`. Default 1 MiB.
    public var earlyLimit = 1 << 20
    /// Plaintext that the handler may leave unconsumed, and the largest `Consumption.needed`. Default 64 MiB, as with the
    /// plain stream; a protocol with smaller frames sets it to twice its largest.
    public var plaintextLimit = 64 << 20

    /// The defaults above.
    public init() {}
}

/// What was agreed on with the peer.
public struct SecureSession: Hashable, Sendable {
    /// `TLSv1.3`.
    public var version: String
    /// `TLS_AES_128_GCM_SHA256`.
    public var suite: String
    /// The id of the pre-shared key in use; nil with certificates. Shows who still uses a key that is to be removed.
    public var keyID: String?
    /// The subject of the peer's certificate, `CN = ns-2`; nil with keys.
    public var certificateSubject: String?
}
