import AccessControl
import Basics
import Remoting
import TestSupport
import Testing

@Suite struct AccessPolicyTests {
    private static let secret = SecretKey("12345678")

    private static func account(_ key: String, _ classes: RequestClasses, from blocks: [String] = []) -> Account {
        var account = Account(accessKey: key, secretKey: secret, classes: classes)
        if !blocks.isEmpty { account.networks = Networks(blocks.compactMap { AddressBlock($0) }) }
        return account
    }

    private static let accounts = Accounts([
        account("admin", .all), account("reader", RequestClasses(.lookup)),
        account("distant", .all, from: ["192.168.0.0/16"]),
    ])

    private static func policy(_ change: (inout AccessRules) -> Void = { _ in }) -> AccessPolicy {
        var rules = AccessRules()
        change(&rules)
        return AccessPolicy(rules: rules, accounts: accounts)
    }

    private static let needingAccounts = policy { rules in
        for requestClass in RequestClass.allCases {
            rules[requestClass] = .init(networks: .everywhere, needsAccount: true)
        }
    }

    private func signed(_ code: Int32, by key: String?, with secret: SecretKey = secret) -> RawRequest {
        var command = RemotingCommand(request: code, fields: ["topic": "T"])
        if let key { RequestSignature.sign(&command, accessKey: key, secretKey: secret) }
        var request = RawRequest(code)
        request.fields = command.fields?.map { (name: $0.name, value: $0.value) }
        return request
    }

    private func verdict(_ policy: AccessPolicy, _ request: RawRequest, from origin: RequestOrigin) throws
        -> AccessVerdict
    {
        try judged(request) { policy.judge($0, body: $1, from: origin) }
    }

    private func refusal(
        _ policy: AccessPolicy, _ request: RawRequest, from origin: RequestOrigin = local
    ) throws -> AccessRefusal? {
        guard case .refused(let refusal) = try verdict(policy, request, from: origin) else { return nil }
        return refusal
    }

