/// What the page's script needs to say a lane's value at a time.
struct LaneData {
    let span: TimeSpan

    /// The whole timeline: the axis, each arm's faults, and the lanes in the order of the page.
    func node(_ lanes: [Lane], faults: [(arm: Arm, windows: FaultWindows)], of scenario: Scenario) -> JSONNode {
        let names = PartyNames(scenario).faultNames
        return [
            "start": .number(span.start), "end": .number(span.end), "column": .number(span.columnWidth),
            "states": .strings(LaneState.allCases.map(\.title)),
            "faults": JSONNode(
                .object(
                    faults.map { arm, windows in
                        .init(
                            key: arm.rawValue,
                            value: .array(
                                windows.windows.map { window in
                                    .array([
                                        .number(window.from), .number(window.to),
                                        .string("\(names[window.fault]): \(scenario.faults[window.fault].text)"),
                                    ])
                                }))
                    })),
            "lanes": .array(lanes.map(node(of:))),
        ]
    }

    private func node(of lane: Lane) -> JSONNode {
        switch lane.content {
        case .states(let spans, let shadow):
            ["kind": "states", "spans": .array(spans.map(node(of:))), "broker": .array(shadow.map(node(of:)))]
        case .steps(let steps, let parts):
            [
                "kind": "steps", "parts": .strings(parts),
                "steps": .array(
                    steps.map { .array([.number($0.from), .array($0.values.map { .integer($0) })]) }),
            ]
        case .rates(let rates, let unit):
            ["kind": "rates", "unit": .string(unit), "rates": .array(rates.map { .number(Self.short($0)) })]
        case .columns(let categories):
            [
                "kind": "columns", "names": .strings(categories.map(\.title)),
                "counts": .array(categories.map { .array($0.counts.map { .integer($0) }) }),
            ]
        case .latencies(let columns):
            [
                "kind": "latencies",
                "columns": .array(
                    columns.map { latency in
                        latency.map {
                            .array([.number(Self.short($0.median)), .number(Self.short($0.high)), .integer($0.count)])
                        } ?? .null
                    }),
            ]
        case .marks(let marks):
            ["kind": "marks", "marks": .array(marks.map { .array([.number($0.time), .string($0.text)]) })]
        }
    }

    private func node(of span: StateSpan) -> JSONNode {
        .array([.number(span.from), .number(span.to), .integer(LaneState.allCases.firstIndex(of: span.state)!)])
    }

    /// Three places: more are never shown.
    private static func short(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
