import Basics

// The parts that messages are made of, on the way in. Every value has one byte form; every other form is an error.

extension ByteReader {
    /// The next byte.
    mutating func readByte(_ what: StaticString) throws(GossipFormatError) -> UInt8 {
        guard let byte = readInteger(UInt8.self) else { throw GossipFormatError(.truncated, "\(what)") }
        return byte
    }

    /// The next eight bytes as a number.
    mutating func readWord(_ what: StaticString) throws(GossipFormatError) -> UInt64 {
        guard let word = readInteger(UInt64.self) else { throw GossipFormatError(.truncated, "\(what)") }
        return word
    }

    /// The next count or position.
    mutating func readCount(atMost limit: Int, _ what: StaticString) throws(GossipFormatError) -> Int {
        let value = try readNumber(what)
        guard value <= UInt64(limit) else { throw GossipFormatError(.limit, "\(what)") }
        return Int(value)
    }

    /// The count of elements that take at least `bytes` each, which must be there: so memory for all may be taken.
    mutating func readCount(
        atMost limit: Int, of bytes: Int, _ what: StaticString
    ) throws(GossipFormatError) -> Int {
        let count = try readCount(atMost: limit, what)
        guard count * bytes <= remaining else { throw GossipFormatError(.truncated, "\(what)") }
        return count
    }

    /// The next variable-length number.
    mutating func readNumber(_ what: StaticString) throws(GossipFormatError) -> UInt64 {
        // One byte is by far the most frequent.
        if remaining > 0, bytes[position] < 0x80 { return UInt64(try readByte(what)) }
        do throws(VarintError) { return try readVarint() } catch {
            throw GossipFormatError(error == .truncated ? .truncated : .number, "\(what)")
        }
    }

    /// The next signed variable-length number.
    mutating func readSigned(_ what: StaticString) throws(GossipFormatError) -> Int64 {
        let value = try readNumber(what)
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// The next 0 or 1.
    mutating func readFlag(_ what: StaticString) throws(GossipFormatError) -> Bool {
        let byte = try readByte(what)
        guard byte <= 1 else { throw GossipFormatError(.value, "\(what)") }
        return byte == 1
    }

    /// The next byte as a case.
    mutating func readCase<Value: RawRepresentable<UInt8>>(
        _ what: StaticString
    ) throws(GossipFormatError) -> Value {
        guard let value = Value(rawValue: try readByte(what)) else { throw GossipFormatError(.value, "\(what)") }
        return value
    }

    /// The next text, well-formed UTF-8 of at most `limit` bytes; copied only when both hold.
    mutating func readText(
        atMost limit: Int, atLeast least: Int = 0, _ what: StaticString
    ) throws(GossipFormatError) -> String {
        let bytes = try readRun(atMost: limit, what)
        guard bytes.count >= least else { throw GossipFormatError(.value, "\(what)") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw GossipFormatError(.value, "\(what)") }
        return text
    }

    /// Nil, or the next text.
    mutating func readOptionalText(
        atMost limit: Int, _ what: StaticString
    ) throws(GossipFormatError) -> String? {
        try readFlag(what) ? try readText(atMost: limit, what) : nil
    }

    /// The next run of bytes behind its length.
    mutating func readRun(
        atMost limit: Int, _ what: StaticString
    ) throws(GossipFormatError) -> UnsafeRawBufferPointer {
        guard let bytes = readBytes(try readCount(atMost: limit, what)) else {
            throw GossipFormatError(.truncated, "\(what)")
        }
        return bytes
    }

    /// The next clock's reading.
    mutating func readClock(_ what: StaticString) throws(GossipFormatError) -> Instant {
        let reading = try readWord(what)
        guard reading <= UInt64(WireLimits.clockNanoseconds) else { throw GossipFormatError(.limit, "\(what)") }
        return Instant(nanoseconds: Int64(reading))
    }

    /// The next span of time; one millisecond above `ClockRate.longestAge` stands for all that is longer.
    mutating func readSpan(_ what: StaticString) throws(GossipFormatError) -> Duration {
        .milliseconds(try readCount(atMost: Int(WireLimits.beyondAge), what))
    }

    /// Nil, or the next span of time.
    mutating func readOptionalSpan(_ what: StaticString) throws(GossipFormatError) -> Duration? {
        try readFlag(what) ? try readSpan(what) : nil
    }

    /// The next words behind their number.
    mutating func readWords(atMost limit: Int, _ what: StaticString) throws(GossipFormatError) -> [UInt64] {
        let count = try readCount(atMost: limit, of: 8, what)
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for _ in 0..<count { words.append(try readWord(what)) }
        return words
    }

    /// The next elements behind their number, at least `bytes` each.
    mutating func readList<Element: WireCodable>(
        atMost limit: Int, of bytes: Int, _ what: StaticString
    ) throws(GossipFormatError) -> [Element] {
        let count = try readCount(atMost: limit, of: bytes, what)
        var list: [Element] = []
        // Elements may be larger in memory than their shortest bytes, so room grows with what is really read.
        list.reserveCapacity(min(count, 16))
        for _ in 0..<count { list.append(try Element(decoding: &self)) }
        return list
    }
}
