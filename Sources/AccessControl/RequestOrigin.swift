import Basics

/// Where a request came from.
public struct RequestOrigin: Hashable, Sendable, CustomStringConvertible {
    /// What a PROXY header in front of the connection says (protocol.md 5.7). Anybody can send one.
    public enum Forwarding: Hashable, Sendable {
        /// There was none.
        case direct
        /// The source it names; nil when it names none.
        case proxied(Address?)
    }

    /// The other end of the connection.
    public var peer: Address
    /// Whether the peer speaks for somebody else.
    public var forwarding: Forwarding

    /// Puts the two together.
    public init(peer: Address, forwarding: Forwarding = .direct) {
        self.peer = peer
        self.forwarding = forwarding
    }

    /// `10.1.2.3`, `10.1.2.3 through 10.0.0.1`.
    public var description: String {
        switch forwarding {
        case .direct: peer.host
        case .proxied(let source): "\(source?.host ?? "an unknown address") through \(peer.host)"
        }
    }
}

/// A list of networks, and whether a request from somewhere is from one of them.
public struct Networks: Hashable, Sendable, CustomStringConvertible {
    /// None of them means from nowhere.
    public let blocks: [AddressBlock]
    /// Whether nothing is kept out.
    public let isEverywhere: Bool

    /// Takes blocks.
    public init(_ blocks: [AddressBlock]) {
        self.blocks = blocks
        isEverywhere = Set(blocks).isSuperset(of: AddressBlock.everywhere)
    }

    /// From anywhere, also from what has no address in digits.
    public static let everywhere = Networks(AddressBlock.everywhere)
    /// From this machine.
    public static let loopback = Networks(AddressBlock.loopback)

    /// Whether nothing but this machine is let in.
    public var isLoopback: Bool { blocks.allSatisfy { block in AddressBlock.loopback.contains { $0.contains(block) } } }

    /// Whether the peer, and behind a proxy its source too, is in one of the networks.
    ///
    /// Both count, so that neither can somebody pass for local with a PROXY header of his own, nor does a proxy on this machine
    /// make everybody local. A proxied source that is not known is in no network but everywhere.
    public func contain(_ origin: RequestOrigin) -> Bool {
        if isEverywhere { return true }
        guard contains(origin.peer) else { return false }
        switch origin.forwarding {
        case .direct: return true
        case .proxied(let source): return source.map(contains) ?? false
        }
    }

    private func contains(_ address: Address) -> Bool {
        guard let numeric = IPAddress(host: address.host) else { return false }
        return blocks.contains { $0.contains(numeric) }
    }

    /// `127.0.0.0/8, ::1/128`, the first four of them; `nowhere` for none.
    public var description: String {
        let shown = blocks.prefix(4).map(\.description).joined(separator: ", ")
        let rest = blocks.count - 4
        return blocks.isEmpty ? "nowhere" : shown + (rest > 0 ? " and \(rest) more" : "")
    }
}
