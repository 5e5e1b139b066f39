import AccessControl

/// Who may do what at a node, and where it is written down.
public struct AccessOptions: Sendable {
    /// Default: lookups and registrations from everywhere, administration from this machine, nobody needs an account.
    public var rules = AccessRules()
    /// Where accounts come from; nil = there are none.
    public var accounts: AccountsSource?
    /// The file of administrative requests; nil = they go to the node's log.
    public var audit: AuditOptions?

    /// The defaults above.
    public init() {}
}

/// A file of accounts, looked at again while the node runs.
public struct AccountsSource: Sendable {
    /// The file.
    public var path: String
    /// Reads its content, for messages under its name; throws what is wrong with it, all of it.
    public var parse: @Sendable (_ bytes: [UInt8], _ name: String) throws -> Accounts

    /// A file and what understands it.
    public init(path: String, parse: @escaping @Sendable (_ bytes: [UInt8], _ name: String) throws -> Accounts) {
        (self.path, self.parse) = (path, parse)
    }
}

/// Where administrative requests are written down.
public struct AuditOptions: Sendable {
    /// The file; lines are appended.
    public var path: String
    /// How a line looks.
    public var format: LineLogHandler.Format
    /// The current time as it shall be printed.
    public var timestamp: @Sendable () -> String

    /// A file of such lines.
    public init(path: String, format: LineLogHandler.Format, timestamp: @escaping @Sendable () -> String) {
        (self.path, self.format, self.timestamp) = (path, format, timestamp)
    }
}
