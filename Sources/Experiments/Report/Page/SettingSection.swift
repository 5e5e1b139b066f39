/// What was run, in words: enough to judge the result by and to run it again.
struct SettingSection {
    let result: ExperimentResult

    var html: HTML {
        let scenario = result.scenario
        var entries: [(String, String)] = [
            ("nodes", scenario.nodes.map(\.name).joined(separator: ", ")),
            ("brokers", scenario.replicas.map(\.name).joined(separator: ", ")),
            (
                "topics",
                scenario.topics.map { "\($0.name) (\($0.queues) queues in \($0.groups.joined(separator: ", ")))" }
                    .joined(separator: ", ")
            ),
            ("clients", scenario.clients.map(Self.words).joined(separator: "; ")),
            ("rhythm", Self.rhythm(scenario)),
        ]
        for (title, settings) in [("gossip", scenario.gossipSettings), ("node properties", scenario.nodeProperties)] {
            entries.append((title, Self.text(settings)))
        }
        entries.append(("machine", result.environment.joined(separator: "; ")))
        let rows = entries.filter { !$0.1.isEmpty }.map { title, text -> HTML in "<dt>\(title)</dt><dd>\(text)</dd>\n" }
        return "<h2>Setting</h2>\n<dl class=\"setting\">\n\(rows)</dl>\n"
    }

    static func rhythm(_ scenario: Scenario) -> String {
        let timings = scenario.timings
        return "heartbeat \(text(timings.heartbeat)), scan \(text(timings.scan)), expiry \(text(timings.expiry)), "
            + "route poll \(text(timings.routePoll)), gossip \(text(timings.gossipPeriod))"
    }

    static func text(_ settings: [Scenario.Setting]) -> String {
        settings.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    static func words(_ client: Scenario.Client) -> String {
        switch client.role {
        case .producer(let rate, let avoidsFaults):
            "\(client.name) sends \(ReportText.number(rate))/s to \(client.topic)"
                + (avoidsFaults ? ", avoiding faults" : "")
        case .consumer(let readsFromSlaves):
            "\(client.name) reads \(client.topic)" + (readsFromSlaves ? ", from slaves too" : "")
        }
    }

    static func text(_ duration: Duration) -> String { ReportText.seconds(duration / .seconds(1)) }

    /// How and when, in a line.
    static func facts(_ result: ExperimentResult) -> String {
        var parts: [String] = []
        switch result.driver {
        case .live: parts.append("real processes, \(result.scenario.timeScale) times faster than written")
        case .netns:
            parts.append(
                "real processes in network namespaces, \(result.scenario.timeScale) times faster than written")
        case .simulated: parts.append("simulated, in virtual time")
        }
        parts.append("\(text(result.scenario.duration)) of scenario time")
        parts.append("seed \(result.seed)")
        if !result.startedAt.isEmpty { parts.append(result.startedAt) }
        return parts.joined(separator: " · ")
    }
}
