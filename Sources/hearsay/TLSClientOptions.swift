import ArgumentParser
import Platform
import SecureTransport

/// Whether and how a command's connections speak TLS, with NameServers and brokers alike, as RocketMQ's `tls.enable`.
struct TLSClientOptions: ParsableArguments {
    @Flag(help: "Speak TLS with NameServers and brokers.") var tls = false
    @Option(help: "PEM file of the authorities to trust. Default: any certificate will do, as in RocketMQ.")
    var tlsAuthority: String?
    @Option(help: "PEM file of the certificate to show; needs --tls-key.") var tlsCertificate: String?
    @Option(help: "PEM file of its key.") var tlsKey: String?

    func validate() throws {
        guard tls || (tlsAuthority == nil && tlsCertificate == nil && tlsKey == nil) else {
            throw ValidationError("--tls-authority, --tls-certificate and --tls-key need --tls")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key need each other")
        }
    }

    /// The platform to dial with.
    ///
    /// - Parameter serves: whether ports opened on it take TLS connections, too, with the certificate or one that is made.
    func platform(over base: any Platform, serves: Bool = false) throws -> any Platform {
        guard tls else { return base }
        var client = ClientCredentials()
        client.authority = try tlsAuthority.map { try read($0, base) }
        if let tlsCertificate, let tlsKey {
            client.identity = (try read(tlsCertificate, base), try read(tlsKey, base), nil)
        }
        let shown = client.identity.map {
            ServerCredentials.Identity.files(certificate: $0.certificate, privateKey: $0.privateKey, password: nil)
        }
        do {
            return SecuredPlatform(
                base, client: try TLSContext(client: client),
                server: serves ? try TLSContext(server: ServerCredentials(identity: shown ?? .generated)) : nil)
        } catch {
            throw failUsage(error)
        }
    }

    private func read(_ path: String, _ platform: any Platform) throws -> CredentialFile {
        do {
            return try CredentialFile(reading: path, from: platform.files)
        } catch {
            throw failUsage(error)
        }
    }
}
