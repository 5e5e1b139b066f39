/// ANSI colours, or none.
struct Palette: Sendable {
    enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
    }

    /// Whether to colour at all.
    var isOn: Bool

    func paint(_ text: String, _ colour: Colour) -> String {
        isOn ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
