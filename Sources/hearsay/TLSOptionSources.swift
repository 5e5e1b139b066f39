import ClusterConfiguration
import NameServerCore
import NameServerNode
import Platform
import Remoting
import SecureTransport

// Where the TLS of the remoting port comes from: the section `tls` of a cluster.yaml, or RocketMQ's own tls.* keys.

extension RemotingTLSOptions {
    /// The section `tls` of a cluster.yaml.
    init(_ configured: TLSConfiguration) throws {
        self.init()
        mode = Mode(rawValue: configured.mode.rawValue) ?? mode
        isForTesting = configured.testMode
        clientCertificates = .init(rawValue: configured.clientCertificates.rawValue) ?? clientCertificates
        authority = configured.authority
        files = try configured.files.map {
            Files(
                certificate: $0.certificate, privateKey: $0.privateKey,
                password: try $0.passwordFile.map { try firstLine(of: $0) })
        }
    }

    /// Where RocketMQ's programs look for tls.* keys unless told otherwise.
    static let usualFile = "/etc/rocketmq/tls.properties"

    /// RocketMQ's keys: those of a namesrv.properties, and over them those of the file that `tls.config.file` names or, when it
    /// exists, of the usual one (protocol.md 5.6).
    init(properties: PropertiesText) throws {
        self.init()
        var keys = properties
        let named = properties["tls.config.file"]
        do throws(PlatformError) {
            let bytes = try readFile(named ?? Self.usualFile, limit: 1 << 20)
            for entry in (try? PropertiesText(decoding: bytes))?.entries ?? [] { keys[entry.key] = entry.value }
        } catch {
            // RocketMQ does without a file that is not there.
            if let named { printError("hearsay: tls.config.file=\(named): \(error.message); going on without it") }
        }
        mode = keys["tls.server.mode"].flatMap { Mode(rawValue: $0.lowercased()) } ?? mode
        isForTesting = keys["tls.test.mode.enable"].map { $0.lowercased() == "true" } ?? isForTesting
        clientCertificates =
            keys["tls.server.need.client.auth"].flatMap { .init(rawValue: $0.lowercased()) } ?? clientCertificates
        if keys["tls.server.authClient"]?.lowercased() == "true" { authority = keys["tls.server.trustCertPath"] }
        // RocketMQ's test mode does not look at the files.
        if let certificate = keys["tls.server.certPath"], let privateKey = keys["tls.server.keyPath"],
            keys["tls.test.mode.enable"]?.lowercased() != "true"
        {
            files = Files(certificate: certificate, privateKey: privateKey, password: keys["tls.server.keyPassword"])
        }
    }
}

extension RemotingTLSOptions {
    /// How the page dials nodes that take TLS only; nil when plain connections will do. It shows the node's own certificate, in
    /// case clients must show one, and takes any, as RocketMQ's clients do: nodes are not told whom to trust here.
    func pageDialling() throws -> (@Sendable (any Platform) -> any Platform)? {
        guard mode == .enforcing else { return nil }
        do {
            var client = ClientCredentials()
            client.identity = try files.map {
                let parts = try [$0.certificate, $0.privateKey].map {
                    CredentialFile(name: $0, bytes: try readFile($0, limit: CredentialFile.byteLimit))
                }
                return (parts[0], parts[1], $0.password)
            }
            let context = try TLSContext(client: client)
            return { SecuredPlatform($0, client: context) }
        } catch let error as PlatformError {
            throw ConfigurationFailure(error)
        } catch let error as SecureTransportError {
            throw ConfigurationFailure(error.description)
        }
    }
}

private func firstLine(of path: String) throws -> String {
    do {
        let text = String(decoding: try readFile(path, limit: 4_096), as: UTF8.self)
        return String(text.prefix { !$0.isNewline })
    } catch {
        throw ConfigurationFailure(error)
    }
}
