/// Makes an arm's lanes from its history, in the order of the page.
struct ArmLanes {
    /// More producers than this share one lane for their messages, and so do consumers.
    static let maximumClientLanes = 2

    private let scenario: Scenario
    private let arm: Arm
    private let span: TimeSpan
    private let history: [HistoryEvent]

    /// The lanes of one arm.
    static func lanes(of result: ArmResult, scenario: Scenario, span: TimeSpan) -> [Lane] {
        let maker = ArmLanes(scenario: scenario, arm: result.arm, span: span, history: result.history)
        return maker.processes() + maker.sights() + maker.topics() + maker.gossip() + maker.clients() + [
            maker.reports()
        ]
    }

    private func lane(
        _ group: Lane.Group, _ order: Int, _ title: String, _ content: Lane.Content, _ summary: String
    ) -> Lane {
        Lane(
            arm: arm, subject: Lane.Subject(group: group, order: order, title: title), content: content,
            summary: summary)
    }

    // MARK: States

    private func processes() -> [Lane] {
        let parties =
            scenario.nodes.indices.map(Party.node) + scenario.replicas.indices.map(Party.broker)
            + scenario.clients.indices.map(Party.client)
        let changes = processChanges()
        return parties.enumerated().compactMap { order, party in
            guard let changes = changes[party] else { return nil }
            let spans = StateSpan.between(changes, in: span)
            return lane(
                .processes, order, scenario.name(of: party), .states(spans, shadow: []),
                Self.summary(of: spans, usual: .up))
        }
    }

    private func processChanges() -> [Party: [(time: Double, state: LaneState)]] {
        var changes: [Party: [(time: Double, state: LaneState)]] = [:]
        for event in history {
            if case .process(let party, let state) = event.kind {
                changes[party, default: []].append((event.time, LaneState(state)))
            }
        }
        return changes
    }

    /// A lane for each node and broker.
    private func sights() -> [Lane] {
        let brokers = scenario.replicas.count
        var seen = [LaneState?](repeating: nil, count: scenario.nodes.count * brokers)
        var isUp = [Bool](repeating: true, count: scenario.nodes.count)
        var changes = [[(time: Double, state: LaneState)]](repeating: [], count: seen.count)
        for event in history {
            switch event.kind {
            case .sight(let node, let broker, let sight):
                let index = node * brokers + broker
                seen[index] = LaneState(sight)
                changes[index].append((event.time, isUp[node] ? LaneState(sight) : .silent))
            case .process(.node(let node), let state):
                isUp[node] = state == .up
                for index in node * brokers..<(node + 1) * brokers {
                    guard let known = seen[index] else { continue }
                    changes[index].append((event.time, isUp[node] ? known : .silent))
                }
            default: break
            }
        }
        let processes = processChanges()
        let shadows = scenario.replicas.indices.map { broker in
            StateSpan.between(processes[.broker(broker)] ?? [], in: span).filter { $0.state != .up }
        }
        return changes.enumerated().map { index, changes in
            let (node, broker) = index.quotientAndRemainder(dividingBy: brokers)
            let spans = StateSpan.between(changes, in: span)
            return lane(
                .sights, index, "\(scenario.nodes[node].name) lists \(scenario.replicas[broker].name)",
                .states(spans, shadow: shadows[broker]), Self.summary(of: spans, usual: .registered))
        }
    }

    /// How long each unusual state lasted: `absent 182.25 s, learned 5.5 s`.
    private static func summary(of spans: [StateSpan], usual: LaneState) -> String {
        if spans.isEmpty { return "nothing known" }
        let parts = LaneState.allCases.compactMap { state -> String? in
            let total = spans.filter { $0.state == state }.reduce(0) { $0 + $1.to - $1.from }
            return total > 0 && state != usual ? "\(state.title) \(ReportText.seconds(total))" : nil
        }
        return parts.isEmpty ? "\(usual.title) throughout" : parts.joined(separator: ", ")
    }

    // MARK: Numbers

    private func topics() -> [Lane] {
        scenario.nodes.indices.map { node in
            var count: Int?
            var isUp = true
            var changes: [(time: Double, values: [Int])] = []
            for event in history {
                switch event.kind {
                case .topics(node, let now): count = now
                case .process(.node(node), let state): isUp = state == .up
                default: continue
                }
                if let count { changes.append((event.time, isUp ? [count] : [])) }
            }
            // Where nodes lose topics is what is looked for.
            let steps = steps(changes) { $0.total < $1.total }
            let counts = steps.filter { !$0.values.isEmpty }.map(\.total)
            let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
            let summary =
                counts.isEmpty ? "nothing known" : least == most ? "\(most) throughout" : "\(least) to \(most)"
            return lane(.topics, node, scenario.nodes[node].name, .steps(steps, parts: ["topics"]), summary)
        }
    }

