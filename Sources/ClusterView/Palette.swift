/// ANSI colours, or none.
public struct Palette: Sendable {
    /// Those that `printable` lets pass.
    public enum Colour: Int, Sendable {
        /// What is wrong.
        case red = 31
        /// What is right.
        case green = 32
        /// What may become wrong.
        case yellow = 33
    }

    /// Whether to colour at all.
    public var isOn: Bool

    /// Colours, or does not.
    public init(isOn: Bool) { self.isOn = isOn }

    /// The text in a colour, or as it is.
    public func paint(_ text: String, _ colour: Colour) -> String {
        isOn ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
