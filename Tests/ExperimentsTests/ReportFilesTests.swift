import Basics
import Experiments
import TestSupport
import Testing

@testable import Experiments

@Suite struct ReportFilesTests {
    private let directory = TemporaryDirectory()

    // MARK: Everything comes back

    @Test func aResultReadsBackAsItWasWritten() throws {
        let result = ReportSample.standard
        try ResultFiles.write(result, into: directory.file("deep/er"))
        #expect(try ResultFiles.read(directory.file("deep/er")) == result)
        #expect(try ResultFiles.read(directory.file("deep/er/results.json")) == result)
    }

    @Test func everyFaultClientAndBoundReadsBack() throws {
        var scenario = Scenario.sample
        let links = [Link(from: .client(0), to: .node(2)), Link(from: .node(2), to: .broker(1))]
        let parties: [Party] = [.node(0), .broker(2), .client(1)]
        let faults: [Fault] = [
            .cut(links), .delay(links, by: .milliseconds(1500), jitter: .nanoseconds(1)), .loss(links, perMille: 300),
            .duplicate(links, perMille: 1), .bandwidth(links, bytesPerSecond: 9000), .reset(links), .halfOpen([]),
            .kill(parties, keepsState: false), .kill([.node(1)], keepsState: true), .stop(parties), .powerLoss(parties),
            .pause(parties), .clockJump(parties, by: .seconds(-600)), .clockDrift(parties, perMillion: -200),
            .move(broker: 1), .unregister(broker: 2, at: [0, 2]), .strayUnregister(broker: 0, at: []),
            .createTopic(broker: 0, name: "Très \"tard\"\n"),
            .putKeyValue(namespace: "n", key: "k", value: "", at: [1]),
            .deleteKeyValue(namespace: "n", key: "k", at: [1, 2]), .wipeWritePermission(group: "broker-b", at: [0]),
            .diskFull([0, 1]),
        ]
        scenario.faults = faults.enumerated().map { index, fault in
            PlannedFault(
                number: index / 2 + 1, start: .milliseconds(index), end: index % 3 == 0 ? nil : .seconds(index + 1),
                fault: fault, text: "fault \(index)")
        }
        scenario.clients = [
            .init(name: "producer-1", role: .producer(rate: 0.1, avoidsFaults: false), topic: "Orders"),
            .init(name: "consumer-1", role: .consumer(readsFromSlaves: false), topic: "Orders"),
        ]
        scenario.checks = [
            Check(figure: .zombies, arms: [.off, .apache], bound: .atMost(1.25), text: "a"),
            Check(figure: .alarms, arms: [.observe], bound: .atLeast(1), text: "b"),
            Check(figure: .routeGap, arms: [.protect], bound: .atMostOf(.off, factor: 0.5), text: "c"),
        ]
        scenario.gossipSettings = [.init(key: "period", value: "1s"), .init(key: "deep", value: "{a: 1}")]
        scenario.nodeProperties = [.init(key: "scanNotActiveBrokerInterval", value: "5000")]
        let result = ExperimentResult(
            scenario: scenario, driver: .simulated, seed: .max, startedAt: "", environment: [],
            arms: [ArmResult(arm: .apache, history: [], figures: [:])],
            verdicts: [Verdict(check: 2, arm: .protect, value: nil, held: false)])
        try ResultFiles.write(result, into: directory.path)
        #expect(try ResultFiles.read(directory.path) == result)
    }

    @Test func everyEventReadsBackFromALine() throws {
        var scenario = Scenario.sample
        scenario.faults += scenario.faults
        let lines = HistoryLine(PartyNames(scenario))
        let kinds: [HistoryEvent.Kind] = [
            .faultBegan(0), .faultBegan(1), .faultEnded(1), .ended, .process(.node(2), .paused),
            .process(.client(1), .down), .process(.broker(1), .up), .sight(node: 1, broker: 2, .learned),
            .topics(node: 0, count: 0), .divergences(node: 2, count: 3),
            .divergence(node: 1, kind: "lateHere", text: "a \"b\" \\ \u{1}\u{7F}\n\t é 😀"), .alarm(node: 0, text: ""),
            .gossipBytes(node: 1, total: .max), .route(client: 1, .brokers([0, 2])), .route(client: 1, .brokers([])),
            .route(client: 0, .noRoute), .route(client: 0, .notReady), .route(client: 0, .unanswered),
            .send(client: 0, .init(broker: 1, attempts: 2, latencyMillis: 0.1)),
            .send(client: 0, .init(broker: nil, attempts: 0, latencyMillis: 1e-9, failure: "no route")),
            .received(client: 1, total: 12), .note("x"),
        ]
        for (index, kind) in kinds.enumerated() {
            let event = HistoryEvent(time: Double(index) / 3 - 1, kind)
            let text = lines.node(of: event).compact
            #expect(!text.contains("\n"))
            let bytes = Array(text.utf8)
            #expect(try lines.event(of: try JSONReader.read(bytes, in: 0..<bytes.count)) == event)
        }
    }

