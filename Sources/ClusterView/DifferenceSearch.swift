import Basics
import Platform

/// Which topics' routes `hearsay diff` compares.
public enum TopicSelection: Hashable, Sendable {
    /// None.
    case none
    /// All that any node lists, at most so many.
    case all(limit: Int)
    /// These.
    case named([String])
}

/// Reads a cluster, and what differs once and again, until only lasting differences are left.
public final class DifferenceSearch {
    /// How often what differs is read again before it is reported.
    static let confirmations = 2

    private let platform: any Platform
    private let survey: ClusterSurvey
    private let selection: TopicSelection
    private let settle: Duration
    private let completion: (DifferenceReport) -> Void
    private var lasting: [ClusterDifference]?
    private var comparedTopics = 0
    private var notes: [String] = []
    private var confirmationsLeft = DifferenceSearch.confirmations
    private lazy var timer = platform.makeTimer { [weak self] in self?.read() }
    private var suspects: [String] = []
    /// Nodes whose topics were all compared.
    private var swept: Set<String> = []
    private var restartsLeft = 1

    /// A search that calls back once, with what lasted.
    ///
    /// - Parameter settle: time between two readings; brokers may be heard by one node before the other in between.
    public init(
        platform: any Platform, survey: ClusterSurvey, topics: TopicSelection, settle: Duration,
        completion: @escaping (DifferenceReport) -> Void
    ) {
        self.platform = platform
        self.survey = survey
        selection = topics
        self.settle = settle
        self.completion = completion
    }

    /// Reads for the first time, at once.
    public func start() { read() }

    private func read() {
        survey.read(includesTopics: true) { [self] readings in
            startOver(readings)
            let topics = topics(in: readings)
            survey.compare(topics: topics, at: readings) { [self] comparison, notes in
                take(readings, comparison, notes)
            }
        }
    }

    /// A node that has come up since is compared in full, once.
    private func startOver(_ readings: [NodeReading]) {
        let up = Set(readings.filter(\.isUp).map(\.name))
        guard lasting != nil, restartsLeft > 0, !up.isSubset(of: swept) else { return }
        restartsLeft -= 1
        lasting = nil
        confirmationsLeft = Self.confirmations
    }

    /// What to compare: at first everything, later what differed.
    private func topics(in readings: [NodeReading]) -> [String] {
        guard lasting == nil else { return suspects }
        notes = readings.flatMap { node in node.notes.map { "\(node.name): \($0)" } }
        switch selection {
        case .none: return []
        case .named(let names): return Set(names).sorted()
        case .all(let limit):
            let all = readings.reduce(into: Set<String>()) { $0.formUnion($1.topics ?? []) }.sorted()
            if all.count > limit {
                notes.append("compared \(limit) of \(all.count) topics; --topic-limit compares more, --topics chooses")
            }
            return Array(all.prefix(limit))
        }
    }

    private func take(_ readings: [NodeReading], _ comparison: TopicComparison, _ sweepNotes: [String]) {
        let found = ClusterComparison.differences(readings, topics: comparison)
        if let earlier = lasting {
            // A node that fell silent meanwhile is not waited for again.
            let kept = ClusterComparison.lasting(earlier, found)
            let fallen = found.filter { one in one.kind == .unreachable && !kept.contains { $0.key == one.key } }
            lasting = (kept + fallen).sorted { $0.key < $1.key }
            confirmationsLeft -= 1
        } else {
            lasting = found
            swept = Set(readings.filter(\.isUp).map(\.name))
            comparedTopics = comparison.count
            suspects = comparison.differing
            notes += sweepNotes
            if readings.count == 1 { notes.append("there is only one node: nothing to compare it with") }
        }
        let isBlind = readings.allSatisfy { !$0.isUp }
        if lasting?.isEmpty ?? true || isBlind || confirmationsLeft == 0 { return report(readings) }
        timer.start(at: platform.now + settle)
    }

    private func report(_ readings: [NodeReading]) {
        let nodes = readings.map {
            DifferenceReport.Node(
                name: $0.name, address: $0.address.description, software: $0.software, mode: $0.gossip?.mode,
                error: $0.error)
        }
        completion(
            DifferenceReport(
                nodes: nodes, comparedBrokers: Set(readings.flatMap(\.replicas.keys)).count,
                comparedTopics: comparedTopics, differences: lasting ?? [], notes: notes))
    }
}