    /// Steps within the span, without those that change nothing. Of very many, each column keeps the one that
    /// `goesBefore` the others of the column, and goes on with its last.
    private func steps(
        _ changes: [(time: Double, values: [Int])], keeping goesBefore: (Lane.Step, Lane.Step) -> Bool
    ) -> [Lane.Step] {
        var steps: [Lane.Step] = []
        func add(_ time: Double, _ values: [Int]) {
            if let last = steps.last, last.from == time { steps.removeLast() }
            if steps.last?.values != values { steps.append(Lane.Step(from: time, values: values)) }
        }
        for change in changes where change.time < span.end { add(max(change.time, span.start), change.values) }
        guard steps.count > StateSpan.maximumCount else { return steps }
        let all = steps
        steps = []
        var next = 0
        while next < all.count {
            let column = span.column(of: all[next].from) ?? 0
            let (from, to) = span.times(ofColumn: column)
            var kept = next > 0 ? all[next - 1] : all[next]
            while next < all.count, span.column(of: all[next].from) == column {
                if goesBefore(all[next], kept) { kept = all[next] }
                next += 1
            }
            add(from, kept.values)
            if to < span.end { add(to, all[next - 1].values) }
        }
        return steps
    }

    private func gossip() -> [Lane] {
        let nodes = scenario.nodes.count
        var counts = [Int](repeating: 0, count: nodes)
        var isUp = [Bool](repeating: true, count: nodes)
        var changes: [(time: Double, values: [Int])] = []
        var totals = [Total](repeating: Total(), count: nodes)
        var rates = [Double](repeating: 0, count: span.columnCount)
        for event in history {
            switch event.kind {
            case .divergences(let node, let count): counts[node] = count
            case .process(.node(let node), let state): isUp[node] = state == .up
            case .gossipBytes(let node, let total):
                totals[node].take(total, at: event.time, into: &rates, span)
                continue
            default: continue
            }
            changes.append((event.time, (0..<nodes).map { isUp[$0] ? counts[$0] : 0 }))
        }
        let hasReports = history.contains { if case .divergences = $0.kind { true } else { false } }
        let steps = hasReports ? steps(changes) { $0.total > $1.total } : []
        let most = steps.map(\.total).max() ?? 0
        let differences = lane(
            .gossip, 0, "differences reported", .steps(steps, parts: scenario.nodes.map(\.name)),
            hasReports ? "at most \(most) at a time" : "nobody compares")
        let traffic = lane(
            .gossip, 1, "bytes sent",
            .rates(rates, unit: "B/s"), ReportText.bytes(totals.reduce(0) { $0 + $1.grown }))
        return [differences, traffic]
    }

    // MARK: Clients

    private func clients() -> [Lane] {
        let producers = scenario.clients.indices.filter {
            if case .producer = scenario.clients[$0].role { true } else { false }
        }
        let consumers = scenario.clients.indices.filter { !producers.contains($0) }
        var lanes: [Lane] = []
        for clients in split(producers) {
            let name = clients.count == 1 ? scenario.clients[clients[0]].name : "\(clients.count) producers"
            lanes.append(sends(of: Set(clients), name, order: lanes.count))
            lanes.append(latencies(of: Set(clients), name, order: lanes.count))
        }
        for clients in split(consumers) {
            let name = clients.count == 1 ? scenario.clients[clients[0]].name : "\(clients.count) consumers"
            lanes.append(reads(of: Set(clients), name, order: lanes.count))
        }
        if !scenario.clients.isEmpty { lanes.append(routes(order: lanes.count)) }
        return lanes
    }

    /// One by one while they are few.
    private func split(_ clients: [Int]) -> [[Int]] {
        if clients.isEmpty { return [] }
        return clients.count <= Self.maximumClientLanes ? clients.map { [$0] } : [clients]
    }

    private func sends(of clients: Set<Int>, _ name: String, order: Int) -> Lane {
        var categories = columns([("at once", .good), ("retried", .late), ("given up", .bad)])
        for event in history {
            guard case .send(let client, let outcome) = event.kind, clients.contains(client) else { continue }
            let category = outcome.broker == nil ? 2 : outcome.attempts > 1 ? 1 : 0
            count(event, in: &categories[category])
        }
        return lane(.clients, order, "\(name): messages", .columns(categories), Self.summary(of: categories))
    }

    private func latencies(of clients: Set<Int>, _ name: String, order: Int) -> Lane {
        var values = [[Double]](repeating: [], count: span.columnCount)
        for event in history {
            guard case .send(let client, let outcome) = event.kind, clients.contains(client), outcome.broker != nil,
                let column = span.column(of: event.time)
            else { continue }
            values[column].append(outcome.latencyMillis)
        }
        let all = Self.latency(values.flatMap { $0 })
        let summary =
            all.map { "median \(ReportText.milliseconds($0.median)), 99 % \(ReportText.milliseconds($0.high))" }
            ?? "none taken"
        return lane(.clients, order, "\(name): latency", .latencies(values.map(Self.latency)), summary)
    }

