import Basics
import ClusterView

/// What `hearsay replay` has found.
public struct ReplayReport: Hashable, Sendable, Encodable {
    /// The NameServer that was asked.
    public var target: String
    /// The recorded NameServer; nil when the recording's beginning could not be read.
    public var recordedServer: String?
    /// When it was recorded, in milliseconds since 1970.
    public var recordedAtMillis: Int64?
    /// How much of the recording was gone through, in its own time.
    public var recordedMicroseconds: UInt64 = 0
    /// How long that took.
    public var elapsedMicroseconds: UInt64 = 0
    /// By request code, ascending.
    public var kinds: [ReplayTally] = []
    /// Messages that the recorded NameServer sent of its own accord (905); they are not compared.
    public var notifications = 0
    /// What could not be read or recorded, one clause each.
    public var notes: [String] = []
    /// Why nothing could be replayed; nil when something was.
    public var failure: String?

    /// Nothing done yet.
    init(target: String) { self.target = target }

    /// Notes that are kept; a recording of TLS has one for each connection.
    private static let noteLimit = 20

    mutating func note(_ note: String) {
        if notes.count < Self.noteLimit {
            notes.append(note)
        } else if notes.count == Self.noteLimit {
            notes.append("and more of the kind")
        }
    }

    mutating func began(_ time: WallTime, _ server: String) {
        recordedAtMillis = time.milliseconds
        recordedServer = server
    }

    /// Answers that say something else, or did not come.
    public var mismatches: Int { kinds.reduce(0) { $0 + $1.mismatches } }

    /// 0 = all answers say the same, 1 = some do not, 2 = nothing could be replayed.
    public var exitStatus: Int32 { failure != nil ? 2 : mismatches > 0 ? 1 : 0 }

    /// The report for people, without line feeds.
    public func lines(colour: Bool) -> [String] {
        if let failure { return [printable("\(target) cannot be reached: \(failure)")] }
        let palette = Palette(isOn: colour)
        let sent = kinds.reduce(0) { $0 + $1.sent }
        let recorded = DurationText.short(Int64(recordedMicroseconds / 1_000))
        let took = DurationText.short(Int64(elapsedMicroseconds / 1_000))
        var lines = [
            "\(counted(sent, "request")) recorded in \(recorded)"
                + "\(recordedServer.map { " from \($0)" } ?? ""), replayed to \(target) in \(took)"
        ]
        lines.append(
            mismatches == 0
                ? palette.paint("all answers say what was recorded", .green)
                : palette.paint("\(counted(mismatches, "answer")) \(mismatches == 1 ? "differs" : "differ")", .red))
        lines += [""] + table + examples
        // Nothing expires sooner because time goes faster.
        if elapsedMicroseconds < recordedMicroseconds / 2, recordedMicroseconds > 100_000_000 {
            lines.append(
                "note: time was compressed: what the recorded server dropped after silence (120 s) may still be there")
        }
        if notifications > 0 { lines.append("note: \(notifications) notifications (905) are not compared") }
        return (lines + notes.map { "note: \($0)" }).map(printable)
    }

    private var table: [String] {
        var table = TextTable([
            .left("REQUEST"), .right("SENT"), .right("SAME"), .right("DIFFERENT"), .right("NO ANSWER"),
            .right("NOT COMPARED"), .right("P50"), .right("P99"), .right("MAX"),
        ])
        for kind in kinds {
            table.add(
                [ReplayTally.name(kind.code)]
                    + [kind.sent, kind.same, kind.different, kind.unanswered, kind.uncompared + kind.unexpected].map {
                        "\($0)"
                    } + [0.5, 0.99, 1].map { kind.latency($0).map(Self.latencyText) ?? "-" })
        }
        return table.lines
    }

    private var examples: [String] {
        let lines = kinds.flatMap { kind in
            kind.examples.flatMap { example in
                [
                    "\(ReplayTally.name(kind.code)): \(example.request)", "  recorded \(example.recorded)",
                    "  replayed \(example.replayed)",
                ]
            }
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    /// `0.3 ms`.
    private static func latencyText(_ microseconds: Int) -> String {
        let hundredths = microseconds / 10
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }
}
