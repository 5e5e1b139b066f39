import ArgumentParser
import Load

/// The brokers of a run and how they speak.
struct FleetOptions: ParsableArguments {
    @Option(help: "Brokers, each with a connection of its own where brokers send; to 10,000.") var brokers: Int?
    @Option(help: "Topics of each broker; to 60,000.") var topics: Int?
    @Option(help: "Brokers that hold the same topics.") var spread: Int?
    @Option(help: "Topics that differ from one changed registration to the next: 0, 1, 1%, all.") var changed = "1"
    @Option(help: "Connections of those who look up.") var clients = 8
    @Option(help: "Other brokers, of ten topics each, that the server knows meanwhile.") var bystanders = 0
    @Flag(help: "Deflate registration bodies.") var compressed = false
    @Flag(help: "Write ROCKETMQ binary headers instead of JSON.") var binary = false
    @Option(help: "Register as a broker of 4.9 or 5.3 does.") var style = BrokerStyle.v5

    /// The settings of a workload; what was not asked for takes these defaults.
    func settings(brokers: Int, topics: Int, spread: Int) throws(LoadError) -> WorkloadSettings {
        var fleet = Fleet(
            brokers: self.brokers ?? brokers, topics: self.topics ?? topics, spread: self.spread ?? spread)
        fleet.isCompressed = compressed
        fleet.header = binary ? .binary : .json
        fleet.style = style
        try fleet.check()
        var settings = WorkloadSettings(fleet: fleet)
        settings.clients = clients
        settings.changedTopics = try changedTopics(of: fleet.topics)
        if bystanders > 0 {
            settings.bystanders = Fleet(brokers: bystanders, topics: 10, spread: 10, label: "other")
            try settings.bystanders?.check()
        }
        guard clients > 0 else { throw LoadError(.usage, "--clients \(clients): at least 1") }
        return settings
    }

    private func changedTopics(of topics: Int) throws(LoadError) -> Int {
        if changed == "all" { return topics }
        if changed.hasSuffix("%"), let percent = Double(changed.dropLast()), (0...100).contains(percent) {
            return Int((Double(topics) * percent / 100).rounded(.up))
        }
        guard let count = Int(changed), (0...topics).contains(count) else {
            throw LoadError(.usage, "--changed \(changed): a number of topics, a percentage, or all")
        }
        return count
    }
}

extension BrokerStyle: ExpressibleByArgument {}
