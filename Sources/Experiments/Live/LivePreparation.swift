// Before an arm begins: ports, links, files. And how each process is started, now and after a fault.

import Basics
import Glibc
import Platform

extension LiveRun {
    /// Finds places for everybody, makes the links, writes the files.
    func prepare() throws(ExperimentError) {
        try WorkDirectory.make(cluster.directory)
        let (nodes, gossip) = (try reserve(scenario.nodes.count), try reserve(scenario.nodes.count))
        let brokers = try reserve(scenario.replicas.count)
        cluster = LiveCluster(
            scenario: scenario, arm: arm, directory: cluster.directory, nodes: nodes, gossip: gossip, brokers: brokers,
            advertised: brokers, seed: cluster.seed)
        do {
            try makeLinks()
        } catch {
            throw ExperimentError(error.description)
        }
        try writeFiles()
    }

    private func reserve(_ count: Int) throws(ExperimentError) -> [Address] {
        var addresses: [Address] = []
        for _ in 0..<count {
            let port = try ReservedPort()
            ports.append(port)
            addresses.append(port.address)
        }
        return addresses
    }

    private func makeLinks() throws(PlatformError) {
        let callers = scenario.replicas.indices.map(Party.broker) + scenario.clients.indices.map(Party.client)
        for node in scenario.nodes.indices {
            for caller in callers { try links.add(caller, to: .node(node), at: cluster.nodes[node]) }
            for other in scenario.nodes.indices where other != node {
                try links.add(.node(other), to: .node(node), at: cluster.gossip[node])
            }
        }
        for broker in scenario.replicas.indices { try makeLinks(toBroker: broker) }
    }

    /// A client's link to a broker and, since a slave dials what its master registers, the master's front.
    private func makeLinks(toBroker broker: Int) throws(PlatformError) {
        let address = cluster.brokers[broker]
        for client in scenario.clients.indices { try links.add(.client(client), to: .broker(broker), at: address) }
        cluster.advertised[broker] = address
        guard let slave = scenario.onlySlave(ofMaster: broker) else { return }
        cluster.advertised[broker] = try links.add(.broker(slave), to: .broker(broker), at: address)
    }

    private func writeFiles() throws(ExperimentError) {
        let readers = scenario.nodes.indices.map(Optional.some) + [nil]
        for reader in readers {
            let text = cluster.text(for: reader) { links.address(.node($0), to: .node($1)) ?? cluster.gossip[$1] }
            try WorkDirectory.write(text, to: cluster.fileName(for: reader))
        }
        guard arm == .apache else { return }
        for (index, node) in scenario.nodes.enumerated() {
            try WorkDirectory.make(cluster.dataDirectory(of: index))
            try WorkDirectory.write(cluster.apacheProperties(index), to: "\(cluster.directory)/\(node.name).properties")
        }
    }

    /// The broker's next life is at another address.
    func moveBroker(_ broker: Int) {
        do {
            let port = try ReservedPort()
            ports.append(port)
            cluster.brokers[broker] = port.address
            try makeLinks(toBroker: broker)
        } catch {
            fail("\(error)")
        }
    }

    // MARK: Processes

    /// Starts a node's or a broker's process, or a client.
    func start(_ party: Party) throws(PlatformError) {
        switch party {
        case .client(let client): clients[client].start()
        case .broker(let broker):
            let nameServers = scenario.nodes.indices.map { links.address(party, to: .node($0)) ?? cluster.nodes[$0] }
            try launch(party, setting.executable, cluster.brokerArguments(broker, nameServers: nameServers))
        case .node(let node):
            if arm == .apache, let command = setting.apacheCommand {
                try launch(party, "/bin/sh", ["-c", "exec \(cluster.apacheCommand(node, command))"])
            } else {
                try launch(party, setting.executable, cluster.nodeArguments(node))
            }
            if isDiskFull(node) { setDisks(of: [node], full: true) }
        }
    }

    private func launch(_ party: Party, _ executable: String, _ arguments: [String]) throws(PlatformError) {
        let name = scenario.name(of: party)
        let tricks = environment(of: party)
        try processes.start(
            party, name: name, executable: tricks.isEmpty ? executable : "/usr/bin/env",
            arguments: tricks.isEmpty ? arguments : tricks + [executable] + arguments,
            output: "\(cluster.directory)/\(name)")
    }

    /// What `env` is told for those to whom something happens that needs it.
    private func environment(of party: Party) -> [String] {
        var options: [String] = []
        var assignments: [String] = []
        for planned in scenario.faults {
            switch planned.fault {
            case .diskFull(let nodes) where nodes.map(Party.node).contains(party):
                options = [DiskLimit.environmentOption]
            case .clockJump(let parties, _) where parties.contains(party):
                guard let library = FakeTime.library else { continue }
                assignments = FakeTime.environment(library, file: clockFile(of: party))
                setClock(of: party)
            default: break
            }
        }
        return options + assignments
    }

    private func clockFile(of party: Party) -> String { "\(cluster.directory)/\(scenario.name(of: party)).clock" }

    /// Makes the party's wall clock as wrong as `clocks` says.
    func setClock(of party: Party) {
        do {
            try WorkDirectory.write(FakeTime.content(clocks[party] ?? .zero), to: clockFile(of: party))
        } catch {
            record(.note("\(error)"))
        }
    }
}

extension Scenario {
    /// The one who copies a master's messages; nil when the replica is no master, or has no slave or several.
    func onlySlave(ofMaster broker: Int) -> Int? {
        guard replicas[broker].id == 0 else { return nil }
        let slaves = replicas.indices.filter { replicas[$0].group == replicas[broker].group && replicas[$0].id != 0 }
        return slaves.count == 1 ? slaves[0] : nil
    }
}
