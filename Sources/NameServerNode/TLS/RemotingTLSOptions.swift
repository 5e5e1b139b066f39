import SecureTransport

/// TLS on the port of brokers and clients (protocol.md 5.6): plain and secured connections share it, told apart by their
/// first byte.
public struct RemotingTLSOptions: Hashable, Sendable {
    /// RocketMQ's `tls.server.mode`.
    public enum Mode: String, Sendable, CaseIterable {
        /// TLS connections are closed.
        case disabled
        /// Both kinds are served. RocketMQ's default, and ours.
        case permissive
        /// Plain connections are closed.
        case enforcing
    }

    /// PEM files by their paths. A certificate and its key belong together: they are looked at again while the node runs, and
    /// taken when both have changed.
    public struct Files: Hashable, Sendable {
        /// The certificate, followed by intermediate ones.
        public var certificate: String
        /// Its key.
        public var privateKey: String
        /// The key's password, if it has one.
        public var password: String?

        /// Two files.
        public init(certificate: String, privateKey: String, password: String? = nil) {
            (self.certificate, self.privateKey, self.password) = (certificate, privateKey, password)
        }
    }

    /// What is served. Default permissive.
    public var mode = Mode.permissive
    /// What the node shows; nil makes a certificate for testing at the first connection that wants one (`isForTesting`), or else
    /// closes TLS connections, as RocketMQ does.
    public var files: Files?
    /// RocketMQ's `tls.test.mode.enable`: without files, a certificate is made that proves nothing. Default true, as RocketMQ's.
    public var isForTesting = true
    /// What clients must show. Default nothing.
    public var clientCertificates = ServerCredentials.ClientCertificates.none
    /// Who must have issued the clients' certificates, a PEM file's path; nil takes any.
    public var authority: String?

    /// RocketMQ's defaults.
    public init() {}
}
