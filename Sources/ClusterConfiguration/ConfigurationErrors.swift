/// Everything that is wrong with a configuration file, in the file's order; never empty.
public struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    /// One fault each; after the first hundred only their number is kept.
    public var errors: [ConfigurationError]

    /// One fault a line, each as `file:line: what is wrong`.
    public var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// One fault of a configuration file.
public struct ConfigurationError: Hashable, Sendable, CustomStringConvertible {
    /// The file, as the caller named it.
    public var file: String
    /// Counted from 1; nil when the fault has no place, for example a missing file.
    public var line: Int?
    /// What is wrong, and what to write instead when that can be guessed.
    public var message: String

    /// `file:line: message`.
    public var description: String { line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)" }
}

/// Gathers faults while reading goes on, so that one run shows them all.
package final class FaultLog {
    /// Enough to mend a file by; bounds the work that a hostile file can cause.
    static let limit = 100

    private let file: String
    private var errors: [ConfigurationError] = []
    private var count = 0

    /// For a file of that name.
    package init(file: String) { self.file = file }

    /// Adds a fault; nil = it has no line.
    package func report(_ line: Int?, _ message: String) {
        count += 1
        if errors.count < FaultLog.limit { errors.append(ConfigurationError(file: file, line: line, message: message)) }
    }

    /// Something to know that is no fault.
    func notice(_ line: Int, _ message: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line, message: message)
    }

    /// Throws what was reported, if anything was, in the order of the lines.
    package func check() throws(ConfigurationErrors) {
        guard count > 0 else { return }
        var sorted = errors.sorted { ($0.line ?? 0, $0.message) < ($1.line ?? 0, $1.message) }
        if count > sorted.count {
            sorted.append(ConfigurationError(file: file, line: nil, message: "and \(count - sorted.count) more"))
        }
        throw ConfigurationErrors(errors: sorted)
    }
}

/// A piece of the file inside a message: clipped, and without anything that a terminal would obey.
package func quoted(_ text: String) -> String {
    let clipped = text.unicodeScalars.prefix(60)
    let printable = String(String.UnicodeScalarView(clipped.map { $0.properties.isControl ? "?" : $0 }))
    return "'\(printable)\(clipped.count < text.unicodeScalars.count ? "…" : "")'"
}

extension Unicode.Scalar.Properties {
    /// Control, format (which reorders text) and separator characters.
    fileprivate var isControl: Bool {
        switch generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
