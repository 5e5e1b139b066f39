import Foundation

/// Prometheus's checker of metrics and rules, where it is installed (Debian's package prometheus).
public enum Promtool {
    private static let path = "/usr/bin/promtool"

    /// Whether it can be run.
    public static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// What a test says that is left out without it.
    public static let remark = "needs Debian's package prometheus"

    /// Runs it, with `input` to read.
    ///
    /// - Throws: `TestSupportError` with its words when it finds anything wrong.
    public static func check(_ arguments: [String], input: String = "") throws {
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
        guard process.terminationStatus == 0 else {
            throw TestSupportError("promtool \(arguments.joined(separator: " ")): \(words)")
        }
    }
}
