import AccessControl
import Basics
import ClusterConfiguration
import NameServerNode

// Who may do what at a node: from the section `access` of a cluster.yaml, or from the command line.

extension AccessOptions {
    /// The section `access` of a cluster.yaml.
    init(_ configured: AccessConfiguration, format: LineLogHandler.Format) {
        self.init()
        rules = configured.rules
        accounts = configured.accountsFile.map {
            AccountsSource(path: $0) { try AccountsFile.parse(bytes: $0, fileName: $1) }
        }
        audit = configured.auditLog.map { AuditOptions(path: $0, format: format, timestamp: { utcTimestamp() }) }
    }

    /// Opens administration to more networks: blocks of addresses, or single ones in digits.
    mutating func allowAdministration(from networks: [String]) throws {
        guard !networks.isEmpty else { return }
        let blocks = try networks.map { text in
            let block = AddressBlock(text) ?? AddressBlock(text + (text.contains(":") ? "/128" : "/32"))
            guard let block else {
                throw ConfigurationFailure(
                    "--allow-admin '\(text)' is no block of addresses; write 10.0.0.0/8, fd00::/8 or 10.0.0.5")
            }
            return block
        }
        rules.administer.networks = Networks(rules.administer.networks.blocks + blocks)
    }
}
