import Basics
import Testing

@testable import Experiments

/// The section `checks`.
@Suite struct ScenarioCheckTests {
    private static let gossiping: [Arm] = [.observe, .protect, .replicate]
    private static let all = [.off] + gossiping

    @Test(
        arguments: [
            ("falseEvictions: 0", Figure.falseEvictions, Check.Bound.atMost(0), all, "False evictions ≤ 0 broker·s"),
            ("falseEvictions: 2m", .falseEvictions, .atMost(120), all, "False evictions ≤ 120 broker·s"),
            ("zombies: at most 3", .zombies, .atMost(3), all, "Zombies ≤ 3 broker·s"),
            ("sendsFailed: at least 10, in: [off]", .sendsFailed, .atLeast(10), [.off], "Sends failed ≥ 10"),
            (
                "sendsFailed: at most 50% of off, in: [protect]", .sendsFailed, .atMostOf(.off, factor: 0.5),
                [.protect],
                "Sends failed ≤ 50.00 % of off"
            ),
            ("sendFailureRate: 2.5%", .sendFailureRate, .atMost(2.5), all, "Failure rate ≤ 2.50 %"),
            ("sendLatencyP99: 1s", .sendLatencyP99, .atMost(1_000), all, "Send latency, 99th percentile ≤ 1000 ms"),
            ("gossipBytes: 1MiB", .gossipBytes, .atMost(1_048_576), all, "Gossip traffic ≤ 1.0 MB"),
            // Without `in`, the arms that have the figure.
            ("timeToNotice: 40s", .timeToNotice, .atMost(40), gossiping, "Time to notice ≤ 40 s"),
            ("alarms: 3", .alarms, .atMost(3), gossiping, "Alarms ≤ 3"),
        ] as [(String, Figure, Check.Bound, [Arm], String)])
    func bounds(entry: String, figure: Figure, bound: Check.Bound, arms: [Arm], text: String) throws {
        let scenario = try ScenarioText.read(ScenarioText.minimal + "\nchecks:\n  - {\(entry)}\n")
        #expect(scenario.checks == [Check(figure: figure, arms: arms, bound: bound, text: text)])
    }

    @Test(arguments: [
        ("{falseEviction: 0}", "unknown key 'falseEviction' in checks; did you mean 'falseEvictions'?"),
        ("{in: [off]}", "what is checked is missing; one of timeToNotice, falseEvictions"),
        ("{zombies: 0, alarms: 0}", "zombies and alarms in one entry; begin another entry (- …)"),
        ("{zombies: none}", "checks.zombies: 'none' is no bound; write a number of seconds or a duration"),
        ("{zombies: -1}", "checks.zombies: '-1' is no bound"),
        ("{sendsFailed: 3s}", "checks.sendsFailed: '3s' is no bound; write a number: 0, 10, at least 1"),
        ("{sendsFailed: 50% of offf}", "names no arm of this file; did you mean 'off'?"),
        ("{sendsFailed: 50 of off}", "is no share of another arm; write, as in at most 50% of off"),
        ("{sendsFailed: at least 50% of off}", "is no share of another arm"),
        ("{zombies: 0, in: [apache]}", "checks.in: 'apache' is none of this file's arms"),
        ("{divergence: 0, in: [off]}", "checks.in: 'off' has no divergence: its nodes do not compare"),
    ])
    func wrongEntries(entry: String, message: String) {
        let faults = ScenarioText.faults(ScenarioText.minimal + "\nchecks:\n  - \(entry)\n")
        #expect(faults.count == 1 && faults[0].hasPrefix("s.yaml:11: ") && faults[0].contains(message), "\(faults)")
    }

    @Test(arguments: [
        ("wrongAnswers: 0", "checks.wrongAnswers: is about clients; this file has no clients"),
        ("sendsFailed: 0", "checks.sendsFailed: is about clients; this file has no clients.producers"),
        ("unread: 0", "checks.unread: is about clients; this file has no clients.producers and clients.consumers"),
    ])
    func checksOfClientsThatAreNotThere(entry: String, message: String) {
        let text = "name: a\ntitle: b\nbrokers: [{group: broker-a}]\ntopics: [{name: T}]\nchecks: [{\(entry)}]\n"
        #expect(ScenarioText.faults(text) == ["s.yaml:5: \(message)"])
    }

    @Test func noArmThatComparesIsAFault() {
        let text = ScenarioText.minimal + "\narms: [off]\nchecks:\n  - alarms: 0\n"
        #expect(
            ScenarioText.faults(text)
                == ["s.yaml:12: checks.alarms: no arm of this file gossips, and no other has this figure"])
    }
}
