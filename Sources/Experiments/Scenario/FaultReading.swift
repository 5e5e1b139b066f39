import Basics
import ClusterConfiguration

/// Reads the section `faults`: entries with a time each, repeated ones written out, healed ones ended.
struct FaultReading {
    private typealias Reader = MappingReader<FaultKey>

    private let scenario: Scenario
    private let words: PartyWords
    private let log: FaultLog

    /// - Parameter scenario: everything but faults and checks.
    init(scenario: Scenario, words: PartyWords, log: FaultLog) {
        (self.scenario, self.words, self.log) = (scenario, words, log)
    }

    /// In the order of their beginning.
    func read(_ entries: [MappingReader<FaultKey>]) -> [PlannedFault] {
        var planned: [PlannedFault] = []
        var heals: [Duration] = []
        for (index, entry) in entries.enumerated() {
            guard let kind = kind(of: entry), let start = start(of: entry) else { continue }
            checkWords(of: entry, kind)
            if kind == .heal {
                if let text = entry.text(.heal), text != "all" { entry.report(.heal, "\(quoted(text)) is not 'all'") }
                heals.append(start)
                continue
            }
            let content = FaultContent(entry: entry, kind: kind, scenario: scenario, words: words)
            planned += spread(content.read(), of: entry, number: index + 1, start: start)
            if planned.count > Scenario.Limits.plannedFaults {
                log.report(entry.line, "more than \(Scenario.Limits.plannedFaults) faults, repeated ones counted")
                return []
            }
        }
        for heal in heals.sorted() { planned = healed(planned, at: heal) }
        return planned.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
            .map(\.element)
    }

    private func kind(of entry: Reader) -> FaultKey? {
        let found = entry.keys.filter { $0.words != nil }
        if found.count == 1 { return found[0] }
        if let second = found.dropFirst().first {
            log.report(
                entry.line(of: second),
                "\(found[0].rawValue) and \(second.rawValue) in one entry; begin another entry (- at: …)")
        } else if !entry.hasUnknownKeys {
            log.report(
                entry.line,
                "what goes wrong is missing; one of \(FaultKey.kinds.map(\.rawValue).joined(separator: ", "))")
        }
        return nil
    }

    private func start(of entry: Reader) -> Duration? {
        guard entry.isGiven(.at) else {
            log.report(entry.line, "faults.at is missing: when it begins, counted from the moment when everybody is up")
            return nil
        }
        return entry.duration(.at, in: .zero...scenario.duration, default: .zero)
    }

    private func checkWords(of entry: Reader, _ kind: FaultKey) {
        for key in entry.keys where key != kind && !(kind.words ?? []).contains(key) {
            let owners = FaultKey.kinds.filter { $0.words?.contains(key) ?? false }.map(\.rawValue)
            let what = key == .for ? "it happens once, and is over" : "goes with \(owners.joined(separator: ", "))"
            entry.report(key, "has no meaning for \(kind.rawValue); \(what)")
        }
        if entry.isGiven(.until), !entry.isGiven(.every) { entry.report(.until, "goes with every only") }
    }

    /// One planned fault per part and repetition.
    private func spread(
        _ parts: [FaultContent.Part], of entry: Reader, number: Int, start: Duration
    ) -> [PlannedFault] {
        let whole = Duration.milliseconds(1)...scenario.duration
        let length = entry.isGiven(.for) ? entry.duration(.for, in: whole, default: .seconds(1)) : nil
        let apart = entry.isGiven(.apart) ? entry.duration(.apart, in: whole, default: .seconds(1)) : .zero
        var starts = [start]
        if entry.isGiven(.every) {
            let step = entry.duration(.every, in: .milliseconds(100)...scenario.duration, default: .seconds(1))
            let until = entry.duration(.until, in: .zero...scenario.duration, default: scenario.duration)
            if let length, length >= step {
                entry.report(.every, "\(step.text) must be longer than for (\(length.text)), or it never ends")
            }
            while let last = starts.last, last + step < until, starts.count <= Scenario.Limits.plannedFaults {
                starts.append(last + step)
            }
        }
        var planned: [PlannedFault] = []
        for start in starts {
            for (index, part) in parts.enumerated() {
                let begin = start + apart * index
                let end = length.map { begin + $0 }
                // A repetition that would not end in time is left out; the first is a mistake, told below.
                if start > starts[0], (end ?? begin) > scenario.duration { continue }
                planned.append(
                    PlannedFault(number: number, start: begin, end: end, fault: part.fault, text: part.text))
            }
        }
        if let late = planned.first(where: { ($0.end ?? $0.start) > scenario.duration }) {
            let last = late.end ?? late.start
            log.report(entry.line, "ends at \(last.text), after the run (\(scenario.duration.text))")
        }
        return planned
    }

    /// Ends what goes on at that time, and drops the repetitions that would follow.
    private func healed(_ planned: [PlannedFault], at time: Duration) -> [PlannedFault] {
        let begun = Set(planned.filter { $0.start < time }.map(\.number))
        return planned.compactMap { fault in
            if fault.start >= time { return begun.contains(fault.number) ? nil : fault }
            guard fault.fault.lasts, fault.end.map({ $0 > time }) ?? true else { return fault }
            var ended = fault
            ended.end = time
            return ended
        }
    }
}

extension Fault {
    /// Whether it goes on until its end; others happen once.
    public var lasts: Bool {
        switch self {
        case .cut, .delay, .loss, .duplicate, .bandwidth, .kill, .stop, .powerLoss, .pause, .clockDrift, .diskFull: true
        case .reset, .halfOpen, .clockJump, .move, .unregister, .strayUnregister, .createTopic, .putKeyValue,
            .deleteKeyValue, .wipeWritePermission:
            false
        }
    }
}
