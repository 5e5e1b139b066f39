/// Whether a request is served.
public enum AccessVerdict: Hashable, Sendable {
    /// Yes; the account that signed it, when that was looked at and true.
    case allowed(accessKey: String?)
    /// No.
    case refused(AccessRefusal)
}

/// Why a request is not served.
public struct AccessRefusal: Hashable, Sendable {
    /// One word for the reason.
    public enum Reason: String, CaseIterable, Hashable, Sendable {
        /// From a network that the class is not open to.
        case network
        /// It needs an account and has no access key.
        case unsigned
        /// The access key is nobody's, or the signature is not of its secret; which of the two is not told.
        case signature
        /// The account has not got the class.
        case account
        /// The account may not be used from there.
        case accountNetwork = "account-network"
    }

    /// What was asked for.
    public var requestClass: RequestClass
    /// The reason.
    public var reason: Reason
    /// The account that signed, where the signature was right.
    public var accessKey: String?
    /// The same for whoever asked: what is allowed, and which key of cluster.yaml says so.
    public var remark: String
}
