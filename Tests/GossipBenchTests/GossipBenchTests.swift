import GossipBench
import Testing

@Suite("Gossip benchmark, in small")
struct GossipBenchTests {
    @Test("an idle exchange weighs the same whatever the number of brokers")
    func idle() {
        let section = GossipBench.idleTraffic(brokers: [10, 500], seconds: 20)
        #expect(section.rows.count == 2)
        #expect(section.goals[0].value > 100 && section.goals[0].isReached, "\(section.goals[0])")
        #expect(section.goals[1].isReached, "\(section.goals[1])")
    }

    @Test("one differing broker costs nothing to find, ten little; the same seed gives the same figures")
    func differences() {
        let section = GossipBench.differences([1, 2, 10], brokers: 300, trials: 30)
        for goal in section.goals { #expect(goal.isReached, "\(goal)") }
        let again = GossipBench.differences([1, 2, 10], brokers: 300, trials: 30)
        for (goal, same) in zip(section.goals, again.goals) { #expect(goal.value == same.value) }
        // What is found is paid for: a count of nothing would reach every goal.
        #expect(section.goals[4].value > 200, "\(section.goals[4])")
    }

    @Test("three nodes know of a registration within little more than a period")
    func convergence() {
        let section = GossipBench.convergence(nodes: [3], trials: 20)
        #expect(section.rows.count == 3)
        #expect(section.goals[0].value > 0.1 && section.goals[0].value < 1.3, "\(section.goals[0])")
    }

    @Test("in a full mesh all know within little more than a period, and each peer costs the same")
    func mesh() {
        let section = GossipBench.mesh(nodes: [3, 6], seconds: 5, trials: 3)
        func value(_ row: Int, _ column: Int) -> Double {
            if case .number(let value, _) = section.rows[row][column] { value } else { .nan }
        }
        for row in [0, 1] {
            #expect(value(row, 3) > 0.1 && value(row, 3) < 1.3)
            let perLink = value(row, 5) / value(row, 1)
            #expect(perLink > 0.35 && perLink < 0.55, "KB/s of each link")
            #expect(value(row, 6) > 0)
        }
    }

    @Test("every cut link is seen, and none in a healthy cluster")
    func detection() {
        for goal in GossipBench.detection(cuts: 40).goals { #expect(goal.isReached, "\(goal)") }
        let healthy = GossipBench.falseAlarms(brokers: 20, nodes: 2, hours: 1, jitter: .seconds(3))
        for goal in healthy.goals { #expect(goal.isReached, "\(goal)") }
    }

    @Test("the arithmetic and the long turns are measured")
    func times() {
        let sketch = GossipBench.sketchCosts(brokers: 300, differences: 50, repeats: 3)
        #expect(sketch.goals.allSatisfy { $0.value > 0 })
        #expect(GossipBench.busyExchanges(brokers: 100, asks: 50, seconds: 2).goals.allSatisfy { $0.value > 0 })
        #expect(GossipBench.longestTurns(brokers: 100, differing: 20, seconds: 8).goals.allSatisfy { $0.value > 0 })
    }

    @Test("JSON quotes what must be quoted")
    func json() {
        var section = BenchSection("x", "title", columns: ["a \"b\"", "c"])
        section.add("d\\e", .tenths(1.5))
        section.goal("g", 2, atMost: 1)
        #expect(
            section.json == #"{"name":"x","rows":[{"a \"b\"":"d\\e","c":1.5}],"notes":[],"#
                + #""goals":[{"goal":"g","value":2.0,"limit":1.0,"reached":false}]}"#)
    }
}
