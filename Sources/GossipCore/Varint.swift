import Basics

// Variable-length integers of a peer, with the name of what they stand for when they are wrong.

extension ByteReader {
    /// The next number; throws `.truncated`, or `.number` when it is not in its shortest form or passes 64 bits.
    mutating func readVarint(_ context: String) throws(GossipFormatError) -> UInt64 {
        do throws(VarintError) { return try readVarint() } catch { throw GossipFormatError(error, context) }
    }

    /// The next number, at most `limit`; throws `.limit` above it.
    mutating func readVarint(atMost limit: Int, _ context: String) throws(GossipFormatError) -> Int {
        let value = try readVarint(context)
        guard value <= UInt64(limit) else { throw GossipFormatError(.limit, context) }
        return Int(value)
    }

    /// The next signed number.
    mutating func readZigzag(_ context: String) throws(GossipFormatError) -> Int {
        do throws(VarintError) { return Int(try readZigzag()) } catch { throw GossipFormatError(error, context) }
    }
}

extension GossipFormatError {
    fileprivate init(_ error: VarintError, _ context: String) {
        self.init(error == .truncated ? .truncated : .number, context)
    }
}
