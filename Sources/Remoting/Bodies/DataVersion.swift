import Basics

/// Which state of its topics a broker speaks of (protocol.md 3.6). Equal when all three numbers are.
public struct DataVersion: Hashable, Sendable {
    /// Raised with every change; nil when the broker sent `null`.
    public var counter: Int64?
    /// When the state was made, in milliseconds since 1970 by the broker's clock.
    public var timestamp: Int64
    /// The term of the broker's controller; 0 without one and in v4.
    public var stateVersion: Int64

    /// Puts the three together.
    public init(counter: Int64?, timestamp: Int64, stateVersion: Int64 = 0) {
        self.counter = counter
        self.timestamp = timestamp
        self.stateVersion = stateVersion
    }

    /// What a registration without a body stands for (2.4).
    public static let zero = DataVersion(counter: 0, timestamp: 0)
}

extension DataVersion {
    private static let members: [StaticString] = ["counter", "stateVersion", "timestamp"]

    /// Reads a whole body; nil for "no object" (3.3).
    ///
    /// - Parameter receivedAt: the timestamp of a version that has none, so that it equals no stored one.
    /// - Throws: `.body` when the text is malformed.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, receivedAt: WallTime
    ) throws(RemotingError) -> DataVersion? {
        guard var reader = try JSONReader(object: bytes) else { return nil }
        let version = try DataVersion(members: &reader, receivedAt: receivedAt)
        try reader.finish()
        return version
    }

    /// Reads the members; the reader has just entered the object.
    init(members reader: inout JSONReader, receivedAt: WallTime) throws(RemotingError) {
        self.init(counter: 0, timestamp: receivedAt.milliseconds)
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "counter": counter = try reader.readInt64()
        case "stateVersion": stateVersion = try reader.readInt64() ?? stateVersion
        case "timestamp": timestamp = try reader.readInt64() ?? timestamp
        default:
            guard let known = key.spelling(among: DataVersion.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// Appends `{"counter":1,"stateVersion":0,"timestamp":1700000000000}`.
    ///
    /// - Parameter hasStateVersion: false writes v4's form, which has no such member.
    public func encode(_ dialect: JSONDialect = .legacy, hasStateVersion: Bool = true, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.integer("counter", counter, &output)
            if hasStateVersion { members.integer("stateVersion", stateVersion, &output) }
            members.integer("timestamp", timestamp, &output)
        }
    }

    /// The whole body.
    public func encoded() -> [UInt8] {
        var output = ByteWriter(capacity: 64)
        encode(into: &output)
        return output.array()
    }
}
