import Basics
import ClusterConfiguration
import GossipCore
import NameServerNode
import Platform
import SecureTransport

// The gossip of one node, from the cluster.yaml: peers, key, rhythm.

extension GossipOptions {
    /// What the file says of the node's gossip; nil for mode off. A key or certificate that cannot be used is named with the
    /// reason.
    init?(_ cluster: ClusterConfiguration, node: NodeConfiguration) throws {
        guard let mode = GossipMode(name: node.gossipMode.rawValue), mode != .off else { return nil }
        let configured = cluster.gossip
        let credentials = try Self.credentials(configured.security)
        let hashKey = Self.hashKey(credentials, label: configured.label)
        guard let hash = KeyedHash(key: hashKey) else {
            throw ConfigurationFailure("no key for gossip could be derived")
        }
        var settings = GossipSettings(
            node: node.name, label: configured.label, mode: mode, hash: hash, salt: fingerprint(of: hashKey))
        let peers = cluster.gossipPeers(of: node.name)
        settings.peers = peers.map(\.name)
        settings.acceptsUnlistedPeers = configured.discovery != nil
        settings.software = String(softwareVersion.prefix(WireLimits.softwareBytes))
        settings.period = configured.period
        settings.heartbeat = cluster.timings.heartbeat
        settings.scan = cluster.timings.scan
        settings.expiry = cluster.timings.expiry
        settings.closeGrace = configured.closeGrace
        settings.witnesses = configured.witnesses
        settings.appliesUnregister = mode == .replicate && configured.applyUnregister
        settings.replicatesKeyValues = mode == .replicate && configured.replicate.contains(.kv)
        settings.replicatesPermissions = mode == .replicate && configured.replicate.contains(.perm)
        self.init(
            settings: settings, listen: node.gossip, peers: peers.map(\.gossip),
            seed: SystemRandomNumberGenerator().drawn())
        discovery = configured.discovery
        gatesUnknownTopics = configured.gateUnknownTopics
        let allowed = configured.allow
        if !allowed.isEmpty { admits = { host in allowed.contains { $0.contains(host) } } }
        security = try Self.security(credentials, insecure: configured.insecure)
    }

    /// Credentials as read, or nil for plaintext.
    private static func credentials(_ security: GossipConfiguration.Security) throws -> Credentials? {
        switch security {
        case .plaintext: return nil
        case .preSharedKeys(let paths):
            let files = try paths.map { try credential($0) }
            return .preSharedKeys(try usable { () throws(SecureTransportError) in try Keyring(files: files) })
        case .certificates(let paths):
            return .certificates(
                Certificates(
                    certificate: try credential(paths.certificate), privateKey: try credential(paths.privateKey),
                    authority: try credential(paths.authority)))
        }
    }

    private static func credential(_ path: String) throws -> CredentialFile {
        do {
            return CredentialFile(name: path, bytes: try readFile(path, limit: CredentialFile.byteLimit))
        } catch {
            throw ConfigurationFailure(error)
        }
    }

    private static func usable<Value>(_ make: () throws(SecureTransportError) -> Value) throws -> Value {
        do {
            return try make()
        } catch {
            throw ConfigurationFailure(error)
        }
    }

    /// What the nodes hash with: from the secret that they share, or where they share none (certificates, loopback) from what
    /// they all have.
    private static func hashKey(_ credentials: Credentials?, label: String) -> [UInt8] {
        switch credentials {
        case .preSharedKeys(let keyring): keyring.primary.deriveHashKey(label: label)
        case .certificates(let certificates): deriveHashKey(from: certificates.authority.bytes, label: label)
        case nil: deriveHashKey(from: Array(label.utf8), label: label)
        }
    }

    private static func security(_ credentials: Credentials?, insecure: Bool) throws -> Security {
        guard let credentials else { return .plaintext(beyondLoopback: insecure) }
        return .tls(
            server: try usable { () throws(SecureTransportError) in
                try TLSContext(side: .server, credentials: credentials)
            },
            client: try usable { () throws(SecureTransportError) in
                try TLSContext(side: .client, credentials: credentials)
            })
    }
}

extension SystemRandomNumberGenerator {
    fileprivate func drawn() -> UInt64 {
        var generator = self
        return generator.next()
    }
}
