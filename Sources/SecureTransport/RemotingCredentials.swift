// TLS as RocketMQ's programs use it on their own port (protocol.md 5.6): the server has a certificate, clients may have one, and
// whom to trust is optional on both sides. Nodes among themselves use `Credentials`, which always prove both sides.

import COpenSSL

/// What a server of the remoting protocol shows, and what it asks of its clients.
public struct ServerCredentials: Sendable {
    /// What it shows.
    public enum Identity: Sendable {
        /// A certificate (followed by intermediate ones), and its key with the key's password if it has one. All in PEM.
        case files(certificate: CredentialFile, privateKey: CredentialFile, password: String?)
        /// A new key and a certificate that nobody vouches for, as in RocketMQ's test mode: hides what is sent, proves nothing.
        case generated
    }

    /// Whether clients show a certificate: RocketMQ's `tls.server.need.client.auth`.
    public enum ClientCertificates: String, Sendable, CaseIterable {
        /// They are not asked.
        case none
        /// They are asked, and may have none.
        case optional
        /// Without one there is no connection.
        case require
    }

    /// What it shows.
    public var identity: Identity
    /// What it asks for. Default: nothing.
    public var clientCertificates = ClientCertificates.none
    /// Who must have issued the clients' certificates; nil takes any, as RocketMQ does with `tls.server.authClient=false`.
    public var authority: CredentialFile?

    /// A server that asks its clients for nothing.
    public init(identity: Identity) { self.identity = identity }
}

/// What a client of the remoting protocol shows, and whom it trusts.
public struct ClientCredentials: Sendable {
    /// Who must have issued the server's certificate; nil takes any, as RocketMQ does with `tls.client.authServer=false`.
    public var authority: CredentialFile?
    /// The client's own certificate and key, for servers that ask; nil shows none.
    public var identity: (certificate: CredentialFile, privateKey: CredentialFile, password: String?)?

    /// A client that trusts any server and shows nothing.
    public init() {}
}

extension TLSContext {
    /// A server's side of the remoting port: TLS 1.2 and 1.3.
    ///
    /// - Throws: what is wrong with one of the files; or OpenSSL's words when no key can be made.
    public convenience init(server credentials: ServerCredentials) throws(SecureTransportError) {
        try self.init(side: .server, oldest: TLS1_2_VERSION)
        switch credentials.identity {
        case .files(let certificate, let privateKey, let password):
            try show(certificate, privateKey, password: password)
        case .generated: try showGenerated()
        }
        let demand =
            switch credentials.clientCertificates {
            case .none: SSL_VERIFY_NONE
            case .optional: SSL_VERIFY_PEER
            case .require: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            }
        try demandCertificate(demand, from: credentials.authority)
    }

    /// A client's side of the remoting port: TLS 1.2 and 1.3. As RocketMQ's clients it does not look at host names.
    ///
    /// - Throws: what is wrong with one of the files.
    public convenience init(client credentials: ClientCredentials) throws(SecureTransportError) {
        try self.init(side: .client, oldest: TLS1_2_VERSION)
        if let (certificate, privateKey, password) = credentials.identity {
            try show(certificate, privateKey, password: password)
        }
        try demandCertificate(SSL_VERIFY_PEER, from: credentials.authority)
    }

    private func demandCertificate(_ demand: Int32, from authority: CredentialFile?) throws(SecureTransportError) {
        if let authority {
            try trust(authority)
        } else {
            SSL_CTX_set_cert_verify_callback(raw, { _, _ in 1 }, nil)
        }
        SSL_CTX_set_verify(raw, demand, nil)
    }

    private func showGenerated() throws(SecureTransportError) {
        guard hearsay_ssl_use_generated_certificate(raw) == 1 else {
            throw SecureTransportError(subject: "a certificate for testing", reason: OpenSSLErrors.words())
        }
    }
}
