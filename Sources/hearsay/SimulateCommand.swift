import ArgumentParser
import Basics
import Glibc
import GossipCore
import Simulator

/// `hearsay simulate`: a whole cluster in virtual time, with faults.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a whole cluster in virtual time, let things go wrong, and check that it stays safe.",
        discussion: """
            The seed decides everything: the same seed is the same run, on any machine. After --duration of faults \
            everything heals, and after a quiet time all must be well. Exits with 0 when every check held, with 1 when \
            one did not (its line reproduces it), with 2 for wrong usage.

              hearsay simulate --seed 7 --trace
              hearsay simulate --seeds 1000 --nodes 5 --duration 10m
              hearsay simulate --scenario cut-link --mode protect
              hearsay simulate --nodes 1000 --degree 10 --duration 10m
            """)

    @Option(help: "The seed; with --seeds the first one. Default: drawn, or 1 with --seeds.") var seed: UInt64?
    @Option(help: "Run this many seeds.") var seeds: Int?
    @Option(help: "NameServer nodes.") var nodes = 3
    @Option(help: "Brokers; every third one is the slave of the one before.") var brokers = 6
    @Option(help: "Clients that pull routes.") var clients = 2
    @Option(help: "How long things go wrong.") var duration = TimeArgument(.seconds(1_200))
    @Option(help: "How the nodes gossip. Default: off; observe with --degree; each in turn with --scenario.")
    var mode: GossipMode?
    @Option(help: "Peers that each node lists, in a random overlay. Default: all. Without stock shadows.") var degree:
        Int?
    @Option(help: "Play one written scenario instead, by number or name, and print its numbers.") var scenario: String?
    @Flag(help: "List the written scenarios.") var scenarios = false
    @Flag(help: "Play the scenario as large as it is written down, not as small as a test.") var long = false
    @Option(help: "Only these faults of the schedule happen: their numbers, with commas between.") var only: String?
    @Flag(help: "Print everything that is delivered.") var trace = false
    @Flag(help: "Do not look for a smaller schedule that fails, too.") var noShrinking = false
    @Flag(help: "Print JSON, one object per seed.") var json = false
    #if PLANTED_BUGS
    /// Runs with a bug, to see which check finds it.
    @Option(help: .hidden) var plant: PlantedBug?
    #endif

    func validate() throws {
        guard (1...1_000).contains(nodes) else { throw ValidationError("--nodes must be 1 to 1000") }
        guard (1...10_000).contains(brokers) else { throw ValidationError("--brokers must be 1 to 10000") }
        guard (0...1_000).contains(clients) else { throw ValidationError("--clients must be 0 to 1000") }
        guard duration.duration >= .seconds(10) else { throw ValidationError("--duration must be 10s or more") }
        guard seeds ?? 1 >= 1 else { throw ValidationError("--seeds must be 1 or more") }
        guard seeds == nil || !trace else { throw ValidationError("--trace is for one seed") }
        guard degree.map({ $0 >= 2 && $0.isMultiple(of: 2) && $0 <= 64 }) ?? true else {
            throw ValidationError("--degree must be an even number, 2 to 64")
        }
        guard scenario == nil || (seeds == nil && only == nil && !trace) else {
            throw ValidationError("--scenario goes with --mode, --seed, --long and --json only")
        }
        _ = try faultNumbers()
    }

    private var playedMode: GossipMode { mode ?? (degree == nil ? .off : .observe) }

    private func faultNumbers() throws -> Set<Int>? {
        guard let only else { return nil }
        let numbers = only.split(separator: ",").map { Int($0) }
        guard !numbers.contains(nil) else { throw ValidationError("--only '\(only)' is no list of numbers") }
        return Set(numbers.compactMap { $0 })
    }

    private func options(seed: UInt64) throws -> SimulationOptions {
        var cluster = ClusterOptions(seed: seed)
        (cluster.nodes, cluster.brokers, cluster.clients, cluster.mode) = (nodes, brokers, clients, playedMode)
        if let degree {
            (cluster.degree, cluster.nameServersPerBroker, cluster.hasShadows) = (degree, min(nodes, 5), false)
        }
        var options = SimulationOptions(cluster: cluster)
        options.duration = duration.duration
        options.only = try faultNumbers()
        return options
    }

    func run() throws {
        #if PLANTED_BUGS
        try PlantedBug.$active.withValue(plant) { try simulate() }
        #else
        try simulate()
        #endif
    }

    private func simulate() throws {
        if scenarios { return ScenarioPlay.list(asJSON: json) }
        if let scenario {
            let play = try ScenarioPlay(scenario, modes: mode.map { [$0] } ?? GossipMode.allCases, isLong: long)
            return try play.run(seed: seed ?? 1, asJSON: json)
        }
        if let seeds { return try sweep(first: seed ?? 1, count: seeds) }
        let seed = seed ?? .random(in: 1...999_999)
        var options = try options(seed: seed)
        if trace { options.onLine = { printLine($0) } }
        options.traceLines = 40
        let simulation = Simulation(options)
        if !json {
            printLine("seed \(seed), \(simulation.schedule.count) faults:")
            for fault in simulation.schedule { printLine("  \(fault)") }
        }
        let result = simulation.run()
        if json { printJSON(Summary(seed: seed, result, reproduction(seed, result))) } else { report(seed, result) }
        guard result.violation != nil else { return }
        if !json, !noShrinking { shrink(options, seed, result) }
        throw ExitCode(1)
    }

    private func sweep(first: UInt64, count: Int) throws {
        let clock = ContinuousClock()
        let start = clock.now
        var shown = start
        var failed: [UInt64] = []
        var (events, simulated) = (0, Int64(0))
        for seed in first..<first + UInt64(count) {
            let options = try options(seed: seed)
            let result = Simulation(options).run()
            events += result.events
            simulated += result.time
            if json { printJSON(Summary(seed: seed, result, reproduction(seed, result))) }
            if let violation = result.violation {
                failed.append(seed)
                if !json {
                    printLine("seed \(seed): \(violation)")
                    printLine("  \(reproduction(seed, result))")
                }
            }
            if clock.now - shown >= .seconds(1) {
                shown = clock.now
                printError("\(Int(seed - first) + 1) of \(count) seeds, \(failed.count) failed")
            }
        }
        if !json {
            let hours = oneDecimal(Double(simulated) / 3.6e12)
            printLine(
                "\(count) seeds from \(first), \(failed.count) failed; \(hours) simulated hours, \(events) events in "
                    + "\(oneDecimal((clock.now - start).seconds)) s")
        }
        if !failed.isEmpty { throw ExitCode(1) }
    }

    private func report(_ seed: UInt64, _ result: SimulationResult) {
        printLine(
            "\(result.events) events in \(Duration.nanoseconds(result.time).wholeMilliseconds / 1_000) simulated s, trace "
                + String(result.traceHash, radix: 16))
        printLine(
            "brokers added \(result.additions), removed \(result.removals); clients: \(result.tally.routes) routes, "
                + "\(result.tally.topicNotExist) times no such topic, \(result.tally.noNameServer) times no NameServer")
        guard let violation = result.violation else { return printLine("all checks held") }
        if !trace { for line in result.lines { printLine("  \(line)") } }
        printLine("FAILED: \(violation)")
        printLine(reproduction(seed, result))
    }

    private func shrink(_ options: SimulationOptions, _ seed: UInt64, _ result: SimulationResult) {
        let (needed, smallest) = Simulation.shrink(options, failing: result) {
            printError("shrinking: \($0) faults left")
        }
        printLine("\(needed.count) of \(result.schedule.count) faults are enough:")
        for fault in smallest.schedule { printLine("  \(fault)") }
        if let violation = smallest.violation { printLine("FAILED: \(violation)") }
        printLine(reproduction(seed, smallest, numbers: needed))
    }

    /// The one line that runs this again.
    private func reproduction(_ seed: UInt64, _ result: SimulationResult, numbers: [Int]? = nil) -> String {
        let chosen = numbers.map { $0.map(String.init).joined(separator: ",") } ?? only
        return "hearsay simulate --seed \(seed) --nodes \(nodes) --brokers \(brokers) --clients \(clients) --duration "
            + "\(duration.defaultValueDescription) --mode \(playedMode.name)"
            + (degree.map { " --degree \($0)" } ?? "") + (chosen.map { " --only \($0)" } ?? "")
    }

    private struct Summary: Encodable {
        var seed: UInt64
        var ok: Bool
        var violation: String?
        var invariant: Int?
        var reproduction: String
        var faults: [String]
        var events: Int
        var traceHash: String
        var routes: Int
        var topicNotExist: Int
        var noNameServer: Int
        var longestGapMillis: Int64

        init(seed: UInt64, _ result: SimulationResult, _ reproduction: String) {
            self.seed = seed
            ok = result.violation == nil
            violation = result.violation?.description
            invariant = result.violation?.number
            self.reproduction = reproduction
            faults = result.schedule.map(\.description)
            events = result.events
            traceHash = String(result.traceHash, radix: 16)
            routes = result.tally.routes
            topicNotExist = result.tally.topicNotExist
            noNameServer = result.tally.noNameServer
            longestGapMillis = result.tally.longestGap / 1_000_000
        }
    }
}

extension GossipMode: ExpressibleByArgument {
    /// Reads what cluster.yaml spells.
    public init?(argument: String) { self.init(name: argument) }

    /// As it is shown in the help.
    public var defaultValueDescription: String { name }

    /// What the help offers; without it, the numbers that stand for them on the wire.
    public static var allValueStrings: [String] { allCases.map(\.name) }

    /// And what each means.
    public static var allValueDescriptions: [String: String] {
        [
            "off": "RocketMQ's behaviour", "observe": "compare and report",
            "protect": "keep what a peer still hears", "replicate": "serve what only a peer hears, too",
        ]
    }
}

#if PLANTED_BUGS
extension PlantedBug: ExpressibleByArgument {}
#endif
