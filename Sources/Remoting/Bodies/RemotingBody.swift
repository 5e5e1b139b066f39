// What all JSON bodies have in common: how they are found in bytes, and how their members are walked over.

import Basics

/// A body that is one JSON object (protocol.md section 3).
public protocol RemotingBody: Hashable, Sendable {
    /// Reads the object; the reader has just entered it.
    init(members reader: inout JSONReader) throws(RemotingError)
    /// Appends the object, members sorted by name.
    func encode(_ dialect: JSONDialect, into output: inout ByteWriter)
}

extension RemotingBody {
    /// Reads a whole body.
    ///
    /// - Returns: nil for "no object" (3.3): an empty text, `null`, an array, or invalid UTF-8 anywhere.
    /// - Throws: `.body` when the text is malformed.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> Self? {
        guard var reader = try JSONReader(object: bytes) else { return nil }
        let value = try Self(members: &reader)
        try reader.finish()
        return value
    }

    /// Reads a whole body.
    public static func decode(_ bytes: [UInt8]) throws(RemotingError) -> Self? {
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(RemotingError) in try decode(bytes) } }
        return try result.get()
    }

    /// The whole body.
    public func encoded(_ dialect: JSONDialect = .legacy) -> [UInt8] {
        var output = ByteWriter()
        encode(dialect, into: &output)
        return output.array()
    }
}

extension JSONReader {
    /// Enters the object that a body consists of; nil for "no object", see `RemotingBody.decode`.
    init?(object bytes: UnsafeRawBufferPointer) throws(RemotingError) {
        guard bytes.isUTF8 else { return nil }
        self.init(bytes)
        guard try !isAtEnd() else { return nil }
        if try peek() == UInt8(ascii: "[") {
            try skipValue()
            try finish()
            return nil
        }
        if try beginObject() { return }
        try finish()
        return nil
    }

    // MARK: Owning values

    /// Counts one element or entry that is about to become a value of its own.
    private mutating func spendElement() throws(RemotingError) {
        guard elementBudget > 0 else {
            throw RemotingError(.limit, "more than \(BodyLimits.elementCount) elements in one body")
        }
        elementBudget -= 1
    }

    /// Reads a member that is an object; nil for `null`.
    mutating func readObject<Body: RemotingBody>(_ type: Body.Type = Body.self) throws(RemotingError) -> Body? {
        guard try beginObject() else { return nil }
        return try Body(members: &self)
    }

    /// Reads an array of strings; nil for `null`, whose elements are left out.
    mutating func readStrings() throws(RemotingError) -> [String]? {
        guard try beginArray() else { return nil }
        var strings: [String] = []
        while try nextElement() {
            try spendElement()
            if let string = try readString() { strings.append(string) }
        }
        return strings
    }

    /// Reads an array of objects; nil for `null`, whose elements are left out.
    mutating func readObjects<Body: RemotingBody>(_ type: Body.Type = Body.self) throws(RemotingError) -> [Body]? {
        guard try beginArray() else { return nil }
        var bodies: [Body] = []
        while try nextElement() {
            try spendElement()
            if let body = try readObject(Body.self) { bodies.append(body) }
        }
        return bodies
    }

    /// Reads an object as a map; nil for `null`. Entries for which `read` answers nil are left out; the last one counts.
    mutating func readMap<Value>(
        _ read: (inout JSONReader) throws(RemotingError) -> Value?
    ) throws(RemotingError) -> [String: Value]? {
        guard try beginObject() else { return nil }
        var map: [String: Value] = [:]
        while let key = try nextKey() {
            try spendElement()
            map[key.string] = try read(&self)
        }
        return map
    }

    /// Reads a map with integer keys, bare or quoted; nil for `null`. Entries with a null value are left out.
    mutating func readIntegerMap<Value>(
        _ read: (inout JSONReader) throws(RemotingError) -> Value?
    ) throws(RemotingError) -> [Int64: Value]? {
        guard try beginObject() else { return nil }
        var map: [Int64: Value] = [:]
        while let key = try nextKey() {
            try spendElement()
            guard !key.isEscaped, let number = IntegerText.strict(key.raw) else {
                throw fault("expected an integer key")
            }
            map[number] = try read(&self)
        }
        return map
    }
}
