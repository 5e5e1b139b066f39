/// Something that must hold after every step (gossip.md, section 3). A class: some remember what they saw.
public protocol Invariant: AnyObject {
    /// Its number in gossip.md; 0 for those of the simulator itself.
    var number: Int { get }
    /// A few words.
    var name: String { get }
    /// What is wrong right now; nil = nothing.
    ///
    /// - Parameter node: the node that the last event touched; nil for the look at everything that comes once a second.
    func check(_ cluster: Cluster, node: SimulatedNode?) -> String?
    /// What is wrong once all faults have ended and the quiet time is over.
    func checkAfterHealing(_ cluster: Cluster) -> String?
}

extension Invariant {
    /// Most have nothing to say at the end.
    public func checkAfterHealing(_ cluster: Cluster) -> String? { nil }
    /// And some only then.
    public func check(_ cluster: Cluster, node: SimulatedNode?) -> String? { nil }
}

/// A broken invariant.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// Of the invariant.
    public var number: Int
    /// Of the invariant.
    public var name: String
    /// True time.
    public var time: Int64
    /// What was seen.
    public var text: String

    /// One line.
    public var description: String { "invariant \(number) (\(name)) at \(seconds(time)): \(text)" }
}