    private static func latency(_ values: [Double]) -> Lane.Latency? {
        if values.isEmpty { return nil }
        let sorted = values.sorted()
        func quantile(_ share: Double) -> Double { sorted[Int((Double(sorted.count) * share).rounded(.up)) - 1] }
        return Lane.Latency(median: quantile(0.5), high: quantile(0.99), count: sorted.count)
    }

    private func reads(of clients: Set<Int>, _ name: String, order: Int) -> Lane {
        var rates = [Double](repeating: 0, count: span.columnCount)
        // They begin with nothing when the lane does.
        var totals = Dictionary(uniqueKeysWithValues: clients.map { ($0, Total(time: span.start, value: 0)) })
        for event in history {
            guard case .received(let client, let total) = event.kind, clients.contains(client) else { continue }
            totals[client]?.take(total, at: event.time, into: &rates, span)
        }
        let total = totals.values.reduce(0) { $0 + $1.grown }
        return lane(.clients, order, "\(name): read", .rates(rates, unit: "/s"), total == 0 ? "none" : "\(total) read")
    }

    private func routes(order: Int) -> Lane {
        var categories = columns([
            ("answered", .good), ("no such topic", .bad), ("not ready", .late), ("unanswered", .odd),
        ])
        for event in history {
            guard case .route(_, let outcome) = event.kind else { continue }
            switch outcome {
            case .brokers: count(event, in: &categories[0])
            case .noRoute: count(event, in: &categories[1])
            case .notReady: count(event, in: &categories[2])
            case .unanswered: count(event, in: &categories[3])
            }
        }
        return lane(.clients, order, "route requests", .columns(categories), Self.summary(of: categories))
    }

    private func columns(_ categories: [(String, Lane.Category.Style)]) -> [Lane.Category] {
        categories.map {
            Lane.Category(title: $0.0, style: $0.1, counts: [Int](repeating: 0, count: span.columnCount))
        }
    }

    private func count(_ event: HistoryEvent, in category: inout Lane.Category) {
        if let column = span.column(of: event.time) { category.counts[column] += 1 }
    }

    /// `3 given up, 214 retried, 5843 at once`, the worst first; what did not happen is left out.
    private static func summary(of categories: [Lane.Category]) -> String {
        let parts = categories.reversed().compactMap { category -> String? in
            let total = category.counts.reduce(0, +)
            return total > 0 ? "\(total) \(category.title)" : nil
        }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }

    // MARK: Reports

    private func reports() -> Lane {
        var marks: [Lane.Mark] = []
        var totals: [Lane.Mark.Kind: Int] = [:]
        for event in history {
            let mark: Lane.Mark
            switch event.kind {
            case .divergence(let node, _, let text):
                mark = Lane.Mark(
                    time: event.time, kind: .difference, text: "\(scenario.nodes[node].name) first sees: \(text)")
            case .alarm(let node, let text):
                mark = Lane.Mark(time: event.time, kind: .warning, text: "\(scenario.nodes[node].name) warns: \(text)")
            case .note(let text): mark = Lane.Mark(time: event.time, kind: .note, text: text)
            default: continue
            }
            guard mark.time >= span.start, mark.time <= span.end else { continue }
            totals[mark.kind, default: 0] += 1
            if marks.count < Lane.Mark.maximumCount { marks.append(mark) }
        }
        var parts = Lane.Mark.Kind.allCases.compactMap { kind in
            totals[kind].map { "\($0) \(kind.rawValue)\($0 == 1 ? "" : "s")" }
        }
        if totals.values.reduce(0, +) > marks.count { parts.append("the first \(marks.count) shown") }
        return lane(
            .reports, 0, "notes and warnings", .marks(marks), parts.isEmpty ? "none" : parts.joined(separator: ", "))
    }
}

/// A number that only grows, as it was seen from time to time.
private struct Total {
    private var time: Double?
    private var value = 0
    /// How much it grew within the lanes' time.
    private(set) var grown = 0

    init() {}
    init(time: Double, value: Int) { (self.time, self.value) = (time, value) }

    /// Spreads what is new evenly over the time since it was last seen. What began again begins at zero.
    mutating func take(_ total: Int, at now: Double, into rates: inout [Double], _ span: TimeSpan) {
        let more = total >= value ? total - value : total
        defer { (time, value) = (now, total) }
        guard let time, more > 0, now > span.start, let last = span.column(of: now) else { return }
        grown += more
        let first = span.column(of: max(time, span.start)) ?? last
        let length = now - max(time, span.start)
        for column in first...last {
            let (from, to) = span.times(ofColumn: column)
            let share = length > 0 ? max(0, min(to, now) - max(from, time)) / length : 1
            rates[column] += Double(more) * share / (to - from)
        }
    }
}
