import Basics

/// The text of an object or array as fastjson prints it when it stands where a string should (protocol.md 1.3).
enum JSONCompaction {
    /// Appends a value that `JSONReader.skipValue` has accepted, without white space and comments.
    ///
    /// Superfluous commas and single quotes stay: nobody knows a peer that sends objects here at all.
    static func append(_ value: UnsafeRawBufferPointer, to output: inout ByteWriter) {
        var position = 0
        while position < value.count {
            let byte = value[position]
            let length: Int
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): length = string(value[position...], quote: byte)
            case UInt8(ascii: "/"):
                position += comment(value[position...])
                continue
            case ...0x20:
                position += 1
                continue
            default: length = 1
            }
            output.append(UnsafeRawBufferPointer(rebasing: value[position..<position + length]))
            position += length
        }
    }

    private static func string(_ rest: Slice<UnsafeRawBufferPointer>, quote: UInt8) -> Int {
        var position = rest.startIndex + 1
        while rest[position] != quote { position += rest[position] == UInt8(ascii: "\\") ? 2 : 1 }
        return position + 1 - rest.startIndex
    }

    private static func comment(_ rest: Slice<UnsafeRawBufferPointer>) -> Int {
        if rest[rest.startIndex + 1] == UInt8(ascii: "/") {
            return (rest.firstIndex(of: 0x0A) ?? rest.endIndex) - rest.startIndex
        }
        var position = rest.startIndex + 2
        while rest[position] != UInt8(ascii: "*") || rest[position + 1] != UInt8(ascii: "/") { position += 1 }
        return position + 2 - rest.startIndex
    }
}
