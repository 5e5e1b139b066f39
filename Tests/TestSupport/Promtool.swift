import Foundation

/// Prometheus's checker of metrics and rules, where it is installed (Debian's package prometheus).
public enum Promtool {
    /// Where it is; nil when it is not installed.
    public static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Runs it, with `input` to read; without it, does nothing.
    ///
    /// - Throws: `TestSupportError` with its words when it finds anything wrong.
    public static func check(_ arguments: [String], input: String = "") throws {
        guard let path else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = Data(input.utf8)
        // On a thread of its own: it may write before it has read everything.
        Thread.detachNewThread {
            try? standardInput.fileHandleForWriting.write(contentsOf: text)
            try? standardInput.fileHandleForWriting.close()
        }
        let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, !words.contains("non-histogram") else {
            throw TestSupportError("promtool \(arguments.joined(separator: " ")): \(words)")
        }
    }
}
