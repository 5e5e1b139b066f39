// Before an arm begins: ports, links, files. And how each process is started, now and after a fault.

import Basics
import Glibc
import Platform

extension LiveRun {
    /// Finds places for everybody, makes the links, writes the files.
    func prepare() throws(ExperimentError) {
        try WorkDirectory.make(cluster.directory)
        cluster.places = try ground.open()
        cluster.advertised = cluster.brokers
        do {
            try makeLinks()
        } catch {
            throw ExperimentError(error.description)
        }
        try writeFiles()
    }

    private func makeLinks() throws(PlatformError) {
        let callers = scenario.replicas.indices.map(Party.broker) + scenario.clients.indices.map(Party.client)
        for node in scenario.nodes.indices {
            for caller in callers { try links.add(caller, to: .node(node), at: cluster.nodes[node]) }
            for other in scenario.nodes.indices where other != node {
                try links.add(.node(other), to: .node(node), at: cluster.places.gossip[node])
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
            let text = cluster.text(for: reader) {
                links.address(.node($0), to: .node($1)) ?? cluster.places.gossip[$1]
            }
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
            cluster.places.brokers[broker] = try ground.anotherPlace(ofBroker: broker)
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
        let (program, all) = ground.command(
            party, tricks.isEmpty ? executable : "/usr/bin/env",
            tricks.isEmpty ? arguments : tricks + [executable] + arguments)
        try processes.start(
            party, name: name, executable: program, arguments: all, output: "\(cluster.directory)/\(name)")
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
