import AccessControl

extension HTTPShell {
    /// What was refused and what was written down.
    func appendAccess(_ text: inout MetricsText) {
        let access = node.access
        text.family(
            "hearsay_refused_requests_total", .counter, "Requests refused with NO_PERMISSION, by class and reason.")
        for requestClass in RequestClass.allCases {
            for reason in AccessRefusal.Reason.allCases {
                text.sample(
                    access.refusals[requestClass]?[reason] ?? 0,
                    ["class": requestClass.rawValue, "reason": reason.rawValue])
            }
        }
        text.single("hearsay_accounts", .gauge, access.policy.accounts.count, "Accounts that can sign requests.")
        text.family(
            "hearsay_audit_lines_total", .counter,
            "Lines of the audit log: in it, or in the node's log because it could not be written.")
        text.sample(access.audit.written, ["result": "written"])
        text.sample(access.audit.diverted, ["result": "diverted"])
    }
}
