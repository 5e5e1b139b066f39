import Basics

/// One NameServer node: one process.
public struct NodeConfiguration: Hashable, Sendable {
    /// What `--node` and the logs call it; unique.
    public var name: String
    /// Where it listens, and what brokers and clients dial; unique among nodes and brokers.
    public var listen: Address
    /// The folder of its kvConfig.json, `data/<name>` by default; usable from where the file's path was.
    public var dataDirectory: String

    enum Key: String, SectionKey {
        case name, listen, dataDirectory
        static let section = "nodes"
    }
}
