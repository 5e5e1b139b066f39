import Basics
import Remoting

extension Limits {
    /// Brokers, each on a connection of its own.
    private static let connections = 8

    /// Heartbeats beside a C server that computes the CRC-32 and answers.
    func heartbeats() throws(LoadError) -> [LimitFigure] {
        var figures: [LimitFigure] = []
        for topics in [1_000, 100] {
            let server = try startNode()
            defer { server.stop() }
            let limit = try ServerUnderTest.limit(limitServer, canned: nil, pinning: pinning)
            defer { limit.stop() }
            let settings = WorkloadSettings(fleet: Fleet(brokers: Self.connections, topics: topics))
            let plan = Workload.heartbeat.plan(settings)
            let readings = try alternation.run([Arm("node", server, plan), Arm("C", limit, plan)])
            figures += ratios("heartbeat, \(topics) topics", readings, atLeast: 0.7)
        }
        return figures
    }

    /// Lookups beside a C server that answers the same bytes.
    func lookups() throws(LoadError) -> [LimitFigure] {
        var settings = WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2))
        settings.clients = Self.connections
        let plan = Workload.hit.plan(settings)
        let server = try startNode()
        defer { server.stop() }
        let limit = try ServerUnderTest.limit(
            limitServer, canned: Self.routeBody(settings.fleet), pinning: pinning)
        defer { limit.stop() }
        var figures: [LimitFigure] = []
        for depth in [1, 16] {
            let paced = plan.paced(.closed(depth: depth))
            let readings = try alternation.run([Arm("node", server, paced), Arm("C", limit, paced)])
            figures += ratios("route of 2 brokers, depth \(depth)", readings, atLeast: 0.8)
        }
        return figures
    }

    /// What one changed topic costs.
    func changedRegistrations() throws(LoadError) -> [LimitFigure] {
        let server = try startNode()
        defer { server.stop() }
        let settings = WorkloadSettings(fleet: Fleet(brokers: Self.connections, topics: 1_000))
        let plan = Workload.changed.plan(settings)
        let reading = try alternation.run([Arm("node", server, plan)])[0].measurement
        let size = Double(plan.book.bodySize(of: plan.traffics[0].lanes[0][0]))
        let speed = Spread(reading.cpuMicroseconds.values.map { size / $0 })
        return [
            LimitFigure(
                "registration of 1,000 topics, one changed: body per CPU time", speed, "MB/s",
                detail:
                    "\(Int(size)) B, \(reading.cpuMicroseconds.median.short) µs of CPU each, \(reading.perSecond.median.short)/s\(wrongText(reading.wrong))"
            ).atLeast(500)
        ]
    }

    /// Ratios pair by pair. The one of CPU time is judged: on a machine with other work it is the steadier one, and it does not
    /// depend on how fast the generator is.
    private func ratios(
        _ name: String, _ readings: [Measured], atLeast goal: Double
    ) -> [LimitFigure] {
        let (node, limit) = (readings[0].measurement, readings[1].measurement)
        let wrong = wrongText(node.wrong + limit.wrong)
        return [
            LimitFigure(
                "\(name): CPU of plain C to ours", .ratios(limit.cpuMicroseconds, to: node.cpuMicroseconds), "ratio",
                detail:
                    "C \(limit.cpuMicroseconds.median.short) µs, node \(node.cpuMicroseconds.median.short) µs a request\(wrong)"
            ).atLeast(goal),
            LimitFigure(
                "\(name): rate of ours to plain C", .ratios(node.perSecond, to: limit.perSecond), "ratio",
                detail: "node \(node.perSecond.median.short)/s, C \(limit.perSecond.median.short)/s"),
        ]
    }

    /// The route of a fleet's topic as our node answers it.
    static func routeBody(_ fleet: Fleet) -> [UInt8] {
        var route = TopicRouteData()
        for broker in fleet.members(of: 0) {
            route.brokerDatas.append(
                BrokerData(
                    cluster: "\(fleet.label)-cluster", brokerName: fleet.name(of: broker),
                    brokerAddrs: [0: fleet.address(of: broker)]))
            route.queueDatas.append(
                QueueData(
                    brokerName: fleet.name(of: broker), readQueueNums: 8, writeQueueNums: 8, perm: 6, topicSysFlag: 0))
        }
        return route.encoded(.standard)
    }
}
