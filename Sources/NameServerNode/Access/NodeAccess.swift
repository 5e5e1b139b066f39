// Who may do what at this node: the policy in force, what it refused, and the log of what was administered.

import AccessControl
import Basics
import Logging
import Platform
import Remoting

/// The access of one node; answers requests that are refused.
final class NodeAccess {
    /// The rules and the accounts in force.
    private(set) var policy: AccessPolicy
    /// What was refused so far.
    private(set) var refusals: [RequestClass: [AccessRefusal.Reason: Int]] = [:]
    let audit: AuditLog

    private let platform: any Platform
    private let log: NodeLog
    private var accounts: AccountsWatch?
    private var isStarted = false

    /// Reads the accounts, if there is a file of them.
    ///
    /// - Throws: when it cannot be read or says something wrong.
    init(
        _ options: AccessOptions, node: String, platform: any Platform, log: NodeLog
    ) throws(PlatformError) {
        self.platform = platform
        self.log = log
        audit = AuditLog(nil, node: node, platform: platform, log: log)
        policy = AccessPolicy()
        use(try prepare(options))
    }

    /// Begins to look for changes of the accounts.
    func start() {
        isStarted = true
        accounts?.start()
    }

    func stop() { accounts?.stop() }

    // MARK: Change

    /// What other options come to, with their accounts read.
    struct Prepared {
        fileprivate var policy: AccessPolicy
        fileprivate var accounts: AccountsWatch?
        fileprivate var audit: AuditOptions?
    }

    /// Reads what the options name and changes nothing.
    func prepare(_ options: AccessOptions) throws(PlatformError) -> Prepared {
        let watch = options.accounts.map { AccountsWatch($0, platform: platform, log: log) }
        let accounts = try watch?.load() ?? Accounts()
        return Prepared(
            policy: AccessPolicy(rules: options.rules, accounts: accounts), accounts: watch, audit: options.audit)
    }

    /// From now on these count; connections must be told.
    func use(_ prepared: Prepared) {
        accounts?.stop()
        policy = prepared.policy
        accounts = prepared.accounts
        accounts?.onChange = { [weak self] in self?.policy.accounts = $0 }
        if isStarted { accounts?.start() }
        audit.use(prepared.audit)
    }

    // MARK: Requests

    /// Judges a request; one that is refused is counted, logged, answered unless it is oneway, and true is given back.
    func refuses(
        _ header: borrowing CommandHeader, body: UnsafeRawBufferPointer, from origin: RequestOrigin,
        accessKey: inout String?, output: inout ByteWriter
    ) -> Bool {
        switch policy.judge(header, body: body, from: origin) {
        case .allowed(let key):
            accessKey = key
            return false
        case .refused(let refusal):
            refusals[refusal.requestClass, default: [:]][refusal.reason, default: 0] += 1
            if refusal.requestClass == .administer {
                if audit.hasRoomForRefusal() {
                    audit.write(AuditRecord(header, body: body, from: origin, refusal: refusal))
                }
            } else {
                log.refused(refusal, header.code, from: origin, now: platform.now)
            }
            if !header.isOneway {
                let mark = ResponseFrame.begin(
                    &output, code: ResponseCode.noPermission, opaque: header.opaque, remark: refusal.remark,
                    fields: .absent)
                ResponseFrame.end(&output, mark)
            }
            return true
        }
    }
}

extension NodeLog {
    /// Somebody asked for what he may not.
    func refused(_ refusal: AccessRefusal, _ code: Int32, from origin: RequestOrigin, now: Instant) {
        write(
            .warning, "refused-\(refusal.requestClass)-\(refusal.reason.rawValue)",
            "request refused: \(refusal.remark)",
            ["event": "refused", "address": "\(origin)", "code": "\(code)"], now)
    }
}
