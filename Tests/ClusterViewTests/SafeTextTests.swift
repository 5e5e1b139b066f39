import Basics
import Testing

@testable import ClusterView

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("broker-a 集群", "broker-a 集群"), ("\u{1B}[31mred\u{1B}[0m", "\u{1B}[31mred\u{1B}[0m"),
        ("a\nb\rc\td", "a\u{FFFD}b\u{FFFD}c\u{FFFD}d"), ("\u{1B}[2J", "\u{FFFD}[2J"),
        ("\u{1B}]0;x\u{7}", "\u{FFFD}]0;x\u{FFFD}"), ("\u{9B}31m", "\u{FFFD}31m"), ("\u{202E}abc", "\u{FFFD}abc"),
        ("\u{1B}", "\u{FFFD}"), ("\u{1B}[3", "\u{FFFD}[3"), ("\u{1B}[38m", "\u{FFFD}[38m"),
        ("\r\n", "\u{FFFD}\u{FFFD}"),
    ])
    func lines(_ line: String, _ printed: String) { #expect(printable(line) == printed) }

    @Test(arguments: [
        ("orders", "orders"), ("10.0.0.1:9876;10.0.0.2:9876", "'10.0.0.1:9876;10.0.0.2:9876'"), ("", "''"),
        ("a'; rm -rf ~ '", "'a'\\''; rm -rf ~ '\\'''"), ("$(x)", "'$(x)'"), ("%RETRY%g", "%RETRY%g"),
    ])
    func words(_ text: String, _ word: String) { #expect(shellWord(text) == word) }

    /// A hostile name in every place that is printed.
    @Test func aHostileNameStaysOnItsLine() {
        let name = "evil\n\u{1B}[2J"
        let nodes = [ours(1, [broker(name, 0, age: 1, address: "h\n:1")]), ours(2, [])]
        var cluster = ClusterModel(cluster: "c", readings: nodes)
        cluster.add([.init(time: WallTime(milliseconds: 0), line: name)])
        let report = DifferenceReport(
            nodes: [.init(name: "ns-1", address: "h:1")], comparedBrokers: 1, comparedTopics: 0,
            differences: ClusterComparison.differences(nodes), notes: [name])
        let lines =
            LiveScreen(width: 200, height: 40, colour: true).lines(cluster)
            + ClusterStatus(cluster: "c", nodes).lines(colour: true)
            + BrokerExplanation(name, nodes).lines(colour: true)
            + DifferenceTable(width: 100, colour: true).lines(report)
        #expect(lines.count { $0.contains("evil") } >= 8)
        for line in lines { #expect(!line.contains("\n") && !line.contains("\u{1B}[2J"), "\(line.debugDescription)") }
    }
}
