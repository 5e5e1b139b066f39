import Basics

/// The content of RocketMQ's kvConfig.json: the whole KV store (protocol.md 5.5).
public struct KVConfigFile: Hashable, Sendable {
    /// Namespace to key to value. A namespace may be empty.
    public var configTable: [String: [String: String]]

    /// Wraps a store; the empty one stands for a missing file.
    public init(configTable: [String: [String: String]] = [:]) { self.configTable = configTable }

    /// Reads a file's bytes. Null values are dropped, their namespaces stay.
    ///
    /// - Throws: `.body` when the text is malformed, `.missingValue` when it is no object or lacks `configTable`.
    public init(decoding bytes: [UInt8]) throws(RemotingError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(RemotingError) in try KVConfigFile.readTable(bytes) }
        }
        guard let table = try result.get() else { throw RemotingError(.missingValue, "configTable") }
        configTable = table
    }

    private static func readTable(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> [String: [String: String]]?
    {
        guard var reader = try JSONReader(object: bytes) else { return nil }
        // The file is this node's own: what the store could hold must be readable again.
        reader.elementBudget = .max
        var table: [String: [String: String]]?
        while let key = try reader.nextKey() {
            switch key {
            case "configTable":
                table = try reader.readMap { reader throws(RemotingError) in
                    try reader.readMap { reader throws(RemotingError) in try reader.readString() }
                }
            default: try reader.skipValue()
            }
        }
        try reader.finish()
        return table
    }

    /// The file's bytes: compact, keys ascending.
    public func encoded() -> [UInt8] {
        var output = ByteWriter()
        output.appendObject(.legacy) { members, output in
            members.map("configTable", configTable, &output) { values, output in
                JSONMembers.map(values, .legacy, &output) { $1.appendJSON(string: $0, dialect: .legacy) }
            }
        }
        return output.array()
    }
}
