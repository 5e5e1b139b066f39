// What our node must reach (issue 5), each figure beside its goal. Every part starts its own servers and ends them.
//
// Limits.swift          what all parts share
// Limits+Reference.swift  beside the plain C servers
// Limits+Latency.swift    lookups while registrations arrive
// Limits+Memory.swift     per queue entry, per connection
// Limits+Growth.swift     what grows with what

import Basics

/// Measures our node against the limits of this machine.
public struct Limits {
    /// The parts, in the order in which they run.
    public enum Part: String, CaseIterable, Sendable {
        case heartbeat, lookup, changed, latency, storm, idle, start, growth
    }

    /// Our node's program.
    public var node: Program
    /// bench/LimitServer's program.
    public var limitServer: Program
    /// Nil leaves the choice to the kernel.
    public var pinning: Pinning?
    /// Pairs of what alternates, and repetitions of the rest.
    public var rounds = 7
    /// One turn of an arm.
    public var length = Duration.seconds(1)
    /// Scales brokers and topics of the large parts; tests run in small.
    public var scale = 1.0

    /// Describes a measurement with the defaults above.
    public init(node: Program, limitServer: Program) {
        self.node = node
        self.limitServer = limitServer
    }

    /// Measures one part.
    public func measure(_ part: Part) throws(LoadError) -> [LimitFigure] {
        if let pinning { try Pinning.pinThisThread(to: pinning.load) }
        return switch part {
        case .heartbeat: try heartbeats()
        case .lookup: try lookups()
        case .changed: try changedRegistrations()
        case .latency: try lookupsBesideRegistrations()
        case .storm: try storms()
        case .idle: try idleConnections()
        case .start: try starts()
        case .growth: try growth()
        }
    }

    var alternation: Alternation { Alternation(rounds: rounds, length: length) }

    func startNode() throws(LoadError) -> ServerUnderTest { try .node(node, pinning: pinning) }

    /// A number of brokers or topics, scaled.
    func scaled(_ count: Int) -> Int { max(2, Int(Double(count) * scale)) }

    /// Wrong answers make a figure worthless, so they are part of it.
    func wrongText(_ wrong: Int) -> String { wrong == 0 ? "" : "; \(wrong) WRONG" }
}
