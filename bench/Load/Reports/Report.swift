import Basics
import FoundationEssentials

/// One file of results: everything that one run of the program measured.
public struct Report: Codable, Sendable {
    /// Of this file's layout.
    public var format = 1
    /// Where it was measured.
    public var machine = MachineFacts.read()
    /// How, as it was typed.
    public var command: [String]
    /// What was measured: for people.
    public var server = ""
    /// Of `run`.
    public var measurements: [Measurement] = []
    /// Of `limits` and `micro`.
    public var figures: [LimitFigure] = []

    /// Puts figures together.
    public init(figures: [LimitFigure], command: [String]) {
        self.figures = figures
        self.command = command
    }

    /// Nothing measured yet.
    public init(server: String, command: [String]) {
        self.server = server
        self.command = command
    }

    /// For people: whom, when and where.
    public var summary: String {
        "\(server.isEmpty ? "" : server + ", ")\(machine.date), \(machine.processor), \(machine.cores) cores, load average \(machine.loadAverage)"
    }

    /// Files of other programs are not read to their end.
    private static let sizeLimit = 64 << 20

    /// Writes it as JSON with sorted keys, so that two files can be compared with any tool.
    public func write(_ path: String) throws(LoadError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            try TextFile.write(path, [UInt8](try encoder.encode(self)) + [10])
        } catch let error as LoadError {
            throw error
        } catch {
            throw LoadError(.machine, "write \(path): \(error)")
        }
    }

    /// Reads what `write` wrote.
    public static func read(_ path: String) throws(LoadError) -> Report {
        let text = TextFile.read(path, limit: sizeLimit)
        guard !text.isEmpty else { throw LoadError(.usage, "\(path): not there, or empty") }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(Report.self, from: Data(text.utf8))
        } catch {
            throw LoadError(.usage, "\(path): no results of hearsay-bench")
        }
    }
}
