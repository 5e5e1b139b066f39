import Basics
import HTTPServer
import Platform
import RemotingTransport

/// What a node's HTTP port is told at start.
public struct HTTPOptions: Sendable {
    /// Where it listens; port 0 lets the system choose.
    public var listen: Address
    /// Bounds of its connections, requests and streams.
    public var server = HTTPServerOptions()
    /// Every node of the cluster by name, itself included, with the address that clients dial: what `/rocketmq/nsaddr`
    /// lists as far as they are ready.
    public var nodes: [(name: String, address: Address)] = []
    /// The cluster's label, for the page; empty for none.
    public var cluster = ""
    /// What the page dials the nodes with, made of the node's own platform: for nodes that speak TLS only.
    public var pageDialling: (@Sendable (any Platform) -> any Platform)?
    /// What the page's questions to the nodes are signed with, where lookups need an account; nil = they are not signed.
    public var pageSigner: RequestSigner?
    /// Whether `/metrics` has the age of each broker, one series a broker. Default false.
    public var hasBrokerMetrics = false
    /// How often event streams get a summary. Default 1 s.
    public var summaryInterval: Duration = .seconds(1)
    /// What the process uses, when somebody can tell.
    public var processFigures: (@Sendable () -> ProcessFigures)?

    /// Options with the defaults above.
    public init(listen: Address) { self.listen = listen }
}

/// What the node's process uses, by the operating system's account.
public struct ProcessFigures: Hashable, Sendable {
    /// Memory in use, in bytes.
    public var residentBytes: Int
    /// Processor time so far, user and system together.
    public var cpuTime: Duration

    /// Puts the figures together.
    public init(residentBytes: Int, cpuTime: Duration) {
        self.residentBytes = residentBytes
        self.cpuTime = cpuTime
    }
}

/// How the connections at the remoting port came and went.
struct ConnectionCounts {
    /// Why a connection ended, as far as it says something about the peer.
    enum Ending: String, CaseIterable {
        case local, peer, idle, slow, error
    }

    var accepted = 0
    private(set) var endings: [Ending: Int] = [:]

    mutating func closed(for reason: CloseReason) {
        let ending: Ending =
            switch reason {
            case .local: .local
            case .endOfStream: .peer
            case .idle: .idle
            case .slowPeer: .slow
            case .connectTimeout, .system, .secure: .error
            }
        endings[ending, default: 0] += 1
    }
}
