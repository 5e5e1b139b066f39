import ArgumentParser
import Load

/// `hearsay-bench run`: workloads on one server.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measure workloads on one server: rate, CPU time, latency, wrong answers.",
        discussion: """
            Open loop: requests leave when they are due, whether or not answers come, and latency counts from that moment. The rate \
            is half of what a closed loop reaches, or --rate. Each value is the median of the repetitions, with the lowest and \
            the highest behind it. A rate near what the generator itself can do is marked with *. The exit status is 1 when an answer was wrong \
            or did not come.
            """)

    /// What can be measured.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case heartbeat, changed, light, version, hit, miss, list, mix, churn, storm, idle
    }

    @Argument(help: "What to send; a quick set of all when left out.") var workloads: [Kind] = []
    @OptionGroup(title: "Server") var target: ServerOptions
    @OptionGroup(title: "Brokers") var fleet: FleetOptions
    @OptionGroup(title: "Pace") var pace: PaceOptions
    @Option(help: "Idle connections of the workload `idle`; 0 is as many as may be.") var idle = 1_000
    @Flag(help: "Leave out the generator's own ceiling.") var noCeiling = false
    @Option(help: "Write all results to this file as JSON.") var json: String?
    @Option(help: "Write a distribution of each workload into this folder as .hgrm.") var hgrm: String?

    func run() throws {
        try exiting {
            let server = try target.open()
            defer { server.stop() }
            var report = Report(server: server.label, command: CommandLine.arguments)
            printLine("server \(server.label) at \(server.address); load average \(report.machine.loadAverage)")
            if let start = server.startMilliseconds { printLine("start to first answer: \(tenths(start)) ms") }
            var session = Session(server: server, phases: try pace.phases)
            session.pinning = try target.programs.pinning
            if !noCeiling { session.limitServer = try target.programs.limitServer }
            var table = MeasurementTable()
            for step in try steps {
                switch step.kind {
                case .storm:
                    report.figures += try StormRun(step.settings.fleet, target, repetitions: pace.repetitions).figures()
                case .idle:
                    report.figures += try idleFigures(session)
                default:
                    guard let workload = Workload(rawValue: step.kind.rawValue) else { continue }
                    let measured = try session.measure(workload.plan(step.settings), try pace.pace)
                    report.measurements.append(measured.measurement)
                    if let hgrm {
                        try TextFile.write(
                            "\(hgrm)/\(step.kind.rawValue)-\(report.measurements.count).hgrm", measured.hgrm())
                    }
                    table.add(measured.measurement)
                    printLine(table.latest)
                }
            }
            for figure in report.figures { printLine(figure.line) }
            if let json { try report.write(json) }
            if report.measurements.contains(where: { $0.wrong > 0 }) { throw ExitCode(1) }
        }
    }

    private struct Step {
        let kind: Kind
        let settings: WorkloadSettings
    }

    private var steps: [Step] {
        get throws(LoadError) {
            guard workloads.isEmpty else {
                var steps: [Step] = []
                for kind in workloads { steps.append(Step(kind: kind, settings: try settings(kind))) }
                return steps
            }
            var steps = [Step(kind: .heartbeat, settings: try fleet.settings(brokers: 8, topics: 100, spread: 1))]
            for kind in Kind.allCases { steps.append(Step(kind: kind, settings: try settings(kind))) }
            return steps
        }
    }

    private func settings(_ kind: Kind) throws(LoadError) -> WorkloadSettings {
        switch kind {
        case .hit, .miss, .mix: try fleet.settings(brokers: 8, topics: 100, spread: 2)
        case .list, .light, .version, .churn: try fleet.settings(brokers: 8, topics: 100, spread: 1)
        case .heartbeat, .changed: try fleet.settings(brokers: 8, topics: 1_000, spread: 1)
        case .storm: try fleet.settings(brokers: 100, topics: 1_000, spread: 10)
        case .idle: try fleet.settings(brokers: 2, topics: 2, spread: 2)
        }
    }

    private func idleFigures(_ session: Session) throws -> [LimitFigure] {
        var connections = IdleConnections(count: idle > 0 ? idle : IdleConnections.limit)
        connections.form = try settings(.idle).fleet
        let reading = try connections.run(session.server)
        return reading.figures
    }
}
