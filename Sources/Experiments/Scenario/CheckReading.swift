import Basics
import ClusterConfiguration

/// The words of an entry under `checks`: a figure with its bound, and in which arms.
struct CheckKey: SectionKey {
    let rawValue: String
    static let section = "checks"
    static let allCases = Figure.allCases.map { CheckKey(known: $0.rawValue) } + [arms]
    static let arms = CheckKey(known: "in")

    private init(known: String) { rawValue = known }

    init?(rawValue: String) {
        guard rawValue == CheckKey.arms.rawValue || Figure(rawValue: rawValue) != nil else { return nil }
        self.rawValue = rawValue
    }

    /// The figure of that name; nil for `in`.
    var figure: Figure? { Figure(rawValue: rawValue) }
}

/// Reads the section `checks`.
struct CheckReading {
    /// Everything but the checks.
    let scenario: Scenario

    func read(_ entries: [MappingReader<CheckKey>]) -> [Check] { entries.compactMap(check) }

    private func check(_ entry: MappingReader<CheckKey>) -> Check? {
        let figures = entry.keys.filter { $0.figure != nil }
        guard figures.count == 1, let figure = figures[0].figure else {
            if figures.isEmpty, entry.hasUnknownKeys { return nil }
            entry.log.report(
                entry.line,
                figures.isEmpty
                    ? "what is checked is missing; one of \(Figure.allCases.map(\.rawValue).joined(separator: ", "))"
                    : "\(figures[0].rawValue) and \(figures[1].rawValue) in one entry; begin another entry (- …)")
            return nil
        }
        guard let text = entry.text(figures[0]), let arms = arms(of: entry, figure) else { return nil }
        do throws(ValueFault) {
            let bound = try bound(text, figure)
            return Check(figure: figure, arms: arms, bound: bound, text: CheckReading.text(figure, bound))
        } catch {
            entry.report(figures[0], "\(quoted(text)) \(error.message)")
            return nil
        }
    }

    /// Those given, or all that have the figure.
    private func arms(of entry: MappingReader<CheckKey>, _ figure: Figure) -> [Arm]? {
        let able = scenario.arms.filter { $0.gossips || !(figure.needsGossip || figure == .timeToNotice) }
        if needsClients(figure, entry) { return nil }
        guard entry.isGiven(.arms) else {
            if able.isEmpty {
                entry.report(CheckKey(figure), "no arm of this file gossips, and no other has this figure")
            }
            return able.isEmpty ? nil : able
        }
        let given: [Arm] = entry.choices(.arms, limit: Arm.allCases.count)
        for arm in given {
            if !scenario.arms.contains(arm) {
                entry.report(.arms, "'\(arm.rawValue)' is none of this file's arms")
            } else if figure.needsGossip, !arm.gossips {
                entry.report(.arms, "'\(arm.rawValue)' has no \(figure.rawValue): its nodes do not compare")
            }
        }
        return given.isEmpty ? nil : given
    }

    /// Whether clients are missing that the figure is about; it is reported.
    private func needsClients(_ figure: Figure, _ entry: MappingReader<CheckKey>) -> Bool {
        let producers = scenario.clients.count { $0.isProducer }
        let missing: String? =
            switch figure {
            case .wrongAnswers, .unanswered: scenario.clients.isEmpty ? "clients" : nil
            case .sendsFailed, .sendFailureRate, .sendsRetried, .sendLatencyMedian, .sendLatencyP99, .longestSendOutage:
                producers == 0 ? "clients.producers" : nil
            case .unread:
                producers == 0 || producers == scenario.clients.count
                    ? "clients.producers and clients.consumers" : nil
            default: nil
            }
        if let missing { entry.report(CheckKey(figure), "is about clients; this file has no \(missing)") }
        return missing != nil
    }

    // MARK: - Bounds

    private func bound(_ text: String, _ figure: Figure) throws(ValueFault) -> Check.Bound {
        var words = text.split(separator: " ").map(String.init)
        var isLeast = false
        if words.count > 2, words[0] == "at", words[1] == "most" || words[1] == "least" {
            isLeast = words[1] == "least"
            words.removeFirst(2)
        }
        if words.count == 3, words[1] == "of" {
            guard let arm = Arm(rawValue: words[2]), scenario.arms.contains(arm) else {
                throw ValueFault("names no arm of this file\(hint(words[2], scenario.arms.map(\.rawValue)))")
            }
            guard !isLeast, words[0].hasSuffix("%"), let percent = Double(words[0].dropLast()), percent >= 0 else {
                throw ValueFault("is no share of another arm; write, as in at most 50% of \(arm.rawValue)")
            }
            return .atMostOf(arm, factor: percent / 100)
        }
        guard let value = CheckReading.value(words.joined(separator: " "), figure.unit) else {
            throw ValueFault("is no bound; write \(CheckReading.example(figure.unit))")
        }
        return isLeast ? .atLeast(value) : .atMost(value)
    }

    /// A number, with or without the figure's unit.
    private static func value(_ text: String, _ unit: Figure.Unit) -> Double? {
        if let number = Double(text) { return number.isFinite && number >= 0 ? number : nil }
        switch unit {
        case .seconds, .brokerSeconds, .differenceSeconds: return Duration(text: text)?.inSeconds
        case .milliseconds: return Duration(text: text).map { $0.inSeconds * 1_000 }
        case .percent: return text.hasSuffix("%") ? value(String(text.dropLast()).trimmed, .count) : nil
        case .bytes: return ByteSize.bytes(text).map(Double.init)
        case .count: return nil
        }
    }

    private static func example(_ unit: Figure.Unit) -> String {
        switch unit {
        case .seconds, .brokerSeconds, .differenceSeconds: "a number of seconds or a duration: 0, 40s, at least 2m"
        case .milliseconds: "a number of milliseconds or a duration: 5, 200ms, at least 1s"
        case .percent: "a percentage: 0, 2.5%, at least 10%"
        case .bytes: "a number of bytes or a size: 0, 64KiB, at least 1MiB"
        case .count: "a number: 0, 10, at least 1"
        }
    }

    /// `False evictions ≤ 0 broker·s`.
    private static func text(_ figure: Figure, _ bound: Check.Bound) -> String {
        switch bound {
        case .atMost(let limit): "\(figure.title) ≤ \(figure.text(limit))"
        case .atLeast(let limit): "\(figure.title) ≥ \(figure.text(limit))"
        case .atMostOf(let arm, let factor):
            "\(figure.title) ≤ \(Figure.sendFailureRate.text(factor * 100)) of \(arm.rawValue)"
        }
    }
}

extension CheckKey {
    fileprivate init(_ figure: Figure) { self.init(known: figure.rawValue) }
}
