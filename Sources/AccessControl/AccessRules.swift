import Basics

/// Who may send which class of requests.
public struct AccessRules: Hashable, Sendable {
    /// What one class asks for.
    public struct Rule: Hashable, Sendable {
        /// From where.
        public var networks: Networks
        /// Whether a request must be signed by an account that has the class.
        public var needsAccount: Bool

        /// Puts the two together.
        public init(networks: Networks, needsAccount: Bool = false) {
            (self.networks, self.needsAccount) = (networks, needsAccount)
        }
    }

    /// Default: anybody, as with RocketMQ's.
    public var lookup = Rule(networks: .everywhere)
    /// Default: anybody, as with RocketMQ's.
    public var register = Rule(networks: .everywhere)
    /// Default: this machine only. RocketMQ's lets anybody, which cost it CVE-2023-37582 and many a topic.
    public var administer = Rule(networks: .loopback)

    /// The defaults above.
    public init() {}

    /// RocketMQ's own: everybody may do everything.
    public static var open: AccessRules {
        var rules = AccessRules()
        rules.administer.networks = .everywhere
        return rules
    }

    /// The rule of a class.
    public subscript(requestClass: RequestClass) -> Rule {
        get {
            switch requestClass {
            case .lookup: lookup
            case .register: register
            case .administer: administer
            }
        }
        set {
            switch requestClass {
            case .lookup: lookup = newValue
            case .register: register = newValue
            case .administer: administer = newValue
            }
        }
    }

    /// Whether any class asks for accounts.
    public var needAccounts: Bool { RequestClass.allCases.contains { self[$0].needsAccount } }
}
