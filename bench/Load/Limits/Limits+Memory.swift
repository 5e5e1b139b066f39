import Basics

extension Limits {
    /// Every storm needs a cold server.
    private var stormRounds: Int { min(rounds, 5) }

    /// 300 brokers of 10,000 topics register with a cold node: once with the same topics on all brokers, once with sets of ten.
    func storms() throws(LoadError) -> [LimitFigure] {
        let (brokers, topics) = (scaled(300), scaled(10_000))
        let shared = try storm(
            Fleet(brokers: brokers, topics: topics, spread: brokers), "all brokers with the same topics")
        return try shared
            + storm(Fleet(brokers: brokers, topics: topics, spread: min(10, brokers)), "ten brokers a topic")
    }

    private func storm(_ fleet: Fleet, _ title: String) throws(LoadError) -> [LimitFigure] {
        var readings: [Storm.Reading] = []
        for _ in 0..<stormRounds {
            let server = try startNode()
            defer { server.stop() }
            readings.append(try Storm(fleet).run(server))
        }
        return Storm.figures(fleet, readings, title: ", \(title)")
    }

    /// As many idle connections as one process may have, and lookups meanwhile.
    func idleConnections() throws(LoadError) -> [LimitFigure] {
        let count = min(scaled(19_000), IdleConnections.limit)
        var readings: [IdleConnections.Reading] = []
        for _ in 0..<min(rounds, 3) {
            let server = try startNode()
            defer { server.stop() }
            readings.append(try IdleConnections(count: count).run(server))
        }
        return readings.figures
    }

    /// From the start of the process to the first answer.
    func starts() throws(LoadError) -> [LimitFigure] {
        var times = Spread([])
        for _ in 0..<rounds * 3 {
            let server = try startNode()
            times.values.append(server.startMilliseconds ?? .nan)
            server.stop()
        }
        return [LimitFigure("start to first answer", times, "ms").atMost(20)]
    }
}
