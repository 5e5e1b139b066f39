// The accounts that can sign requests. The form is that of RocketMQ's plain_acl.yml, so that brokers and nodes can share one:
//
//     accounts:
//       - accessKey: ops            who; sent with each request
//         secretKey: …              what requests are signed with; 7 to 255 bytes
//         admin: true               may do everything; default false: may look up and register
//         classes: [lookup]         ours: just these, out of lookup, register, administer
//         networks: [10.0.0.0/8]    ours: only from there; default from everywhere that the class is open to
//
// What else RocketMQ's brokers understand concerns topics and groups, or lifts the need to sign; nodes read past it.

import AccessControl
import Basics

/// Reads files of accounts.
public enum AccountsFile {
    /// Validates the text of a file; throws every fault found, each with its line, and never a secret.
    public static func parse(bytes: [UInt8], fileName: String) throws(ConfigurationErrors) -> Accounts {
        let document = try ConfigurationFile.document(in: bytes, name: fileName)
        let log = FaultLog(file: fileName)
        let root = MappingReader<RootKey>(document, line: document?.line ?? 1, log: log)
        var lines: [String: Int] = [:]
        var accounts: [Account] = []
        for reader in root.list(.accounts, of: AccountKey.self, limit: Accounts.Limits.accounts) {
            guard let account = account(reader) else { continue }
            let line = reader.line(of: .accessKey)
            if let first = lines[account.accessKey] {
                log.report(line, "accessKey \(quoted(account.accessKey)) is already used on line \(first)")
                continue
            }
            lines[account.accessKey] = line
            accounts.append(account)
        }
        try log.check()
        return Accounts(accounts)
    }

    /// Reads and validates a file of at most 1 MiB.
    public static func load(path: String) throws(ConfigurationErrors) -> Accounts {
        try parse(bytes: try ConfigurationFile.read(path), fileName: path)
    }

    private enum RootKey: String, SectionKey {
        case accounts
        /// RocketMQ's: nobody there need sign. Not here.
        case globalWhiteRemoteAddresses
        static let section = "the file"
    }

    private enum AccountKey: String, SectionKey {
        case accessKey, secretKey, admin, classes, networks
        // RocketMQ's: the account need not sign there, and what it may do with topics and groups.
        case whiteRemoteAddress, defaultTopicPerm, defaultGroupPerm, topicPerms, groupPerms
        static let section = "accounts"
    }

    private static func account(_ reader: MappingReader<AccountKey>) -> Account? {
        let accessKey = key(.accessKey, in: 1...Accounts.Limits.keyBytes, reader)
        // RocketMQ's brokers want more than 6, too.
        let secretKey = key(.secretKey, in: 7...Accounts.Limits.keyBytes, reader)
        let isAdmin = reader.boolean(.admin, default: false)
        let classes: [RequestClass] = reader.choices(.classes, limit: RequestClass.allCases.count)
        let networks = reader.addressBlocks(.networks, limit: AccessConfiguration.networkLimit)
        if isAdmin, reader.isGiven(.classes) {
            reader.report(.classes, "admin: true is all classes; leave one of the two out")
        }
        guard let accessKey, let secretKey else { return nil }
        var account = Account(
            accessKey: accessKey, secretKey: SecretKey(secretKey),
            classes: isAdmin ? .all : [RequestClasses(.lookup), RequestClasses(.register)])
        if reader.node(.classes) != nil { account.classes = RequestClasses(classes.map { RequestClasses($0) }) }
        if reader.node(.networks) != nil { account.networks = Networks(networks) }
        return account
    }

    /// A key or a secret, of which no message shows anything.
    private static func key(
        _ key: AccountKey, in range: ClosedRange<Int>, _ reader: MappingReader<AccountKey>
    ) -> String? {
        guard let node = reader.node(key) else {
            reader.report(key, "is missing")
            return nil
        }
        guard case .scalar(let text, _) = node.content, range.contains(text.utf8.count), !text.utf8.contains(0) else {
            reader.report(key, "must be a text of \(range.lowerBound) to \(range.upperBound) bytes")
            return nil
        }
        return text
    }
}
