// Frames as the wire has them (protocol.md 1.2–1.4), taken apart and put together without the product's codec.

/// One received frame.
public struct RawFrame: Hashable, Sendable {
    /// All bytes, the length word included.
    public let bytes: [UInt8]

    /// Takes a whole frame, at least its two words.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The length word; everything behind itself.
    public var length: Int { Int(bytes.bigEndian32(at: 0)) }

    /// 0 JSON, 1 binary.
    public var serializeType: UInt8 { bytes[4] }

    /// The size of the header by the second word.
    public var headerSize: Int { Int(bytes.bigEndian32(at: 4) & 0xff_ffff) }

    /// The header's bytes as text; meaningful for a JSON header.
    public var headerText: String { String(decoding: bytes[8..<min(8 + headerSize, bytes.count)], as: UTF8.self) }

    /// The bytes behind the header.
    public var body: [UInt8] { Array(bytes.dropFirst(8 + headerSize)) }

    /// The body as text.
    public var bodyText: String { String(decoding: body, as: UTF8.self) }

    /// The JSON header; `.null` when it is none.
    public var header: JSONMeaning {
        guard serializeType == 0, let header = try? JSONMeaning(headerText) else { return .null }
        return header
    }

    /// The request or response code; nil when the header has none.
    public var code: Int64? { header["code"]?.integer }

    /// Echo of the request's number.
    public var opaque: Int64? { header["opaque"]?.integer }

    /// Bit 0 response, bit 1 oneway.
    public var flag: Int64? { header["flag"]?.integer }

    /// The free text, nil when left out.
    public var remark: String? { header["remark"]?.text }

    /// The ext fields; nil when the member is left out, which differs from empty.
    public var fields: [String: String]? {
        header["extFields"].map { $0.members.compactMapValues(\.text) }
    }

    /// The body as JSON of either dialect.
    public func json() throws -> JSONMeaning {
        try JSONMeaning(body)
    }
}

/// A request to be: the members of a header and a body.
public struct RawRequest: Sendable {
    /// The request code (protocol.md 2.1).
    public var code: Int32
    /// In this order on the wire; nil leaves the member out.
    public var fields: [(name: String, value: String)]?
    /// The bytes behind the header.
    public var body: [UInt8] = []
    /// The caller's version ordinal (protocol.md 1.7).
    public var version: Int32 = 479
    /// 0, 1 response, 2 oneway.
    public var flag: Int32 = 0
    /// The enum name.
    public var language = "JAVA"

    /// Makes a request; a field whose value is nil is left out.
    public init(_ code: Int32, _ fields: KeyValuePairs<String, String?> = [:], body: [UInt8] = []) {
        self.code = code
        let present = fields.compactMap { field in field.value.map { (name: field.key, value: $0) } }
        self.fields = present.isEmpty ? nil : present
        self.body = body
    }

    /// The same with a text body.
    public init(_ code: Int32, _ fields: KeyValuePairs<String, String?> = [:], body: String) {
        self.init(code, fields, body: Array(body.utf8))
    }

    /// The same request from a caller of another version.
    public func with(version: Int32) -> RawRequest {
        var copy = self
        copy.version = version
        return copy
    }

    /// The frame with a JSON header, byte for byte as a Java peer writes it.
    public func frame(opaque: Int32) -> [UInt8] {
        var header = "{\"code\":\(code)"
        if let fields {
            let members = fields.map { quoted($0.name) + ":" + quoted($0.value) }
            header += ",\"extFields\":{\(members.joined(separator: ","))}"
        }
        header += ",\"flag\":\(flag),\"language\":\"\(language)\",\"opaque\":\(opaque)"
        header += ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":\(version)}"
        return rawFrame(header: header, body: body)
    }

    /// The frame with a binary header (protocol.md 1.4), language JAVA.
    public func binaryFrame(opaque: Int32) -> [UInt8] {
        var entries: [UInt8] = []
        for field in fields ?? [] {
            entries += bigEndian(UInt16(field.name.utf8.count)) + Array(field.name.utf8)
            entries += bigEndian(UInt32(field.value.utf8.count)) + Array(field.value.utf8)
        }
        var header = bigEndian(UInt16(code)) + [0] + bigEndian(UInt16(bitPattern: Int16(version)))
        header += bigEndian(UInt32(bitPattern: opaque)) + bigEndian(UInt32(bitPattern: flag))
        header += bigEndian(UInt32(0)) + bigEndian(UInt32(entries.count)) + entries
        return rawFrame(serializeType: 1, header: header, body: body)
    }
}

/// A frame of any header text, also of one that is wrong.
public func rawFrame(header: String, body: [UInt8] = []) -> [UInt8] {
    rawFrame(serializeType: 0, header: Array(header.utf8), body: body)
}

/// A frame of any header bytes and type.
public func rawFrame(serializeType: UInt8, header: [UInt8], body: [UInt8] = []) -> [UInt8] {
    let mark = UInt32(serializeType) << 24 | UInt32(header.count)
    return bigEndian(UInt32(4 + header.count + body.count)) + bigEndian(mark) + header + body
}

/// The big-endian bytes of an integer.
public func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

/// `text` as a JSON string of the legacy dialect (protocol.md 3.2).
public func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case ..<" ":
            let hex = String(scalar.value, radix: 16, uppercase: true)
            result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
