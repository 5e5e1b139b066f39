// Java's .properties syntax, as java.util.Properties reads it (protocol.md 5.4).

import Basics

/// The properties of a configuration text, each key once: the last value of a repeated key counts.
public struct PropertiesText: Hashable, Sendable {
    /// One property.
    public struct Entry: Hashable, Sendable {
        /// Without escapes.
        public var key: String
        /// Without escapes; blanks at its end are kept.
        public var value: String

        /// Names a value.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// In order of first appearance.
    public private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    /// No properties.
    public init() {}

    /// Reads a text as ISO 8859-1: each byte beyond ASCII becomes a character of its own, as the reference has it.
    ///
    /// - Throws: `.properties` for a bad `\u` escape, `.limit`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(RemotingError) {
        guard bytes.count <= BodyLimits.propertiesBytes else {
            throw RemotingError(.limit, "\(bytes.count) bytes of properties")
        }
        var lines = PropertyLines(bytes)
        while let entry = try lines.next() {
            self[entry.key] = entry.value
            guard entries.count <= BodyLimits.propertyCount else {
                throw RemotingError(.limit, "more than \(BodyLimits.propertyCount) properties")
            }
        }
    }

    /// Reads the body of UPDATE_NAMESRV_CONFIG: as above, but bytes that are no UTF-8 become U+FFFD before (5.4).
    public init(decodingRequest bytes: UnsafeRawBufferPointer) throws(RemotingError) {
        if bytes.isUTF8 {
            try self.init(decoding: bytes)
        } else {
            try self.init(decoding: [UInt8](String(decoding: bytes, as: UTF8.self).utf8))
        }
    }

    /// Reads a text as ISO 8859-1.
    public init(decoding bytes: [UInt8]) throws(RemotingError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(RemotingError) in try PropertiesText(decoding: bytes) }
        }
        self = try result.get()
    }

    /// The value of a key. Setting nil does nothing.
    public subscript(key: String) -> String? {
        get { positions[key].map { entries[$0].value } }
        set {
            guard let newValue else { return }
            if let position = positions[key] {
                entries[position].value = newValue
            } else {
                positions[key] = entries.count
                entries.append(Entry(key: key, value: newValue))
            }
        }
    }

    /// `key=value` lines, sorted by the bytes of the key, UTF-8, without any escaping (2.21).
    public func encoded() -> [UInt8] {
        var output = ByteWriter()
        for entry in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            output.append(utf8: entry.key)
            output.append(UInt8(ascii: "="))
            output.append(utf8: entry.value)
            output.append(UInt8(ascii: "\n"))
        }
        return output.array()
    }
}
