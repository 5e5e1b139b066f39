import ArgumentParser
import Load

/// `hearsay-bench pair`: two servers in alternation.
struct PairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pair",
        abstract: "Measure two servers in alternation on the same cores, and compare them pair by pair.",
        discussion: """
            A server is host:port or host:port,pid of one that runs, or the path of a hearsay program to start. Write the results with \
            --json A.json B.json to look at them with `compare` and `plot`.
            """)

    @Argument(help: "The two servers.") var servers: [String]
    @Option(help: "What to send.") var workload: [Workload] = [.heartbeat, .hit]
    @OptionGroup(title: "Brokers") var fleet: FleetOptions
    @OptionGroup(title: "Programs") var programs: Programs
    @Option(help: "Requests per second; without it a closed loop of --depth.") var rate: Double?
    @Option(help: "Requests of each connection on their way.") var depth = 4
    @Option(help: "Pairs.") var rounds = 5
    @Option(help: "Seconds of one turn.") var seconds = 1.0
    @Option(parsing: .upToNextOption, help: "Two files to write.") var json: [String] = []

    func run() throws {
        try exiting {
            guard servers.count == 2 else { throw LoadError(.usage, "two servers, not \(servers.count)") }
            guard json.isEmpty || json.count == 2 else { throw LoadError(.usage, "--json takes two files") }
            guard rounds > 0, seconds > 0, depth > 0, rate.map({ $0 > 0 }) ?? true else {
                throw LoadError(.usage, "rounds, seconds, depth and rate are above 0")
            }
            let opened = [try open(servers[0]), try open(servers[1])]
            defer { for server in opened { server.stop() } }
            if let pinning = try programs.pinning { try pinning.pinLoad() }
            var reports = opened.map { Report(server: $0.label, command: CommandLine.arguments) }
            printLine("A: \(opened[0].label)   B: \(opened[1].label)   load average \(reports[0].machine.loadAverage)")
            for workload in workload {
                let settings = try fleet.settings(brokers: 8, topics: 1_000, spread: workload == .hit ? 2 : 1)
                let pacing = rate.map { Pacing.open(perSecond: $0) } ?? .closed(depth: depth)
                let plan = workload.plan(settings).paced(pacing)
                let results = try Alternation(rounds: rounds, length: .seconds(seconds)).run([
                    Arm("A", opened[0], plan), Arm("B", opened[1], plan),
                ])
                for index in 0..<2 { reports[index].measurements.append(results[index].measurement) }
                for line in Comparison(results[0].measurement, results[1].measurement).lines { printLine(line) }
            }
            for (report, file) in zip(reports, json) { try report.write(file) }
        }
    }

    private func open(_ text: String) throws(LoadError) -> ServerUnderTest {
        let pinning = try programs.pinning
        if text.contains("/") { return try .node(Program(text), pinning: pinning) }
        let parts = text.split(separator: ",")
        guard let address = parts.first, parts.count <= 2, parts.count == 1 || Int32(parts[1]) != nil else {
            throw LoadError(.usage, "'\(text)': host:port, host:port,pid or the path of a program")
        }
        return try .running(
            at: String(address), process: parts.count == 2 ? Int32(parts[1]) : nil, pinning: pinning)
    }
}

extension Workload: ExpressibleByArgument {}
