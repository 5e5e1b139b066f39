// Decides who may send what. The shell (NameServerNode/Access) asks it, answers for it, counts and writes down.
//
//   connection opens ──origin──▶ unconditional(for:) ──classes──▶ kept by the connection; their requests are not looked at again
//   any other request ──header, body, origin──▶ judge ──▶ allowed · refused

import Basics
import Remoting

/// The rules in force and the accounts that they speak of.
public struct AccessPolicy: Sendable {
    /// Per class: networks, and whether an account is needed.
    public var rules: AccessRules
    /// Who may sign.
    public var accounts: Accounts

    /// Puts the two together.
    public init(rules: AccessRules = AccessRules(), accounts: Accounts = Accounts()) {
        (self.rules, self.accounts) = (rules, accounts)
    }

    /// The classes that need no look at single requests from there: never administration, each request of which is written
    /// down.
    public func unconditional(for origin: RequestOrigin) -> RequestClasses {
        var classes: RequestClasses = []
        for requestClass in [RequestClass.lookup, .register] {
            let rule = rules[requestClass]
            if !rule.needsAccount, rule.networks.contain(origin) { classes.insert(RequestClasses(requestClass)) }
        }
        return classes
    }

    /// Whether a request is served.
    ///
    /// Costs a signature only where an account is needed, or to tell who administers.
    public func judge(
        _ header: borrowing CommandHeader, body: UnsafeRawBufferPointer, from origin: RequestOrigin
    ) -> AccessVerdict {
        let requestClass = RequestClass(of: header.code)
        let rule = rules[requestClass]
        guard rule.networks.contain(origin) else {
            return refused(requestClass, .network, requestClass.refusal(of: origin, outside: rule.networks))
        }
        let key = header.field("AccessKey") ?? UnsafeRawBufferPointer(start: nil, count: 0)
        guard rule.needsAccount else {
            guard requestClass == .administer, !key.isEmpty, accounts.count > 0 else { return .allowed(accessKey: nil) }
            return .allowed(accessKey: signer(header, body, key)?.accessKey)
        }
        if key.isEmpty {
            return refused(
                requestClass, .unsigned,
                "\(requestClass.noun) an account, and this request has no access key: see access.\(requestClass).accounts"
            )
        }
        guard let account = signer(header, body, key) else {
            return refused(
                requestClass, .signature, "the access key or the signature is wrong: see access.accountsFile")
        }
        guard account.classes.contains(RequestClasses(requestClass)) else {
            return refused(
                requestClass, .account, of: account,
                "the account has not got the class \(requestClass): see its admin and classes in access.accountsFile")
        }
        guard account.networks.contain(origin) else {
            return refused(
                requestClass, .accountNetwork, of: account,
                "the account may be used from \(account.networks) only, not from \(origin): "
                    + "see its networks in access.accountsFile")
        }
        return .allowed(accessKey: account.accessKey)
    }

    /// The account that signed the request; nil for an unknown access key and for a wrong signature, after the same work.
    private func signer(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer
    ) -> Account? {
        let account = accounts.account(key)
        let isRight = RequestSignature.verifies(header, body: body, with: account?.secretKey ?? Accounts.decoy)
        return isRight ? account : nil
    }

    private func refused(
        _ requestClass: RequestClass, _ reason: AccessRefusal.Reason, of account: Account? = nil, _ remark: String
    ) -> AccessVerdict {
        .refused(
            AccessRefusal(requestClass: requestClass, reason: reason, accessKey: account?.accessKey, remark: remark))
    }
}

extension RequestClass {
    /// The beginning of "… an account".
    fileprivate var noun: String {
        switch self {
        case .lookup: "lookups need"
        case .register: "registrations need"
        case .administer: "administration needs"
        }
    }

    fileprivate func refusal(of origin: RequestOrigin, outside networks: Networks) -> String {
        let subject =
            switch self {
            case .lookup: "lookups are"
            case .register: "registrations are"
            case .administer: "administration is"
            }
        let option = self == .administer ? " or serve --allow-admin" : ""
        return "\(subject) allowed from \(networks) only, not from \(origin): see access.\(self).networks\(option)"
    }
}
