/// When to load certificates again: a file of authorities at once, a certificate and its key when both have changed (one of
/// them alone is half of an update). Decides only; `RemotingTLS` reads and loads.
struct CertificateChanges {
    /// The contents of the files at one moment; empty for a file that there is none of.
    struct Contents: Equatable {
        var certificate: [UInt8] = []
        var privateKey: [UInt8] = []
        var authority: [UInt8] = []
    }

    /// What is in use.
    private(set) var used: Contents
    /// What was tried and could not be loaded: it is not tried again.
    private var refused: Contents?

    init(used: Contents) { self.used = used }

    /// What to load now that the files hold `found`; nil when nothing.
    func wanted(_ found: Contents) -> Contents? {
        var next = used
        if found.certificate != used.certificate, found.privateKey != used.privateKey {
            (next.certificate, next.privateKey) = (found.certificate, found.privateKey)
        }
        next.authority = found.authority
        return next == used || next == refused ? nil : next
    }

    /// `wanted` was loaded.
    mutating func loaded(_ contents: Contents) { (used, refused) = (contents, nil) }

    /// `wanted` could not be loaded.
    mutating func failed(_ contents: Contents) { refused = contents }
}
