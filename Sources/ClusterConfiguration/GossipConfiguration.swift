import Basics

/// Whether and how the nodes compare what they heard (gossip.md 2).
public struct GossipConfiguration: Hashable, Sendable {
    /// What a node may do with what its peers tell it; each mode may do all that the one before may (gossip.md 2.8).
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// Nothing: no socket, no comparison.
        case off
        /// Compare and report; every answer to brokers and clients is what it would be without gossip.
        case observe
        /// Also put off a removal while a peer provably heard the broker recently.
        case protect
        /// Also fill gaps with registrations learned from peers.
        case replicate
    }

    /// What mode `replicate` may carry over besides registrations (gossip.md 2.9).
    public enum Operation: String, CaseIterable, Hashable, Sendable {
        /// Writes to the KV store.
        case kv
        /// Write permissions taken from and given back to brokers.
        case perm
    }

    /// How peers know each other, and who else can read what they say (gossip.md 2.11).
    public enum Security: Hashable, Sendable {
        /// Not at all, and everybody: between loopback addresses, or where `insecure` says so.
        case plaintext
        /// TLS 1.3 with the key of one of these 1 to 8 files; the first is offered, all are accepted.
        ///
        /// This module does not open the files. Each holds at least 32 bytes as hexadecimal digits.
        case preSharedKeys([String])
        /// TLS 1.3 with a certificate on both sides.
        case certificates(Certificates)
    }

    /// The files of TLS with certificates, in PEM. This module does not open them.
    public struct Certificates: Hashable, Sendable {
        /// The node's own certificate, and what stands between it and the authority.
        public var certificate: String
        /// The key of that certificate.
        public var privateKey: String
        /// The certificates that peers' certificates must descend from.
        public var authority: String
    }

    /// The mode of nodes that have none of their own. Default `off`.
    public var mode = Mode.off
    /// How often two nodes compare. 100 ms to 1 min, default 1 s.
    public var period: Duration = .seconds(1)
    /// Nodes of another label are refused; a name of 1 to 64 bytes. Default: the cluster's name.
    public var label = "hearsay"
    /// Default `plaintext`, which is valid only where no node that gossips does so beyond loopback, or with `insecure`.
    public var security = Security.plaintext
    /// Whether plaintext is wanted even beyond loopback. Default false; true only with `plaintext`.
    public var insecure = false
    /// Where peers may dial from, at most 64 blocks. Default none: from anywhere, whoever authenticates.
    public var allow: [AddressBlock] = []
    /// A DNS name (or address) and port; every address of the name is a peer too. Default none.
    public var discovery: Address?
    /// What is replicated besides registrations. Default nothing; if any node gossips, one is in mode `replicate`.
    public var replicate: Set<Operation> = []
    /// Whether mode `replicate` ends a broker's own registration when a peer heard it unregister. Default false.
    public var applyUnregister = false
    /// Peers that must have heard a broker for it to stay beyond its time. 1 to 16, default 1.
    ///
    /// Above 1 it is not more than the other nodes that gossip, unless `discovery` may find more.
    public var witnesses = 1
    /// How long a closed connection's broker stays while peers are asked. 0 (as RocketMQ) to 30 s, default 1 s.
    public var closeGrace: Duration = .seconds(1)
    /// Whether a node that still warms up answers for unknown topics with an error that makes clients keep the routes
    /// they have. Default false.
    public var gateUnknownTopics = false

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case mode, period, label
        case preSharedKeys, certificate, privateKey, authority, insecure, allow
        case discovery
        case replicate, applyUnregister, witnesses, closeGrace, gateUnknownTopics
        static let section = "gossip"
    }
}
