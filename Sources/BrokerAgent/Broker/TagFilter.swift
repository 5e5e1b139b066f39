/// Which messages a subscription wants by their TAGS property: `*`, or tags separated by `||` (protocol.md 7.11).
public struct TagFilter: Hashable, Sendable {
    /// Wanted tags; empty means every message.
    public let tags: [String]

    /// Everything.
    public static let all = TagFilter("*")

    /// Reads an expression; nil, an empty one and `*` mean everything.
    public init(_ expression: String?) {
        let parts = (expression ?? "*").split(separator: "|").map { TagFilter.trimmed($0) }.filter { !$0.isEmpty }
        tags = parts.contains("*") ? [] : parts.map(String.init)
    }

    /// Whether a message with this TAGS property (nil: none) is wanted.
    public func accepts(_ tag: String?) -> Bool {
        if tags.isEmpty { return true }
        guard let tag else { return false }
        return tags.contains(tag)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
