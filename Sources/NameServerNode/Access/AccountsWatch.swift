import AccessControl
import Basics
import Logging
import Platform

/// A file of accounts: read at start, and looked at again as long as the node runs. A content that cannot be used is reported
/// once, and the accounts before it stay.
final class AccountsWatch {
    /// How often the file is looked at.
    static let interval: Duration = .seconds(1)
    /// The longest file that is read: 5,000 accounts have half of it.
    static let byteLimit = 1 << 20

    /// Hears the accounts of a changed file.
    var onChange: ((Accounts) -> Void)?

    let source: AccountsSource
    private let platform: any Platform
    private let log: NodeLog
    /// What was last looked at, good or not.
    private var seen: [UInt8]?
    private lazy var timer = platform.makeTimer { [weak self] in self?.look() }

    init(_ source: AccountsSource, platform: any Platform, log: NodeLog) {
        self.source = source
        self.platform = platform
        self.log = log
    }

    /// Reads the file now.
    func load() throws(PlatformError) -> Accounts {
        guard let bytes = try platform.files.read(source.path, limit: Self.byteLimit) else {
            throw PlatformError(operation: "read \(source.path)", name: "ENOENT", message: "there is no such file")
        }
        let accounts = try parse(bytes)
        seen = bytes
        return accounts
    }

    private func parse(_ bytes: [UInt8]) throws(PlatformError) -> Accounts {
        do {
            return try source.parse(bytes, source.path)
        } catch {
            throw PlatformError(operation: "accounts", name: "access.accountsFile", message: "\(error)")
        }
    }

    func start() { timer.start(at: platform.now + Self.interval) }

    func stop() { timer.cancel() }

    private func look() {
        start()
        // A file that is being replaced may be missing for a moment.
        guard let found = try? platform.files.read(source.path, limit: Self.byteLimit), found != seen else { return }
        seen = found
        do throws(PlatformError) {
            let accounts = try parse(found)
            onChange?(accounts)
            log.accountsRead(source.path, count: accounts.count)
        } catch {
            log.accountsRefused(error)
        }
    }
}

extension NodeLog {
    func accountsRead(_ path: String, count: Int) {
        logger.notice("accounts read anew", metadata: ["file": "\(path)", "accounts": "\(count)"])
    }

    func accountsRefused(_ error: PlatformError) {
        logger.error(
            "the changed accounts file cannot be used; the old accounts stay. Repair it",
            metadata: ["error": "\(error.message)"])
    }
}
