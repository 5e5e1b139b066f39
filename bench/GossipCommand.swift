import ArgumentParser
import ClusterView
import Glibc
import GossipBench
import Platform

/// `hearsay-bench gossip`: what the nodes' gossip costs and how fast it is, beside the naive way.
struct GossipCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gossip",
        abstract: "Measure gossip between nodes: bytes, round trips, detection, CPU, warm-up, beside the naive way.",
        discussion: """
            The first group runs the production core in virtual time: counts and bytes depend on nothing but the seed. The second \
            group (wire, warmUp, interference) starts real nodes on loopback. The exit status is 1 when a goal is missed.
            """)

    /// The measurements, in the order in which they run.
    enum Part: String, CaseIterable, ExpressibleByArgument {
        case idle, sketch, differences, convergence, detection, falseAlarms, busy, turns, wire, warmUp, interference
        /// Minutes of CPU: on request only.
        case mesh

        static let usual = allCases.filter { $0 != .mesh }
    }

    @Argument(help: "What to measure; everything but mesh when left out.") var parts: [Part] = []
    /// Not `--hearsay`: the command above would take that for its own.
    @Option(name: .customLong("program"), help: "The hearsay program to start.") var hearsay = ".build/release/hearsay"
    @Option(help: "Of all chance.") var seed: UInt64 = 1
    @Option(help: "Brokers of the differences, turns, warm-up and interference.") var brokers = 10_000
    @Option(help: "Topics of each broker in the warm-up.") var topics = 80
    @Option(help: "Trials of differences and convergence.") var trials = 1_000
    @Option(help: "Nodes of the meshes.") var meshNodes = [16, 64, 100]
    @Option(help: "Simulated hours without false alarms.") var hours = 24
    @Option(help: "How often what depends on time is repeated.") var repeats = 5
    @Flag(help: "One JSON object per measurement and line.") var json = false

    func run() throws {
        var isReached = true
        do {
            for part in parts.isEmpty ? Part.usual : parts {
                for section in try measure(part) {
                    show(section)
                    isReached = isReached && section.goals.allSatisfy(\.isReached)
                }
            }
        } catch let error as PlatformError {
            writeLine(2, "hearsay-bench: \(error)")
            throw ExitCode(2)
        }
        if !isReached { throw ExitCode(1) }
    }

    private func measure(_ part: Part) throws -> [BenchSection] {
        switch part {
        case .idle: [GossipBench.idleTraffic(brokers: [100, 10_000, 100_000], seconds: 60, seed: seed)]
        case .sketch:
            [GossipBench.sketchCosts(brokers: brokers, differences: 1_000, repeats: 21, seed: seed)]
        case .differences:
            [GossipBench.differences([1, 2, 10, 100, 1_000], brokers: brokers, trials: trials, seed: seed)]
        case .convergence: [GossipBench.convergence(nodes: [3, 7, 16, 64], trials: trials, seed: seed)]
        case .mesh: [GossipBench.mesh(nodes: meshNodes, seconds: 10, trials: 20, seed: seed)]
        case .detection: [GossipBench.detection(cuts: 2_000, seed: seed)]
        case .falseAlarms:
            [GossipBench.falseAlarms(brokers: 1_000, nodes: 3, hours: hours, jitter: .seconds(3), seed: seed)]
        case .busy: [GossipBench.busyExchanges(brokers: brokers, asks: 1_024, seconds: 30, seed: seed)]
        case .turns: [GossipBench.longestTurns(brokers: brokers, differing: 1_000, seconds: 30, seed: seed)]
        case .wire: [try GossipWire.run(hearsay: hearsay, seconds: 20)]
        case .warmUp:
            [
                try GossipWarmUp(hearsay: hearsay, brokers: brokers, topics: topics).run(
                    modes: ["protect", "replicate"], repeats: repeats)
            ]
        case .interference:
            [
                try GossipInterference(hearsay: hearsay, brokers: brokers, differing: brokers / 10).run(
                    rounds: 4 * repeats, lookups: 2_000)
            ]
        }
    }

    private func show(_ section: BenchSection) {
        if json { return printLine(section.json) }
        printLine(section.title)
        var table = TextTable(
            section.columns.enumerated().map {
                $0.offset == 0 ? .left($0.element.uppercased()) : .right($0.element.uppercased())
            })
        for row in section.rows { table.add(row.map(\.text)) }
        for line in table.lines { printLine("  " + line) }
        for goal in section.goals {
            let value = BenchSection.Cell.number(goal.value, decimals: 2).text
            let limit = BenchSection.Cell.number(goal.limit, decimals: 2).text
            printLine("  \(goal.isReached ? "reached" : "MISSED "): \(goal.text): \(value), at most \(limit)")
        }
        for note in section.notes { printLine("  " + note) }
        printLine("")
    }
}
