import Basics
import GossipCore

// The scenarios of gossip.md section 4: each is a script in virtual time, with what is expected of each mode.

/// One scenario: what goes wrong, and what must come of it in each mode.
public struct FaultScenario: Sendable {
    /// Its number in gossip.md section 4.
    public let number: Int
    /// A word for the command line.
    public let name: String
    /// What goes wrong, in one line.
    public let title: String
    /// What is smaller here than in gossip.md, or left out; nil = nothing.
    public let limits: String?
    let script: @Sendable (ScenarioRun) -> Void

    /// Plays it in one mode.
    ///
    /// - Parameters:
    ///   - isLong: as large as gossip.md says, as far as that is there; otherwise small enough for a test.
    ///   - played: the mode that nodes really have, for tests of the expectations themselves; nil = the same.
    public func run(
        _ mode: GossipMode, seed: UInt64 = 1, isLong: Bool = false, as played: GossipMode? = nil
    ) -> ScenarioResult {
        let run = ScenarioRun(mode: mode, played: played ?? mode, seed: seed, isLong: isLong)
        script(run)
        return ScenarioResult(measures: run.measures, notes: run.notes, failures: run.failures)
    }

    /// All of them, in order.
    public static let all: [FaultScenario] =
        (brokerScenarios + departureScenarios + restartScenarios + clockScenarios + contentScenarios
        + hostileScenarios + scaleScenarios).sorted { $0.number < $1.number }
}

extension FaultScenario: CustomStringConvertible {
    /// `4 cut-link`.
    public var description: String { "\(number) \(name)" }
}

/// What one scenario showed in one mode.
public struct ScenarioResult: Sendable {
    /// The numbers.
    public var measures: ScenarioMeasures
    /// What else was seen, a line each.
    public var notes: [String]
    /// What was expected and did not happen; empty = all did.
    public var failures: [String]
}

/// One scenario being played in one mode: several stages may follow each other.
final class ScenarioRun {
    /// By whose rules it is judged.
    let mode: GossipMode
    private let played: GossipMode
    let seed: UInt64
    let isLong: Bool
    private(set) var measures = ScenarioMeasures()
    private(set) var notes: [String] = []
    private(set) var failures: [String] = []
    private var part = ""

    init(mode: GossipMode, played: GossipMode, seed: UInt64, isLong: Bool) {
        (self.mode, self.played, self.seed, self.isLong) = (mode, played, seed, isLong)
    }

    /// Whether nodes gossip at all.
    var gossips: Bool { mode >= .observe }
    /// Whether they may put removals off.
    var protects: Bool { mode >= .protect }

    /// A cluster in which everybody is up and served long before anything happens: at 95 s, and counting from then on.
    ///
    /// - Parameter part: names this part of the scenario in failures and notes.
    func stage(
        _ part: String = "", settled: Double = 95, change: (inout ClusterOptions) -> Void = { _ in },
        prepare: (Cluster) -> Void = { _ in }
    ) -> Stage {
        self.part = part
        var options = ClusterOptions(seed: seed)
        (options.nodes, options.brokers, options.clients, options.mode) = (3, 3, 0, played)
        options.hasShadows = false
        change(&options)
        let stage = Stage(options, prepare: prepare)
        stage.run(until: settled)
        stage.begin()
        return stage
    }

    /// Takes a stage's numbers in.
    func add(_ measures: ScenarioMeasures) {
        self.measures.merge(measures)
        // No mode may ever keep dead brokers: invariant 3, in every scenario.
        expect(measures.zombie == 0, "\(oneDecimal(measures.zombie)) broker-seconds of dead brokers served")
    }

    func expect(_ isMet: Bool, _ text: @autoclosure () -> String) {
        if !isMet { failures.append(part.isEmpty ? text() : "\(part): \(text())") }
    }

    func note(_ text: String) { notes.append(part.isEmpty ? text : "\(part): \(text)") }
}

/// Seconds as the nanoseconds that faults take.
func ns(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
