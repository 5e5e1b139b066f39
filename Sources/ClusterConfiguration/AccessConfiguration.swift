import AccessControl
import Basics

/// Who may send what to the nodes, and where it is written down.
public struct AccessConfiguration: Hashable, Sendable {
    /// Default: lookups and registrations from everywhere, administration from this machine.
    public var rules = AccessRules()
    /// The file of accounts (`AccountsFile`); this module does not open it. Nil, the default, for no accounts.
    public var accountsFile: String?
    /// The file of administrative requests; nil, the default, for the nodes' logs.
    public var auditLog: String?

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case lookup, register, administer, accountsFile, auditLog
        static let section = "access"
    }

    enum RuleKey: String, SectionKey {
        case networks, accounts
        static let section = "access.administer"
    }

    /// Looked through for each connection, or each request that administers.
    static let networkLimit = 64
}

extension AccessConfiguration {
    /// `files` turns paths of the file into paths to open.
    init(_ reader: MappingReader<Key>, files: RelativePaths) {
        self.init()
        accountsFile = reader.optionalPath(.accountsFile).map(files.resolved)
        auditLog = reader.optionalPath(.auditLog).map(files.resolved)
        for (key, requestClass) in [
            (Key.lookup, RequestClass.lookup), (.register, .register), (.administer, .administer),
        ] {
            let section = reader.mapping(key, of: RuleKey.self, section: "access.\(key.rawValue)")
            rules[requestClass] = Self.rule(section, default: rules[requestClass])
            if rules[requestClass].needsAccount, !reader.isGiven(.accountsFile) {
                section.report(.accounts, "true needs access.accountsFile, the file of those who can sign")
            }
        }
    }

    private static func rule(_ reader: MappingReader<RuleKey>, default fallback: AccessRules.Rule) -> AccessRules.Rule {
        var rule = fallback
        rule.needsAccount = reader.boolean(.accounts, default: rule.needsAccount)
        // An empty list is one: from nowhere.
        if reader.node(.networks) != nil {
            rule.networks = Networks(reader.addressBlocks(.networks, limit: networkLimit))
        }
        return rule
    }

    /// What an operator should know about who can do what: each with the line to look at. None for a cluster that only this
    /// machine reaches.
    func notices(_ nodes: [NodeConfiguration], _ reader: MappingReader<Key>, _ log: FaultLog) -> [ConfigurationError] {
        guard let exposed = nodes.first(where: { !$0.listen.isLoopback }) else { return [] }
        let place = "node \(exposed.name) listens at \(exposed.listen)"
        var notices: [ConfigurationError] = []
        if !rules.administer.networks.isLoopback, !rules.administer.needsAccount {
            notices.append(
                log.notice(
                    reader.line(of: .administer),
                    "access.administer is open to \(rules.administer.networks) without accounts, and \(place): whoever is there "
                        + "can wipe permissions, delete topics and change settings"))
        }
        if rules.register.networks.isEverywhere, !rules.register.needsAccount {
            notices.append(
                log.notice(
                    reader.line(of: .register),
                    "access.register is open to everybody without accounts, and \(place): whoever reaches it can "
                        + "register brokers and unregister others"))
        }
        return notices
    }
}

extension MappingReader {
    /// The blocks of addresses listed under `key`.
    func addressBlocks(_ key: Key, limit: Int) -> [AddressBlock] {
        values(key, limit: limit) { (text) throws(ValueFault) in
            guard let block = AddressBlock(text) else {
                throw ValueFault(
                    "is no block of addresses; write address/prefix with no bits set beyond the prefix, "
                        + "as in 10.0.0.0/8, fd00::/8 or 10.0.0.5/32")
            }
            return block
        }
    }
}
