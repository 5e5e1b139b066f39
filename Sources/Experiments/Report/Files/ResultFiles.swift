import FoundationEssentials
import Glibc

/// An experiment's result as files of one directory:
///
/// - `results.json`: `format` (1), `experiment`, `held`, `driver`, `seed`, `startedAt`, `environment`, `verdicts` (a check's
///   number from 1 and text, arm, value, whether it held), `arms` (each with its `figures`, null where it has none, and how
///   many `events` its history has), and the whole `scenario`. Durations are seconds of scenario time.
/// - `history-ARM.jsonl`: an arm's events in the order of time, one JSON object a line: `time`, `event`, and what the event
///   needs. Nodes, brokers, clients and faults stand by name; a fault's is its number, or `3/2` for the second time of one
///   that repeats.
/// - `report.html`.
public enum ResultFiles {
    /// What a results.json may hold: a hundred times what the largest scenario gives.
    static let maximumResultBytes = 16 << 20
    /// What a history may hold: some five million events, about what fits into memory beside their report.
    static let maximumHistoryBytes = 512 << 20

    static let resultName = "results.json"
    static let reportName = "report.html"
    static func historyName(_ arm: Arm) -> String { "history-\(arm.rawValue).jsonl" }

    /// Writes all files, results.json last, and makes the directory where it is missing. What an earlier result left there
    /// under the same names is replaced.
    ///
    /// - Throws: with the file's path and what the system said.
    public static func write(_ result: ExperimentResult, into directory: String) throws(ExperimentError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw ExperimentError("cannot make the directory \(directory): \(error)")
        }
        // First: a directory with results.json is whole.
        for name in [resultName, reportName] + Arm.allCases.map(historyName) { unlink(directory + "/" + name) }
        let line = HistoryLine(PartyNames(result.scenario))
        for arm in result.arms {
            var text = ""
            for event in arm.history { text += line.node(of: event).compact + "\n" }
            try write(text, to: directory + "/" + historyName(arm.arm))
        }
        try write(HTMLReport.page(result), to: directory + "/" + reportName)
        try write(ResultCoding.node(of: result).readable, to: directory + "/" + resultName)
    }

    private static func write(_ text: String, to path: String) throws(ExperimentError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ExperimentError("cannot write \(path): \(error)")
        }
    }

    /// Reads what `write` wrote.
    ///
    /// - Parameter directory: the directory, or the path of the results.json in it.
    /// - Throws: with file, line and reason when something is missing, too large, or not as `write` writes it.
    public static func read(_ directory: String) throws(ExperimentError) -> ExperimentResult {
        var directory = directory
        if directory.hasSuffix("/" + resultName) { directory.removeLast(resultName.utf8.count + 1) }
        if directory == resultName { directory = "." }
        let path = directory + "/" + resultName
        let bytes = try contents(of: path, atMost: maximumResultBytes)
        var result: ExperimentResult
        let counts: [Int]
        do {
            (result, counts) = try ResultCoding.result(of: try JSONReader.read(bytes, in: 0..<bytes.count))
        } catch {
            throw ExperimentError("\(path):\(error.line): \(error.reason)")
        }
        let line = HistoryLine(PartyNames(result.scenario))
        for index in result.arms.indices {
            let path = directory + "/" + historyName(result.arms[index].arm)
            let history = try history(at: path, as: line)
            guard history.count == counts[index] else {
                throw ExperimentError(
                    "\(path):\(history.count + 1): \(history.count) events, but \(resultName) says \(counts[index])")
            }
            result.arms[index].history = history
        }
        return result
    }

    private static func history(at path: String, as line: HistoryLine) throws(ExperimentError) -> [HistoryEvent] {
        let bytes = try contents(of: path, atMost: maximumHistoryBytes)
        var events: [HistoryEvent] = []
        var start = 0
        var number = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            do {
                events.append(
                    try line.event(of: try JSONReader.read(bytes, in: start..<end, firstLine: number)))
            } catch {
                throw ExperimentError("\(path):\(number): \(error.reason)")
            }
            number += 1
            start = end + 1
        }
        return events
    }

    private static func contents(of path: String, atMost limit: Int) throws(ExperimentError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ExperimentError("cannot open \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw ExperimentError("cannot read \(path): \(String(cString: strerror(errno)))")
            }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > limit { throw ExperimentError("\(path) is larger than \(limit) bytes") }
        }
    }
}
