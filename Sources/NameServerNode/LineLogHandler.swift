import Logging

/// Writes one line per log message: text for people, or JSON for collectors. Metadata comes sorted by key.
public struct LineLogHandler: LogHandler {
    /// How a line looks.
    public enum Format: String, CaseIterable, Sendable {
        /// `2026-11-24T20:54:19.123Z info ns-1 broker registered broker=broker-a id=0`
        case text
        /// `{"time":"…","level":"info","node":"ns-1","message":"…","broker":"broker-a","id":"0"}`
        case json
    }

    /// Messages below it are not written. Default info.
    public var logLevel: Logger.Level = .info
    /// Added to every line.
    public var metadata: Logger.Metadata = [:]

    private let node: String
    private let format: Format
    private let timestamp: @Sendable () -> String
    private let sink: @Sendable (String) -> Void

    /// A handler for one node's lines.
    ///
    /// - Parameters:
    ///   - timestamp: the current time as it shall be printed.
    ///   - sink: takes a whole line with its line feed.
    public init(
        node: String, format: Format, level: Logger.Level, timestamp: @escaping @Sendable () -> String,
        sink: @escaping @Sendable (String) -> Void
    ) {
        self.node = node
        self.format = format
        self.timestamp = timestamp
        self.sink = sink
        logLevel = level
    }

    /// One entry of `metadata`.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the line of one message.
    public func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .text:
            line = "\(timestamp()) \(event.level) \(node) \(Self.flat("\(event.message)"))"
            for (key, value) in merged { line += " \(key)=\(Self.word("\(value)"))" }
        case .json:
            line = "{\"time\":\"\(timestamp())\",\"level\":\"\(event.level)\",\"node\":\(Self.quoted(node))"
            line += ",\"message\":\(Self.quoted("\(event.message)"))"
            for (key, value) in merged { line += ",\(Self.quoted(key)):\(Self.quoted("\(value)"))" }
            line += "}"
        }
        sink(line + "\n")
    }

    /// A value as one word: quoted when it holds blanks, quotes or control characters (names come from the network).
    private static func word(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { !isControl($0) && $0 != " " && $0 != "\"" && $0 != "=" }
        return plain && !text.isEmpty ? text : quoted(text)
    }

    /// A message on one line, quoted also when a name in it could pass for fields of the line.
    private static func flat(_ text: String) -> String {
        text.unicodeScalars.contains { isControl($0) || $0 == "=" } ? quoted(text) : text
    }

    /// Whether a terminal or a log collector may take it for more than a glyph: controls, line ends, and the marks that
    /// turn the direction of the text round.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case _ where isControl(scalar):
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
