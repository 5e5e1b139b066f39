// The JSON header of a request as RocketMQ's own clients and brokers write it: fastjson gives the members in alphabetical
// order, without blanks. Matching that text from front to back costs a quarter of reading it member by member.

import Basics

extension CommandHeader {
    /// Decodes the header if it is written in the usual way, ASCII throughout and without escapes; false, with an arbitrary
    /// part noted, for any other. Both ways give the same for what both take.
    mutating func decodeUsualJSON() -> Bool {
        guard let base = frame.baseAddress else { return false }
        var text = UsualText(cursor: base, end: base + frame.count)
        guard text.skips("{\"code\":"), let code = text.number() else { return false }
        self.code = code
        if text.skips(",\"extFields\":{") {
            hasFields = true
            if !text.skips("}") {
                repeat {
                    guard text.skips("\""), let name = text.quoted(), name.count > 0, name[0] != UInt8(ascii: "@"),
                        text.skips(":\""), let value = text.quoted(), notes(name, value)
                    else { return false }
                } while text.skips(",")
                guard text.skips("}") else { return false }
            }
        }
        guard text.skips(",\"flag\":"), let flag = text.number(),
            text.skips(",\"language\":\"JAVA\",\"opaque\":"), let opaque = text.number(),
            text.skips(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":"), let version = text.number(),
            text.skips("}"), text.isAtEnd
        else { return false }
        (self.flag, self.opaque, self.version) = (flag, opaque, version)
        return true
    }

    @inline(__always)
    private mutating func notes(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        (try? append(name: span(name), value: span(value))) != nil
    }
}

/// A text that is matched piece by piece. What does not match leaves the cursor where it was.
private struct UsualText {
    var cursor: UnsafeRawPointer
    let end: UnsafeRawPointer

    var isAtEnd: Bool { cursor == end }

    /// Whether the literal comes next; it is passed then.
    @inline(__always)
    mutating func skips(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard literal.hasPointerRepresentation, end - cursor >= count, areEqual(cursor, literal.utf8Start, count) else {
            return false
        }
        cursor += count
        return true
    }

    /// Digits, as many as cannot overflow, and then something else. A sign is not usual.
    @inline(__always)
    mutating func number() -> Int32? {
        var value: Int32 = 0
        var scan = cursor
        let limit = min(scan + 9, end)
        while scan < limit {
            let digit = scan.load(as: UInt8.self) &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ Int32(digit)
            scan += 1
        }
        guard scan > cursor, scan < end, scan.load(as: UInt8.self) &- UInt8(ascii: "0") >= 10 else { return nil }
        cursor = scan
        return value
    }

    /// What stands before the next quote, which is passed.
    @inline(__always)
    mutating func quoted() -> UnsafeRawBufferPointer? {
        let start = cursor
        var scan = start
        // A header's last text is followed by more than eight bytes.
        while end - scan >= 8 {
            let bytes = word(scan)
            let quotes = (bytes ^ UInt64(repeating: UInt8(ascii: "\""))).zeroBytes
            let unusual =
                (bytes ^ UInt64(repeating: UInt8(ascii: "\\"))).zeroBytes | bytes & UInt64(repeating: 0x80)
            if quotes | unusual != 0 {
                let place = (quotes | unusual).trailingZeroBitCount
                guard quotes & (1 << UInt64(place)) != 0, unusual & (1 << UInt64(place)) == 0 else { return nil }
                scan += place >> 3
                cursor = scan + 1
                return UnsafeRawBufferPointer(start: start, count: scan - start)
            }
            scan += 8
        }
        return nil
    }
}