    /// By default everybody may look up and register, and this machine may administer.
    @Test(arguments: RequestClass.served)
    func theDefaults(code: Int32, requestClass: RequestClass) throws {
        let policy = AccessPolicy()
        #expect(try refusal(policy, RawRequest(code)) == nil)
        let refused = try refusal(policy, RawRequest(code), from: remote)
        #expect((refused != nil) == (requestClass == .administer))
        if let refused {
            #expect(refused.reason == .network)
            #expect(
                refused.remark
                    == "administration is allowed from 127.0.0.0/8, ::1/128 only, not from 10.1.2.3: see access.administer.networks or serve --allow-admin"
            )
        }
    }

    /// What a connection need not ask about again, by its rules.
    @Test func unconditionalClasses() {
        let both = RequestClasses(.lookup).union(RequestClasses(.register))
        #expect(AccessPolicy().unconditional(for: local) == both)
        #expect(AccessPolicy().unconditional(for: remote) == both)
        let closed = Self.policy {
            $0.lookup.needsAccount = true
            $0.register.networks = .loopback
        }
        #expect(closed.unconditional(for: local) == RequestClasses(.register))
        #expect(closed.unconditional(for: remote) == [])
        let proxied = RequestOrigin(
            peer: local.peer, forwarding: .proxied(Address(host: "10.1.2.3", port: 1)))
        #expect(closed.unconditional(for: proxied) == [])
        // Each request that administers is written down, whatever the rules.
        #expect(AccessPolicy(rules: .open).unconditional(for: local) == both)
    }

    @Test(arguments: [
        (105 as Int32, RequestClass.lookup, "lookups need"), (103, .register, "registrations need"),
        (216, .administer, "administration needs"),
    ])
    func withoutAnAccount(code: Int32, requestClass: RequestClass, words: String) throws {
        for key in [nil, ""] as [String?] {
            // A C++ client without credentials sends its fields empty.
            let refusal = try #require(
                try refusal(
                    Self.needingAccounts, RawRequest(code, ["AccessKey": key, "Signature": key, "OnsChannel": key])))
            #expect(refusal.requestClass == requestClass)
            #expect(refusal.reason == .unsigned)
            #expect(
                refusal.remark
                    == "\(words) an account, and this request has no access key: see access.\(requestClass).accounts")
        }
    }

    @Test func aRightSignature() throws {
        for code in [105, 103, 216] as [Int32] {
            #expect(
                try verdict(Self.needingAccounts, signed(code, by: "admin"), from: remote)
                    == .allowed(accessKey: "admin"))
        }
    }

    /// Nobody learns whether an access key exists.
    @Test func anUnknownKeyAndAWrongSignatureLookAlike() throws {
        let wrong = try refusal(Self.needingAccounts, signed(105, by: "admin", with: SecretKey("87654321")))
        let unknown = try refusal(Self.needingAccounts, signed(105, by: "nobody"))
        let decoy = try refusal(Self.needingAccounts, signed(105, by: "nobody", with: SecretKey("of nobody")))
        let huge = try refusal(
            Self.needingAccounts,
            RawRequest(105, ["AccessKey": String(repeating: "a", count: 200_000), "Signature": "x"]))
        let unsigned = try refusal(Self.needingAccounts, RawRequest(105, ["AccessKey": "admin"]))
        #expect(wrong?.reason == .signature)
        #expect(wrong?.accessKey == nil)
        #expect(wrong?.remark == "the access key or the signature is wrong: see access.accountsFile")
        for other in [unknown, decoy, huge, unsigned] { #expect(other == wrong) }
    }

    @Test func anAccountWithoutTheClass() throws {
        #expect(try refusal(Self.needingAccounts, signed(105, by: "reader")) == nil)
        let refused = try #require(try refusal(Self.needingAccounts, signed(100, by: "reader")))
        #expect(refused.reason == .account)
        #expect(refused.accessKey == "reader")
        #expect(
            refused.remark
                == "the account has not got the class administer: see its admin and classes in access.accountsFile")
    }

    @Test func anAccountFromElsewhere() throws {
        let refused = try #require(try refusal(Self.needingAccounts, signed(105, by: "distant"), from: remote))
        #expect(refused.reason == .accountNetwork)
        #expect(
            refused.remark == "the account may be used from 192.168.0.0/16 only, not from 10.1.2.3: "
                + "see its networks in access.accountsFile")
        let there = RequestOrigin(peer: Address(host: "192.168.7.7", port: 1))
        #expect(try refusal(Self.needingAccounts, signed(105, by: "distant"), from: there) == nil)
    }

    /// The network counts also for who can sign.
    @Test func aSignatureOpensNoNetwork() throws {
        let policy = Self.policy { $0.administer.needsAccount = true }
        #expect(try refusal(policy, signed(216, by: "admin"), from: remote)?.reason == .network)
        #expect(try refusal(policy, signed(216, by: "admin"), from: local) == nil)
    }

    /// Where no account is needed a signature tells who it was, if it is right, and else is no obstacle.
    @Test func whoAdministers() throws {
        #expect(try verdict(Self.policy(), signed(216, by: "admin"), from: local) == .allowed(accessKey: "admin"))
        for request in [
            signed(216, by: nil), signed(216, by: "nobody"), signed(216, by: "admin", with: SecretKey("wrong one")),
        ] {
            #expect(try verdict(Self.policy(), request, from: local) == .allowed(accessKey: nil))
        }
        // Others are not looked at.
        #expect(try verdict(Self.policy(), signed(105, by: "admin"), from: local) == .allowed(accessKey: nil))
    }

    /// As many fields as a header may have, all of one length: the work stays small.
    @Test func manyFields() throws {
        var command = RemotingCommand(request: 105)
        for index in 0..<254 { command["field-\(1_000 + index)"] = String(repeating: "v", count: 500) }
        RequestSignature.sign(&command, accessKey: "admin", secretKey: Self.secret)
        var request = RawRequest(105)
        request.fields = command.fields!.reversed().map { (name: $0.name, value: $0.value) }
        #expect(try refusal(Self.needingAccounts, request) == nil)
        request.fields![100].value += "v"
        #expect(try refusal(Self.needingAccounts, request)?.reason == .signature)
    }
}
