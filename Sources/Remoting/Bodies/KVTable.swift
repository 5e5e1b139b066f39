import Basics

/// One namespace of the KV store (protocol.md 3.5).
public struct KVTable: RemotingBody {
    /// Key to value.
    public var table: [String: String]

    /// Wraps a table.
    public init(table: [String: String] = [:]) { self.table = table }

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        self.init()
        while let key = try reader.nextKey() {
            switch key {
            case "table": table = try reader.readMap { reader throws(RemotingError) in try reader.readString() } ?? [:]
            default: try reader.skipValue()
            }
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.map("table", table, &output) { $1.appendJSON(string: $0, dialect: dialect) }
        }
    }
}
