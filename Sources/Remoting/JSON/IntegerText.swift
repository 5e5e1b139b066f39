/// Integers in text, by the different rules of the protocol.
enum IntegerText {
    /// Java's `parseLong` (protocol.md 1.10): an optional sign and digits, nothing else; nil beyond 64 bits.
    static func strict(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let first = bytes.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        let digits = isNegative || first == UInt8(ascii: "+") ? bytes[1...] : bytes[...]
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte.isDigit else { return nil }
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            // Downward for negative numbers, since the smallest one has no positive counterpart.
            let (sum, carry) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A JSON number with its fraction cut off; nil beyond 64 bits.
    static func truncating(_ number: UnsafeRawBufferPointer) -> Int64? {
        let hasExponent = number.contains { $0.lowercasedASCII == UInt8(ascii: "e") }
        if !hasExponent {
            let whole = number.prefix { $0 != UInt8(ascii: ".") }
            return strict(UnsafeRawBufferPointer(rebasing: whole))
        }
        guard number.count <= exponentLimit, let value = Double(String(decoding: number, as: UTF8.self)) else {
            return nil
        }
        return Int64(exactly: value.rounded(.towardZero))
    }

    /// Longest number with an exponent, in bytes: 64 bits need far fewer, and converting is not linear for ever.
    private static let exponentLimit = 64

    /// A number in quotes, commas already removed: as `strict`, and `.0` may follow (1.3).
    static func quoted(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let point = bytes.lastIndex(of: UInt8(ascii: ".")),
            bytes[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return strict(bytes) }
        return strict(UnsafeRawBufferPointer(rebasing: bytes[..<point]))
    }
}
