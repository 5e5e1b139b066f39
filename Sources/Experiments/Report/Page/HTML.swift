/// Markup. A text that is put into it is escaped; only markup goes in as it is. So no text of a scenario, whatever it
/// holds, can become part of the page's structure.
struct HTML: ExpressibleByStringInterpolation {
    /// What the file holds.
    var text: String

    /// Markup that was made elsewhere, by us.
    init(trusted text: String) { self.text = text }

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ markup: HTML) { text += markup.text }
        mutating func appendInterpolation(_ markup: [HTML]) { for one in markup { text += one.text } }
        mutating func appendInterpolation(_ string: String) { text += HTML.escaped(string) }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }

        /// For coordinates: at most three places.
        mutating func appendInterpolation(_ number: Double) {
            let thousandths = Int((number * 1000).rounded())
            if thousandths % 1000 == 0 {
                text += String(thousandths / 1000)
            } else {
                text += "\(Double(thousandths) / 1000)"
            }
        }
    }

    /// The markup, or nothing. (A conditional expression of two literals would be a text, and so be escaped.)
    static func when(_ isWanted: Bool, _ markup: HTML) -> HTML { isWanted ? markup : "" }

    static func += (markup: inout HTML, more: HTML) { markup.text += more.text }

    /// Text for the inside of elements and of attributes in either kind of quotes.
    static func escaped(_ string: String) -> String {
        guard string.utf8.contains(where: { $0 == 0x26 || $0 == 0x3C || $0 == 0x3E || $0 == 0x22 || $0 == 0x27 }) else {
            return string
        }
        var text = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// JSON for a script element, which `<` could end.
    static func data(_ node: JSONNode) -> HTML {
        HTML(trusted: node.compact.split(separator: "<", omittingEmptySubsequences: false).joined(separator: "\\u003c"))
    }
}
