/// A message's properties: name U+0001 value U+0002, repeated (field `i` of 310, `properties` of 10, protocol.md 7.8).
///
/// Order is kept; a name set twice keeps its place and takes the last value.
public struct MessageProperties: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// Names with their values, in order, each name once.
    public private(set) var entries: [Entry] = []

    /// One property.
    public struct Entry: Hashable, Sendable {
        /// Without separators.
        public var name: String
        /// Without separators.
        public var value: String
    }

    /// No properties.
    public init() {}

    /// The given properties, in order.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    /// Reads the wire text. A piece without a separator is passed over, and so is a missing last U+0002, as Java does.
    public init(_ text: String) {
        for piece in text.utf8.split(separator: 2) {
            guard let separator = piece.firstIndex(of: 1) else { continue }
            let value = piece[piece.index(after: separator)...]
            self[String(Substring(piece[..<separator]))] = String(Substring(value))
        }
    }

    /// The wire text. Traps when a name or value contains a separator: see `isRepresentable`.
    public var text: String {
        var text = ""
        for entry in entries {
            precondition(MessageProperties.isRepresentable(entry.name), "separator in property name")
            precondition(MessageProperties.isRepresentable(entry.value), "separator in property \(entry.name)")
            text += "\(entry.name)\u{1}\(entry.value)\u{2}"
        }
        return text
    }

    /// Whether a name or value has no separator in it.
    public static func isRepresentable(_ text: String) -> Bool { !text.utf8.contains { $0 == 1 || $0 == 2 } }

    /// The value of a name; nil when it has none. Setting nil removes it.
    public subscript(name: String) -> String? {
        get { entries.first { $0.name == name }?.value }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append(Entry(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Names RocketMQ itself uses.
    public enum Name {
        /// The id the producer gave: survives retries, so it tells duplicates.
        public static let uniqueKey = "UNIQ_KEY"
        /// The tag consumers filter by.
        public static let tags = "TAGS"
        /// Search keys, separated by spaces.
        public static let keys = "KEYS"
        /// Whether the broker waits for its flush and slave before it answers.
        public static let waitStore = "WAIT"
    }
}
