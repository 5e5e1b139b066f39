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

    /// Reads the accounts, if there is a file of them.
    ///
    /// - Throws: when it cannot be read or says something wrong.
    init(
        _ options: AccessOptions, node: String, platform: any Platform, log: NodeLog
    ) throws(PlatformError) {
        self.platform = platform
        self.log = log
        audit = AuditLog(options.audit, node: node, platform: platform, log: log)
        policy = AccessPolicy(rules: options.rules)
        if let source = options.accounts {
            let watch = AccountsWatch(source, platform: platform, log: log)
            policy.accounts = try watch.load()
            accounts = watch
        }
        accounts?.onChange = { [weak self] in self?.policy.accounts = $0 }
    }

    /// Begins to look for changes of the accounts.
    func start() { accounts?.start() }

    func stop() { accounts?.stop() }

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
                audit.write(AuditRecord(header, body: body, from: origin, refusal: refusal))
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
