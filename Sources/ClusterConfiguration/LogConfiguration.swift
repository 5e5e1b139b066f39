/// What the processes log, and how.
public struct LogConfiguration: Hashable, Sendable {
    /// How much, from most to least; the names are swift-log's.
    public enum Level: String, CaseIterable, Hashable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// How one line looks.
    public enum Format: String, CaseIterable, Hashable, Sendable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// Default `info`: one line for every state change.
    public var level = Level.info
    /// Default `text`.
    public var format = Format.text

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case level, format
        static let section = "log"
    }
}

extension LogConfiguration {
    init(_ reader: MappingReader<Key>) {
        self.init()
        level = reader.choice(.level, default: level)
        format = reader.choice(.format, default: format)
    }
}
