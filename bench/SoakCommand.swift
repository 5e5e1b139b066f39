import ArgumentParser
import Load

/// `hearsay-bench soak`: whether a server's memory stays flat under all kinds of work.
struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract:
            "Millions of heartbeats, changes, lookups, comings and goings: is memory flat, is every answer right?",
        discussion: """
            Goes through the workloads in turn, a closed loop for a few seconds each, every time with brokers and topics of new \
            names, so that what is gone must really be gone. Resident memory is read after each; the line behind the last \
            compares the highest of the last quarter with the highest of the second. The exit status is 1 when that grew \
            by more than --growth percent, or an answer was wrong or did not come.
            """)

    @Option(help: "Requests to be answered, all together.") var operations = 10_000_000
    @OptionGroup(title: "Server") var target: ServerOptions
    @Option(help: "Brokers of each workload.") var brokers = 100
    @Option(help: "Topics of each broker.") var topics = 50
    @Option(help: "Brokers of one topic.") var spread = 4
    @Option(help: "Seconds of each workload.") var seconds = 2.0
    @Option(help: "Growth of memory that is taken for none, in percent.") var growth = 2.0

    private static let workloads: [Workload] = [.mix, .changed, .churn, .hit, .heartbeat, .miss, .version]
    /// Requests of one connection on their way.
    private static let depth = 4

    func run() throws {
        guard operations > 0, seconds > 0, growth >= 0 else { throw ValidationError("numbers must be above 0") }
        var log = SoakLog()
        try exiting {
            let server = try target.open()
            defer { server.stop() }
            printLine("server \(server.label) at \(server.address)")
            var session = Session(
                server: server, phases: Phases(warmUp: .zero, repetitions: 1, length: .seconds(seconds)))
            session.pinning = try target.programs.pinning
            while log.answered < operations {
                let workload = Self.workloads[log.samples.count % Self.workloads.count]
                let fleet = Fleet(brokers: brokers, topics: topics, spread: spread, label: "soak-\(log.samples.count)")
                try fleet.check()
                let measured = try session.measure(
                    workload.plan(WorkloadSettings(fleet: fleet)), .closed(depth: Self.depth))
                log.add(measured.measurement, residentBytes: server.usage()?.residentBytes)
                if log.samples.count % Self.workloads.count == 0 || log.answered >= operations { printLine(log.line) }
            }
        }
        printLine(log.verdict(growth: growth))
        if !log.isGood(growth: growth) { throw ExitCode(1) }
    }
}

/// What a soak has seen.
private struct SoakLog {
    /// Resident MiB after each workload; empty places where nobody could tell.
    private(set) var samples: [Double?] = []
    private(set) var answered = 0
    private(set) var wrong = 0

    mutating func add(_ measurement: Measurement, residentBytes: Int?) {
        samples.append(residentBytes.map { Double($0) / 1_048_576 })
        answered += measurement.repetitions.reduce(0) { $0 + $1.answered }
        wrong += measurement.repetitions.reduce(0) { $0 + $1.wrong + $1.unanswered }
    }

    var line: String {
        let resident = (samples.last ?? nil).map { "\(tenths($0)) MiB resident" } ?? "memory unknown"
        return "\(answered.grouped) answered, \(samples.count) fleets, \(resident), \(wrong) wrong"
    }

    /// The highest of the second quarter and of the last; the first quarter finds the working size.
    private var ends: (early: Double, late: Double)? {
        let quarter = samples.count / 4
        guard quarter > 0, let early = samples[quarter..<2 * quarter].compactMap({ $0 }).max(),
            let late = samples.suffix(quarter).compactMap({ $0 }).max()
        else { return nil }
        return (early, late)
    }

    func isGood(growth: Double) -> Bool {
        guard wrong == 0 else { return false }
        return ends.map { $0.late <= $0.early * (1 + growth / 100) } ?? true
    }

    func verdict(growth: Double) -> String {
        guard let ends else { return "\(wrong) wrong answers; too few samples to judge memory by" }
        let change = (ends.late / ends.early - 1) * 100
        let flat = ends.late <= ends.early * (1 + growth / 100) ? "flat" : "GROWS"
        return
            "memory \(flat): \(tenths(ends.early)) MiB in the second quarter, \(tenths(ends.late)) MiB in the last "
            + "(\(change >= 0 ? "+" : "")\(tenths(change)) %); \(wrong) wrong answers"
    }
}
