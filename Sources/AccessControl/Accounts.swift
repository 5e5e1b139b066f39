import Basics

/// Somebody who can sign requests.
public struct Account: Hashable, Sendable {
    /// Its name; goes over the network with each request.
    public var accessKey: String
    /// What it signs with; never leaves.
    public var secretKey: SecretKey
    /// What it may send.
    public var classes: RequestClasses
    /// From where, besides the networks of the class. Default: from everywhere.
    public var networks = Networks.everywhere

    /// An account that may be used from everywhere.
    public init(accessKey: String, secretKey: SecretKey, classes: RequestClasses) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.classes = classes
    }
}

/// The bytes of a secret; shown by nobody who prints or dumps it.
public struct SecretKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// A secret in UTF-8; not empty.
    public init(_ text: String) {
        precondition(!text.isEmpty, "an empty secret")
        bytes = [UInt8](text.utf8)
    }

    /// `(secret)`.
    public var description: String { "(secret)" }
    /// Nothing, also to `dump`.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// All accounts of a node, by access key.
public struct Accounts: Hashable, Sendable {
    /// How many there may be, and how long a key.
    public enum Limits {
        /// Every broker and client program of a large company; what a file of 1 MiB holds.
        public static let accounts = 5_000
        /// Bytes of an access key or a secret; those of clouds have 16 to 64.
        public static let keyBytes = 255
    }

    private var byKey: [String: Account] = [:]

    /// None.
    public init() {}

    /// Of equal access keys the last counts.
    public init(_ accounts: some Sequence<Account>) {
        for account in accounts { byKey[account.accessKey] = account }
    }

    /// How many there are.
    public var count: Int { byKey.count }

    /// Whether any account has the class.
    public func has(_ requestClass: RequestClass) -> Bool {
        byKey.values.contains { $0.classes.contains(RequestClasses(requestClass)) }
    }

    /// The account with an access key in UTF-8; nil for what is no key of any.
    func account(_ key: UnsafeRawBufferPointer) -> Account? {
        guard !key.isEmpty, key.count <= Limits.keyBytes else { return nil }
        return byKey[String(decoding: key, as: UTF8.self)]
    }

    /// What an unknown key is checked with, so that the answer takes as long as that to a wrong signature.
    static let decoy = SecretKey("of nobody")
}
