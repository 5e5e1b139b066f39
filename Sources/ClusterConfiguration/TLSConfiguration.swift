/// TLS on the port of brokers and clients.
public struct TLSConfiguration: Hashable, Sendable {
    /// What is served; RocketMQ's `tls.server.mode`.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// TLS connections are closed.
        case disabled
        /// Plain and TLS connections.
        case permissive
        /// TLS connections only.
        case enforcing
    }

    /// Whether clients show a certificate; RocketMQ's `tls.server.need.client.auth`.
    public enum ClientCertificates: String, CaseIterable, Hashable, Sendable {
        case none, optional, require
    }

    /// Paths of PEM files that belong together.
    public struct Files: Hashable, Sendable {
        /// The certificate and those that lead to its authority.
        public var certificate: String
        /// Its key.
        public var privateKey: String
        /// A file whose first line is the key's password; nil = the key has none.
        public var passwordFile: String?
    }

    /// Default `permissive`, as RocketMQ's.
    public var mode = Mode.permissive
    /// Nil: see `testMode`.
    public var files: Files?
    /// Whether a certificate is made up when none is named, as RocketMQ does. Default true.
    public var testMode = true
    /// Default `none`.
    public var clientCertificates = ClientCertificates.none
    /// A PEM file with the authorities of the clients' certificates; nil takes any certificate.
    public var authority: String?

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case mode, certificate, privateKey, passwordFile, testMode, clientCertificates, authority
        static let section = "tls"
    }
}

extension TLSConfiguration {
    /// `files` turns paths of the file into paths to open.
    init(_ reader: MappingReader<Key>, files paths: RelativePaths) {
        self.init()
        mode = reader.choice(.mode, default: mode)
        testMode = reader.boolean(.testMode, default: testMode)
        clientCertificates = reader.choice(.clientCertificates, default: clientCertificates)
        authority = reader.optionalPath(.authority).map(paths.resolved)
        let certificate = reader.optionalPath(.certificate).map(paths.resolved)
        let privateKey = reader.optionalPath(.privateKey).map(paths.resolved)
        let passwordFile = reader.optionalPath(.passwordFile).map(paths.resolved)
        if let certificate, let privateKey {
            files = Files(certificate: certificate, privateKey: privateKey, passwordFile: passwordFile)
        }
        for (given, missing) in [(Key.certificate, Key.privateKey), (.privateKey, .certificate)]
        where reader.isGiven(given) && !reader.isGiven(missing) {
            reader.report(given, "needs \(missing.rawValue) beside it")
        }
        if passwordFile != nil, !reader.isGiven(.privateKey) {
            reader.report(.passwordFile, "needs certificate and privateKey beside it")
        }
        if authority != nil, clientCertificates == .none {
            reader.report(.authority, "has no effect with clientCertificates: none; write optional or require")
        }
    }
}
