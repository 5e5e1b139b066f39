import AccessControl
import Basics
import Testing

@testable import ClusterConfiguration

private let node = "nodes: [{name: a, listen: '10.0.0.1:1'}]\n"

@Suite struct AccessConfigurationTests {
    private func parse(_ text: String) throws -> ClusterConfiguration {
        try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "etc/c.yaml")
    }

    @Test func everythingGiven() throws {
        let access = try parse(
            node + """
                access:
                  lookup: {networks: [10.0.0.0/8, fd00::/8], accounts: true}
                  register: {networks: []}
                  administer: {accounts: true}
                  accountsFile: accounts.yaml
                  auditLog: /var/log/audit.log
                """
        ).access
        let ten = try #require(AddressBlock("10.0.0.0/8"))
        let local = try #require(AddressBlock("fd00::/8"))
        #expect(access.rules.lookup == .init(networks: Networks([ten, local]), needsAccount: true))
        // Nobody, and not everybody.
        #expect(access.rules.register == .init(networks: Networks([]), needsAccount: false))
        #expect(access.rules.administer == .init(networks: .loopback, needsAccount: true))
        #expect(access.accountsFile == "etc/accounts.yaml")
        #expect(access.auditLog == "/var/log/audit.log")
    }

    @Test(arguments: ["", "access: {}\n", "access: {lookup: {}, administer: {networks: null}, accountsFile: null}\n"])
    func nothingGiven(text: String) throws { #expect(try parse(node + text).access == AccessConfiguration()) }

    @Test(arguments: [
        WrongFile(
            "accounts without a file", node + "access:\n  lookup: {accounts: true}\n",
            "c.yaml:3: access.lookup.accounts: true needs access.accountsFile, the file of those who can sign"),
        WrongFile(
            "no network", node + "access: {administer: {networks: [10.0.0.1/8]}}\n",
            "c.yaml:2: access.administer.networks: '10.0.0.1/8' is no block of addresses; write address/prefix with no bits "
                + "set beyond the prefix, as in 10.0.0.0/8, fd00::/8 or 10.0.0.5/32"),
        WrongFile(
            "misspelt", node + "access: {admin: {}, register: {network: []}}\n",
            "c.yaml:2: unknown key 'admin' in access; known: lookup, register, administer, accountsFile, auditLog",
            "c.yaml:2: unknown key 'network' in access.register; did you mean 'networks'?"),
    ])
    func isExplained(_ file: WrongFile) { #expect(faults(file.text) == file.messages) }

    /// What `hearsay check` says of a cluster that more than this machine reaches.
    @Test(
        arguments: [
            ("access: {register: {networks: [10.0.0.0/8]}}\n", []),
            (
                "\n",
                [
                    "etc/c.yaml:1: access.register is open to everybody without accounts, and node a listens at 10.0.0.1:1: "
                        + "whoever reaches it can register brokers and unregister others"
                ]
            ),
            (
                "access:\n  register: {networks: [10.0.0.0/8]}\n  administer: {networks: [10.0.0.0/8]}\n",
                [
                    "etc/c.yaml:4: access.administer is open to 10.0.0.0/8 without accounts, and node a listens at 10.0.0.1:1: "
                        + "whoever is there can wipe permissions, delete topics and change settings"
                ]
            ),
            (
                "access: {accountsFile: a, register: {accounts: true}, administer: {networks: [10.0.0.0/8], accounts: true}}\n",
                []
            ),
        ] as [(String, [String])])
    func notices(text: String, lines: [String]) throws {
        #expect(try parse(node + text).notices.map(\.description) == lines)
    }

    @Test func nothingToSayOfOneMachine() throws {
        let here = "nodes: [{name: a, listen: '127.0.0.1:1'}, {name: b, listen: 'localhost:2'}]\n"
        #expect(try parse(here + "access: {administer: {networks: [10.0.0.0/8]}}\n").notices == [])
    }
}

@Suite struct AccountsFileTests {
    private func faults(_ text: String) -> [String] {
        do {
            _ = try AccountsFile.parse(bytes: Array(text.utf8), fileName: "a.yaml")
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    private func parse(_ text: String) throws -> Accounts {
        try AccountsFile.parse(bytes: Array(text.utf8), fileName: "a.yaml")
    }

    /// As RocketMQ ships it (distribution/conf/plain_acl.yml): brokers and nodes can share a file.
    @Test func plainACLOfRocketMQ() throws {
        let accounts = try parse(
            """
            globalWhiteRemoteAddresses:
              - 10.10.103.*
              - 192.168.0.*

            accounts:
              - accessKey: RocketMQ
                secretKey: 12345678
                whiteRemoteAddress:
                admin: false
                defaultTopicPerm: DENY
                defaultGroupPerm: SUB
                topicPerms:
                  - topicA=DENY
                  - topicB=PUB|SUB
                groupPerms:
                  - groupA=DENY

              - accessKey: rocketmq2
                secretKey: 12345678
                whiteRemoteAddress: 192.168.1.*
                # if it is admin, it could access all resources
                admin: true
            """)
        let reader = Account(
            accessKey: "RocketMQ", secretKey: SecretKey("12345678"),
            classes: RequestClasses(.lookup).union(RequestClasses(.register)))
        let admin = Account(accessKey: "rocketmq2", secretKey: SecretKey("12345678"), classes: .all)
        #expect(accounts == Accounts([reader, admin]))
    }

    @Test func whatIsOurs() throws {
        let accounts = try parse(
            "accounts: [{accessKey: a, secretKey: '1234567', classes: [lookup, administer], networks: [10.0.0.0/8]}]\n")
        var account = Account(
            accessKey: "a", secretKey: SecretKey("1234567"),
            classes: RequestClasses(.lookup).union(RequestClasses(.administer)))
        account.networks = Networks([try #require(AddressBlock("10.0.0.0/8"))])
        #expect(accounts == Accounts([account]))
    }

    @Test(arguments: ["", "# nothing\n", "accounts: []\n", "accounts:\n"])
    func noAccounts(text: String) throws { #expect(try parse(text).count == 0) }

    @Test(
        arguments: [
            ("accounts: [{secretKey: 12345678}]\n", ["a.yaml:1: accounts.accessKey: is missing"]),
            ("accounts:\n  - accessKey: a\n", ["a.yaml:2: accounts.secretKey: is missing"]),
            (
                "accounts:\n  - accessKey: ''\n    secretKey: secret\n",
                [
                    "a.yaml:2: accounts.accessKey: must be a text of 1 to 255 bytes",
                    "a.yaml:3: accounts.secretKey: must be a text of 7 to 255 bytes",
                ]
            ),
            (
                "accounts:\n- {accessKey: a, secretKey: 12345678}\n- {accessKey: a, secretKey: 87654321}\n",
                ["a.yaml:3: accessKey 'a' is already used on line 2"]
            ),
            (
                "accounts: [{accessKey: a, secretKey: 12345678, admin: yes, classes: [admin], netwerks: []}]\n",
                [
                    "a.yaml:1: accounts.admin: 'yes' is no boolean; write true or false",
                    "a.yaml:1: accounts.classes: 'admin' is none of lookup, register, administer",
                    "a.yaml:1: unknown key 'netwerks' in accounts; did you mean 'networks'?",
                ]
            ),
            (
                "accounts: [{accessKey: a, secretKey: 12345678, admin: true, classes: [lookup]}]\n",
                ["a.yaml:1: accounts.classes: admin: true is all classes; leave one of the two out"]
            ),
            ("account: []\n", ["a.yaml:1: unknown key 'account' in the file; did you mean 'accounts'?"]),
            ("accounts: [\n", ["a.yaml:2: not YAML: did not find expected node content (while parsing a flow node)"]),
        ] as [(String, [String])])
    func isExplained(text: String, messages: [String]) { #expect(faults(text) == messages) }

    /// Whatever is wrong, no message shows a secret.
    @Test(arguments: [
        "secretKey: [tell-nobody]", "secretKey: tell-nobody\n    secretKey: tell-nobody",
        "secretKey: {tell-nobody: 1}", "secretKey: \(String(repeating: "tell-nobody", count: 30))",
    ])
    func noSecretIsShown(line: String) {
        let messages = faults("accounts:\n  - accessKey: a\n    \(line)\n")
        #expect(!messages.isEmpty)
        #expect(!messages.joined().contains("tell"))
    }
}
