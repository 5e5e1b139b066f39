// Strings and names.

extension JSONReader {
    /// Reads a quoted string; the cursor stands at the quote.
    @inline(__always)
    mutating func readQuoted() throws(RemotingError) -> JSONText {
        let quote = cursor.pointee
        let first = cursor + 1
        var scan = first
        while end - scan >= 8 {
            let bytes = word(scan)
            let stops =
                (bytes ^ UInt64(repeating: quote)).zeroBytes
                | (bytes ^ UInt64(repeating: UInt8(ascii: "\\"))).zeroBytes
            if stops != 0 {
                scan += stops.trailingZeroBitCount >> 3
                guard scan.pointee == quote else { break }
                cursor = scan + 1
                return JSONText(start: first, count: scan - first, isEscaped: false)
            }
            scan += 8
        }
        return try finishQuoted(quote, from: first, scan)
    }

    /// The slow end of `readQuoted`: escapes, and the last bytes of the text.
    @inline(never)
    private mutating func finishQuoted(
        _ quote: UInt8, from first: UnsafePointer<UInt8>, _ scanned: UnsafePointer<UInt8>
    ) throws(RemotingError) -> JSONText {
        cursor = scanned
        var isEscaped = false
        while cursor < end, cursor.pointee != quote {
            if cursor.pointee == UInt8(ascii: "\\") {
                guard let length = EscapeReader.length(of: UnsafeRawBufferPointer(start: cursor, count: end - cursor))
                else { throw fault("no such escape") }
                isEscaped = true
                cursor += length
            } else {
                cursor += 1
            }
        }
        guard cursor < end else { throw fault("a string without end") }
        cursor += 1
        return JSONText(start: first, count: cursor - 1 - first, isEscaped: isEscaped)
    }

    /// Reads a name in single quotes or without quotes: an identifier, or the bare integers of integer-keyed maps.
    @inline(never)
    mutating func readUnusualKey() throws(RemotingError) -> JSONText {
        let first = cursor
        switch cursor.pointee {
        case UInt8(ascii: "'"): return try readQuoted()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            guard takesIntegerNames else { throw fault("a name that is a bare integer") }
            cursor += 1
            while cursor < end, cursor.pointee.isDigit { cursor += 1 }
        case let byte where byte.isIdentifierPart:
            while cursor < end, cursor.pointee.isIdentifierPart { cursor += 1 }
        default: throw fault("expected a name")
        }
        return JSONText(start: first, count: cursor - first, isEscaped: false)
    }
}

extension UInt8 {
    /// Letters, digits, `_`, `$`, and every byte of a character beyond ASCII.
    fileprivate var isIdentifierPart: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "$"), 0x80...:
            true
        default: isDigit
        }
    }
}
