import Basics

// The parts that messages are made of, on the way out. Limits are the sender's duty: exceeding one is a bug and traps.

/// Something with one byte form inside a frame.
protocol WireCodable {
    /// Appends its bytes.
    func encode(into output: inout ByteWriter)
    /// Reads it and leaves the reader behind it; throws on anything but the bytes `encode` can write.
    init(decoding reader: inout ByteReader) throws(GossipFormatError)
}

extension ByteWriter {
    /// Appends a count or position.
    mutating func append(count: Int, atMost limit: Int, _ what: StaticString) {
        precondition((0...limit).contains(count), "\(what): \(count), at most \(limit)")
        append(varint: UInt64(count))
    }

    /// Appends the number of bytes and the bytes of a text.
    mutating func append(text: String, atMost limit: Int, _ what: StaticString) {
        append(count: text.utf8.count, atMost: limit, what)
        append(utf8: text)
    }

    /// Appends 0, or 1 and the text.
    mutating func append(optionalText text: String?, atMost limit: Int, _ what: StaticString) {
        append(flag: text != nil)
        if let text { append(text: text, atMost: limit, what) }
    }

    /// Appends 0 or 1.
    mutating func append(flag: Bool) { append(flag ? 1 : 0 as UInt8) }

    /// Appends a clock's reading, 8 bytes.
    mutating func append(clock: Instant) {
        precondition(
            (0...WireLimits.clockNanoseconds).contains(clock.nanoseconds), "clock reads \(clock.nanoseconds)")
        append(bigEndian: clock.nanoseconds)
    }

    /// Appends an age or another span of time, in milliseconds rounded up; above 30 days as "longer than that".
    mutating func append(span: Duration) { append(varint: UInt64(WireSize.spanMillis(span))) }

    /// Appends 0, or 1 and the span.
    mutating func append(optionalSpan span: Duration?) {
        append(flag: span != nil)
        if let span { append(span: span) }
    }

    /// Appends how many words, and the words.
    mutating func append(words: [UInt64], atMost limit: Int, _ what: StaticString) {
        append(count: words.count, atMost: limit, what)
        reserve(words.count * 8)
        for word in words { append(bigEndian: word) }
    }

    /// Appends how many elements, and the elements.
    mutating func append(list: [some WireCodable], atMost limit: Int, _ what: StaticString) {
        append(count: list.count, atMost: limit, what)
        for element in list { element.encode(into: &self) }
    }
}

/// How many bytes the parts take, so that senders can fill a frame without writing it twice.
enum WireSize {
    static func varint(_ value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    static func zigzag(_ value: Int64) -> Int { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    static func text(_ text: String) -> Int { varint(UInt64(text.utf8.count)) + text.utf8.count }

    static func optionalText(_ text: String?) -> Int { 1 + (text.map(WireSize.text) ?? 0) }

    static func span(_ span: Duration) -> Int { varint(UInt64(spanMillis(span))) }

    /// What travels for a span: whole milliseconds, rounded up, at most `WireLimits.beyondAge`.
    static func spanMillis(_ span: Duration) -> Int64 {
        precondition(span >= .zero, "span of \(span)")
        guard span <= ClockRate.longestAge else { return WireLimits.beyondAge }
        return (span.wholeNanoseconds + 999_999) / 1_000_000
    }
}