    // MARK: What people find in the files

    @Test func aLineOfHistoryNamesEverybody() {
        var scenario = Scenario.sample
        scenario.faults += scenario.faults
        let lines = HistoryLine(PartyNames(scenario))
        func text(_ time: Double, _ kind: HistoryEvent.Kind) -> String {
            lines.node(of: HistoryEvent(time: time, kind)).compact
        }
        #expect(text(60, .faultBegan(1)) == #"{"time": 60, "event": "faultBegan", "fault": "1/2"}"#)
        #expect(
            text(61.25, .sight(node: 1, broker: 1, .absent))
                == #"{"time": 61.25, "event": "sight", "node": "ns-2", "broker": "broker-a:1", "sight": "absent"}"#)
        #expect(
            text(2, .send(client: 0, .init(broker: nil, attempts: 3, latencyMillis: 9000.5, failure: "timeout")))
                == #"{"time": 2, "event": "send", "client": "producer-1", "broker": null, "attempts": 3, "#
                + #""latencyMillis": 9000.5, "failure": "timeout"}"#)
    }

    @Test func resultsCanBeReadByAnyJSONReader() throws {
        let result = ReportSample.standard
        try ResultFiles.write(result, into: directory.path)
        let read = try JSONMeaning(try #require(text(of: directory.file("results.json"))))
        #expect(read["format"]?.integer == 1)
        #expect(read["held"] == .boolean(false))
        let arms = read["arms"]?.elements ?? []
        #expect(arms.map { $0["arm"]?.text } == ["off", "observe", "protect", "replicate"])
        #expect(arms[0]["figures"]?["falseEvictions"]?.text == "182.25")
        #expect(arms[0]["figures"]?["timeToNotice"] == .null)
        #expect(read["verdicts"]?.elements.first?["text"]?.text == "falseEvictions: 0 in protect, replicate")
        for arm in result.arms {
            let lines = try #require(text(of: directory.file("history-\(arm.arm.rawValue).jsonl"))).split(
                separator: "\n")
            #expect(lines.count == arm.history.count)
            for line in lines { _ = try JSONMeaning(String(line)) }
        }
    }

    @Test func anEarlierResultLeavesNothingBehind() throws {
        try ResultFiles.write(ReportSample.standard, into: directory.path)
        var second = ReportSample.standard
        second.arms.removeLast()
        try ResultFiles.write(second, into: directory.path)
        #expect(text(of: directory.file("history-replicate.jsonl")) == nil)
        #expect(try ResultFiles.read(directory.path) == second)
    }

    // MARK: Wrong input

