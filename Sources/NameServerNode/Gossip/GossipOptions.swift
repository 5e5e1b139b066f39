import Basics
import GossipCore
import SecureTransport

/// What a node that gossips is told at start.
public struct GossipOptions: Sendable {
    /// How frames are kept from others.
    public enum Security: Sendable {
        /// They are not. Peers that are not on this machine are refused, unless `beyondLoopback` says that the operator wants it so.
        case plaintext(beyondLoopback: Bool)
        /// TLS 1.3, with a key or certificates on both sides.
        case tls(server: TLSContext, client: TLSContext)
    }

    /// Name, mode, key and timings.
    public var settings: GossipSettings
    /// Where peers connect; port 0 lets the system choose.
    public var listen: Address
    /// Where `settings.peers` are dialled, in the same order.
    public var peers: [Address]
    /// A DNS name of which each address is a peer; asked for again every `discoveryInterval`.
    public var discovery: Address?
    /// Default 30 s.
    public var discoveryInterval: Duration = .seconds(30)
    /// How frames are kept from others. Default: plaintext between loopback addresses.
    public var security = Security.plaintext(beyondLoopback: false)
    /// Whether a node at this address (in digits) may connect. Default: any.
    public var admits: @Sendable (_ host: String) -> Bool = { _ in true }
    /// Until the node is ready, refuse to say that a topic does not exist. Not in mode observe, which changes no answer.
    public var gatesUnknownTopics = false
    /// Drawn at random for each life of the process: its incarnation, its nonces and its jitter follow from it.
    public var seed: UInt64

    /// Options with the defaults above.
    public init(settings: GossipSettings, listen: Address, peers: [Address], seed: UInt64) {
        self.settings = settings
        self.listen = listen
        self.peers = peers
        self.seed = seed
    }
}
