// What all connections of one side of one node have in common: OpenSSL's SSL_CTX. Loading certificates and the two
// callbacks for pre-shared keys stand in files of their own.

import COpenSSL

/// How a node proves that it belongs to the cluster.
public enum Credentials: Sendable {
    /// Both sides have the same key. TLS 1.3 with (EC)DHE: a key that leaks later opens nothing that was recorded.
    case preSharedKeys(Keyring)
    /// Both sides have a certificate of the same authority.
    case certificates(Certificates)
}

/// One side's settings for TLS, checked and immutable. Made once, at start; to change a key, make another one for the
/// connections to come.
///
/// No session tickets, no 0-RTT, no renegotiation, no compression.
///
/// Sendable since OpenSSL lets threads share an SSL_CTX that nobody changes any more.
public final class TLSContext: @unchecked Sendable {
    /// Who speaks first.
    public enum Side: Sendable {
        /// Accepts connections.
        case server
        /// Dials.
        case client
    }

    /// The oldest version of TLS to accept.
    public enum Version: Sendable {
        /// For peers that are not ours, on the remoting port. Certificates only.
        case tls12
        /// The default.
        case tls13
    }

    /// Which side this is for.
    public let side: Side
    let raw: OpaquePointer
    /// The keys in OpenSSL's form; nil with certificates. Set once, by `init`.
    private(set) var keys: KeyTable?

    /// Checks and loads the credentials.
    public convenience init(
        side: Side, credentials: Credentials, minimumVersion: Version = .tls13
    ) throws(SecureTransportError) {
        switch credentials {
        case .preSharedKeys(let keyring):
            try self.init(side: side, oldest: TLS1_3_VERSION)
            keys = KeyTable(keyring, raw)
            usePreSharedKeys()
        case .certificates(let certificates):
            try self.init(side: side, oldest: minimumVersion == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION)
            try use(certificates)
        }
    }

    /// One side without credentials.
    init(side: Side, oldest: Int32) throws(SecureTransportError) {
        guard let raw = SSL_CTX_new(side == .server ? TLS_server_method() : TLS_client_method()) else {
            throw SecureTransportError(subject: "TLS", reason: OpenSSLErrors.words())
        }
        self.side = side
        self.raw = raw
        hearsay_ssl_harden(raw)
        // X25519 first: an offer that every peer of ours takes, so that no handshake needs a second round.
        guard hearsay_ssl_set_versions(raw, oldest, TLS1_3_VERSION) == 1,
            hearsay_ssl_set_groups(raw, "X25519:P-256:P-384") == 1
        else { throw SecureTransportError(subject: "TLS", reason: OpenSSLErrors.words()) }
    }

    /// A client of somebody else's making, for tests.
    init(client raw: OpaquePointer) {
        self.raw = raw
        side = .client
        keys = nil
    }

    deinit { SSL_CTX_free(raw) }
}