    /// What reading says after `old` became `new` in the first place where a file has it, and the line of that place.
    private func complaint(_ file: String, _ old: String, _ new: String) throws -> (text: String, line: Int) {
        var result = ReportSample.standard
        result.arms = result.arms.prefix(2).map { arm in
            var arm = arm
            arm.history.removeAll { if case .send(_, let outcome) = $0.kind { outcome.attempts == 1 } else { false } }
            return arm
        }
        try ResultFiles.write(result, into: directory.path)
        let whole = try #require(text(of: directory.file(file)))
        let parts = whole.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2, "\(file) has no \(old)")
        try directory.write(parts[0] + new + parts[1], to: file)
        let line = parts[0].split(separator: "\n", omittingEmptySubsequences: false).count
        do {
            _ = try ResultFiles.read(directory.path)
            return ("read", line)
        } catch {
            return (error.description, line)
        }
    }

    @Test(arguments: [
        (#""format": 1"#, #""format": 2"#, "format 2; this program reads format 1"),
        (#""held": false"#, #""held": false false"#, "'f' where a comma or } should be"),
        (#""driver": "live""#, #""driver": "dead""#, "\"dead\" is no driver"),
        (#""seed": 7"#, #""seed": -7"#, "a whole number from 0 to 18446744073709551615 should be here"),
        (#""seed": 7"#, #""seed": 07"#, "'7' where a comma or } should be"),
        (#""falseEvictions": 182.25"#, #""falseEviction": 182.25"#, "no figure is called \"falseEviction\""),
        (#""falseEvictions": 182.25"#, #""falseEvictions": 1e999"#, "a number should be here"),
        (#""falseEvictions": 182.25"#, #""falseEvictions": "much""#, "a number should be here"),
        (#"{"from": "broker-a:0""#, #"{"from": "broker-x:0""#, "nobody is called \"broker-x:0\""),
        (#""kind": "cut""#, #""kind": "cot""#, "no fault is called \"cot\""),
        ("\"arm\": \"observe\",\n", "\"arm\": \"off\",\n", "the arm off is there twice"),
        (#""timeScale": 10"#, #""timeScale": 0"#, "a whole number from 1 to 9223372036854775807 should be here"),
        (#""startedAt""#, #""startedAtt""#, "\"startedAt\" is missing"),
        (#""startedAt""#, #""seed""#, "the key \"seed\" is there twice"),
        (#"hearsay 0.3.0"#, #"hearsay \ud800"#, "'\"' where the other half of a surrogate pair should be"),
        (#"hearsay 0.3.0"#, "hearsay\n0.3.0", "a string holds a control character; it must be escaped"),
        (#""environment": ["#, #""environment": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["#, "nested more than 32 deep"),
    ])
    func resultsThatAreWrongNameFileAndLine(old: String, new: String, reason: String) throws {
        let (text, line) = try complaint("results.json", old, new)
        let expected = "\(directory.path)/results.json:"
        #expect(text.hasPrefix(expected) && text.hasSuffix(": \(reason)"), "\(text)")
        let told = text.dropFirst(expected.count).prefix { $0 != ":" }
        // A missing key is told at its object, which begins before.
        if reason.hasSuffix("is missing") { #expect(told == "1") } else { #expect(Int(told) == line) }
    }

    @Test(arguments: [
        (#""sight": "absent""#, #""sight": "gone""#, "\"gone\" is no way to see a broker"),
        (#""fault": "1""#, #""fault": "9""#, "no fault is called \"9\""),
        (#""node": "ns-2""#, #""node": "producer-1""#, "\"producer-1\" is no node"),
        (#""client": "producer-2""#, #""client": "ns-1""#, "\"ns-1\" is no client"),
        (#""event": "route""#, #""event": "root""#, "no event is called \"root\""),
        (#""answer": "unanswered""#, #""answer": "none""#, "\"none\" is no answer to a route request"),
        (#""attempts": 2"#, #""attempts": -2"#, "a whole number from 0 to 9223372036854775807 should be here"),
        (#""attempts": 2"#, #""attempts": 2.5"#, "a whole number from 0 to 9223372036854775807 should be here"),
        (#"{"time": 60, "#, #"{"time": 60, "time": 61, "#, "the key \"time\" is there twice"),
        (#"{"time": 60, "#, "\n{\"time\": 60, ", "the text ends where a value should be"),
        (#"{"time": 60, "#, #""time": 60, "#, "there is more after the end of the value"),
    ])
    func historiesThatAreWrongNameFileAndLine(old: String, new: String, reason: String) throws {
        let (text, line) = try complaint("history-off.jsonl", old, new)
        #expect(text == "\(directory.path)/history-off.jsonl:\(line): \(reason)")
    }

    @Test func aHistoryThatWasCutShortIsNotTakenForAWholeOne() throws {
        try ResultFiles.write(ReportSample.standard, into: directory.path)
        let whole = try #require(text(of: directory.file("history-off.jsonl")))
        let lines = whole.split(separator: "\n")
        try directory.write(lines.dropLast().joined(separator: "\n"), to: "history-off.jsonl")
        let error = #expect(throws: ExperimentError.self) { try ResultFiles.read(directory.path) }
        #expect(
            error?.description == "\(directory.path)/history-off.jsonl:\(lines.count): \(lines.count - 1) events, "
                + "but results.json says \(lines.count)")
    }

    @Test func whatCannotBeReadOrWrittenIsTold() throws {
        let missing = #expect(throws: ExperimentError.self) { try ResultFiles.read(directory.file("none")) }
        #expect(missing?.description == "cannot open \(directory.path)/none/results.json: No such file or directory")
        let file = try directory.write("", to: "file")
        let refused = #expect(throws: ExperimentError.self) { try ResultFiles.write(ReportSample.standard, into: file) }
        #expect(refused?.description.hasPrefix("cannot make the directory \(file): ") == true)
        try directory.write(String(repeating: " ", count: ResultFiles.maximumResultBytes + 1), to: "results.json")
        let large = #expect(throws: ExperimentError.self) { try ResultFiles.read(directory.path) }
        #expect(large?.description == "\(directory.path)/results.json is larger than 16777216 bytes")
    }
}
