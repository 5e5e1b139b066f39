// A pull reader over JSON as fastjson accepts it (protocol.md 1.3, 3.3): one pass, no memory, no recursion.
//
//   guard try reader.beginObject() else { … null … }
//   while let key = try reader.nextKey() {
//       switch key {
//       case "perm": perm = try reader.readInt32() ?? 6
//       default: try reader.skipValue()
//       }
//   }
//   try reader.finish()
//
// The usual spelling takes the short way through each function; every tolerance lives behind it, out of line.

import Basics

/// Reads one JSON text front to back. After each key or element the caller reads or skips exactly one value.
///
/// Besides JSON it takes: unquoted names, single quotes, comments, superfluous commas, raw control characters, more
/// escapes, leading zeros, a byte order mark in front, NUL bytes behind. The text must be UTF-8, which it does not check.
public struct JSONReader {
    let start: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var cursor: UnsafePointer<UInt8>

    /// How many containers are open, up to `JSONLimits.depth`.
    private(set) var depth = 0
    /// One bit per open container, the innermost lowest: 1 is an object, 0 an array.
    private var kinds: UInt64 = 0
    /// Whether a value has been read since the container began, so that a comma must come before the next one.
    private var needsComma = false
    private let errorCode: RemotingError.Code
    /// How many more array elements and map entries may become values of their own.
    var elementBudget = BodyLimits.elementCount
    /// Whether names may be bare integers, as in fastjson's integer-keyed maps. Ext fields refuse them.
    var takesIntegerNames = true

    /// Starts in front of the first value.
    ///
    /// - Parameter errorCode: what errors say was malformed.
    public init(_ bytes: UnsafeRawBufferPointer, reporting errorCode: RemotingError.Code = .body) {
        self.errorCode = errorCode
        var count = bytes.count
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        // An empty buffer may have no address; nothing is read from this one.
        let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped
        start = base.assumingMemoryBound(to: UInt8.self)
        end = start + count
        cursor = start
        if count >= 3, start[0] == 0xEF, start[1] == 0xBB, start[2] == 0xBF { cursor += 3 }
    }

    /// An error at the present place.
    @inline(never)
    func fault(_ what: StaticString) -> RemotingError { RemotingError(errorCode, "\(what) at byte \(cursor - start)") }

    // MARK: Containers

    /// Enters an object; false when the value is `null` instead.
    public mutating func beginObject() throws(RemotingError) -> Bool {
        guard try peek() == UInt8(ascii: "{") else { return try expectNull("expected an object") }
        try enter(kind: 1)
        return true
    }

    /// Enters an array; false when the value is `null` instead.
    public mutating func beginArray() throws(RemotingError) -> Bool {
        guard try peek() == UInt8(ascii: "[") else { return try expectNull("expected an array") }
        try enter(kind: 0)
        return true
    }

    /// The name of the object's next member; nil at its end, which is left then.
    @inline(__always)
    public mutating func nextKey() throws(RemotingError) -> JSONText? {
        if needsComma, end - cursor > 2, cursor[0] == UInt8(ascii: ","), cursor[1] == UInt8(ascii: "\"") {
            cursor += 1
        } else {
            guard try advance(closing: UInt8(ascii: "}")) else { return nil }
        }
        let key = cursor.pointee == UInt8(ascii: "\"") ? try readQuoted() : try readUnusualKey()
        if cursor < end, cursor.pointee == UInt8(ascii: ":") { cursor += 1 } else { try skipColon() }
        return key
    }

    /// Moves to the array's next element; false at its end, which is left then.
    public mutating func nextElement() throws(RemotingError) -> Bool {
        try advance(closing: UInt8(ascii: "]"))
    }

    /// Reads past one value of any kind.
    public mutating func skipValue() throws(RemotingError) {
        let outside = depth
        repeat {
            if depth > outside {
                if kinds & 1 == 1 {
                    guard try nextKey() != nil else { continue }
                } else {
                    guard try nextElement() else { continue }
                }
            }
            switch try peek() {
            case UInt8(ascii: "{"): try enter(kind: 1)
            case UInt8(ascii: "["): try enter(kind: 0)
            default: _ = try readScalar()
            }
        } while depth > outside
    }

    /// Whether nothing but white space and comments follows.
    mutating func isAtEnd() throws(RemotingError) -> Bool {
        try skipBlank()
        return cursor == end
    }

    /// Checks that nothing but white space and comments follows.
    public mutating func finish() throws(RemotingError) {
        if try !isAtEnd() { throw fault("text after the end") }
    }

    private mutating func enter(kind: UInt64) throws(RemotingError) {
        guard depth < JSONLimits.depth else { throw fault("nested too deeply") }
        cursor += 1
        depth += 1
        kinds = kinds << 1 | kind
        needsComma = false
    }

    /// Moves over commas and blank to the next member or element; false when the container ended instead.
    private mutating func advance(closing: UInt8) throws(RemotingError) -> Bool {
        while true {
            let byte = try peek()
            if byte == UInt8(ascii: ",") {
                cursor += 1
                needsComma = false
            } else if byte == closing {
                cursor += 1
                depth -= 1
                kinds >>= 1
                needsComma = true
                return false
            } else {
                if needsComma { throw fault("expected a comma") }
                needsComma = true
                return true
            }
        }
    }

    private mutating func expectNull(_ otherwise: StaticString) throws(RemotingError) -> Bool {
        guard try isLiteral("null") else { throw fault(otherwise) }
        cursor += 4
        return false
    }

    // MARK: Blank

    /// The first byte of what comes next, behind white space and comments.
    @inline(__always)
    mutating func peek() throws(RemotingError) -> UInt8 {
        if cursor < end, cursor.pointee > 0x20, cursor.pointee != UInt8(ascii: "/") { return cursor.pointee }
        try skipBlank()
        guard cursor < end else { throw fault("the text ends too early") }
        return cursor.pointee
    }

    @inline(never)
    private mutating func skipColon() throws(RemotingError) {
        guard try peek() == UInt8(ascii: ":") else { throw fault("expected a colon") }
        cursor += 1
    }

    @inline(never)
    private mutating func skipBlank() throws(RemotingError) {
        while cursor < end {
            switch cursor.pointee {
            case 0x20, 0x0A, 0x0D, 0x09, 0x0C, 0x08: cursor += 1
            case UInt8(ascii: "/"): try skipComment()
            default: return
            }
        }
    }

    private mutating func skipComment() throws(RemotingError) {
        guard end - cursor >= 2 else { throw fault("expected a comment") }
        switch cursor[1] {
        case UInt8(ascii: "/"):
            while cursor < end, cursor.pointee != 0x0A { cursor += 1 }
        case UInt8(ascii: "*"):
            cursor += 2
            while end - cursor >= 2, cursor[0] != UInt8(ascii: "*") || cursor[1] != UInt8(ascii: "/") { cursor += 1 }
            guard end - cursor >= 2 else { throw fault("a comment without end") }
            cursor += 2
        default: throw fault("expected a comment")
        }
    }
}
