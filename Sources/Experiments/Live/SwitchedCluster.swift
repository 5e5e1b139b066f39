import Basics
import ClusterConfiguration
import ClusterPage
import EventLoop
import Glibc
import Platform
import Supervisor

/// All nodes and brokers of a cluster.yaml as processes of this machine, with a proxy on every link from a broker to a node and
/// between two nodes: links can be cut and healed, processes paused, killed and started again, without privileges.
///
/// Who runs and which links are cut is told by `positions`; the parts are the live experiments' own. Clients and real brokers
/// dial the nodes themselves: no proxy stands before a port that cluster.yaml names.
public final class SwitchedCluster: PageSwitches {
    /// Called with a sentence when something happened that nobody asked for.
    public var onTrouble: ((String) -> Void)?
    /// Called with each change that was carried out by hand.
    public var onSwitched: ((PageSwitch) -> Void)?
    /// Called after every change of `positions`.
    public var onChange: (() -> Void)?

    private let setting: Setting
    private let supervisor: Supervisor
    private let processes: LiveProcesses
    private let links: LiveLinks
    private let names: [(party: Party, name: String)]
    private var states: [Party: SwitchPositions.Party.State] = [:]
    private var cuts: [Link] = []
    /// Every direction that can be cut.
    private var directions: [Link] = []

    /// What is run, and how.
    public struct Setting {
        /// The path of `hearsay`.
        public var executable: String
        /// The path of the cluster.yaml.
        public var file: String
        /// What it says.
        public var cluster: ClusterConfiguration
        /// The directory for the outputs of the processes; exists.
        public var logs: String
        /// Whether there are proxies.
        public var hasLinks: Bool

        /// Puts the parts together.
        public init(executable: String, file: String, cluster: ClusterConfiguration, logs: String, hasLinks: Bool) {
            (self.executable, self.file, self.cluster) = (executable, file, cluster)
            (self.logs, self.hasLinks) = (logs, hasLinks)
        }
    }

    /// Makes the links; nothing is started. `childEnded` must be wired to SIGCHLD by the owner.
    public init(platform: any Platform, setting: Setting) throws(PlatformError) {
        self.setting = setting
        supervisor = Supervisor(platform: platform)
        processes = LiveProcesses(supervisor)
        // Nothing is left to chance on links that only work or do not.
        links = LiveLinks(OwnMachine(platform), timeScale: 1, seed: 0)
        let nodes = setting.cluster.nodes.enumerated().map { (Party.node($0), $1.name) }
        names = nodes + Self.replicas(setting.cluster).enumerated().map { (Party.broker($0), "\($1.group):\($1.id)") }
        for (party, _) in names { states[party] = .down }
        if setting.hasLinks { try makeLinks() }
        processes.onState = { [weak self] in self?.changed($0, $1) }
        processes.onSurprise = { [weak self] in self?.surprised($0, $1) }
    }

    private static func replicas(_ cluster: ClusterConfiguration) -> [(group: String, id: Int64)] {
        cluster.brokers.flatMap { group in group.replicas.map { (group.name, Int64($0.id)) } }
    }

    private func makeLinks() throws(PlatformError) {
        for (index, node) in setting.cluster.nodes.enumerated() {
            for (party, _) in names where party.isBroker {
                try links.add(party, to: .node(index), at: node.listen)
                let link = Link(from: party, to: .node(index))
                directions += [link, link.reversed]
            }
            guard node.gossipMode != .off else { continue }
            // Each dials the other, so that each direction comes once.
            for (other, caller) in setting.cluster.nodes.enumerated() where other != index && caller.gossipMode != .off
            {
                try links.add(.node(other), to: .node(index), at: node.gossip)
                directions.append(Link(from: .node(other), to: .node(index)))
            }
        }
    }

    // MARK: Processes

    /// Processes that run now.
    public var runningCount: Int { supervisor.children.count { $0.ending == nil } }

    /// Starts all nodes.
    public func startNodes() throws(PlatformError) {
        for (party, _) in names where !party.isBroker { try start(party) }
    }

    /// Starts all brokers.
    public func startBrokers() throws(PlatformError) {
        for (party, _) in names where party.isBroker { try start(party) }
    }

    /// A child may have ended.
    public func childEnded() { supervisor.childEnded() }

    /// Ends everything; what does not end within `grace` is killed.
    public func stop(grace: Duration, completion: @escaping () -> Void) {
        onChange = nil
        processes.stop(grace: grace) { [links] in
            links.close()
            completion()
        }
    }

    private func start(_ party: Party) throws(PlatformError) {
        try processes.start(
            party, name: fileName(party), executable: setting.executable,
            arguments: arguments(party) + ["--exit-with-parent"], output: "\(setting.logs)/\(fileName(party))")
    }

    private func arguments(_ party: Party) -> [String] {
        switch party {
        case .node(let index):
            let nodes = setting.cluster.nodes
            let detours = nodes.indices.flatMap { other -> [String] in
                guard let address = links.address(party, to: .node(other)) else { return [] }
                return ["--detour", "\(nodes[other].gossip)=\(address)"]
            }
            return ["serve", "--config", setting.file, "--node", nodes[index].name] + detours
        case .broker(let index):
            let replica = Self.replicas(setting.cluster)[index]
            let nodes = setting.cluster.nodes.enumerated().map { links.address(party, to: .node($0)) ?? $1.listen }
            let list = nodes.map(\.description).joined(separator: ",")
            return [
                "broker", "--config", setting.file, "--group", replica.group, "--id", "\(replica.id)", "--namesrv",
                list,
            ]
        case .client: preconditionFailure("a cluster.yaml has no clients")
        }
    }

    private func name(_ party: Party) -> String { names.first { $0.party == party }?.name ?? "" }

    /// `ns-1`, `broker-a-0`.
    private func fileName(_ party: Party) -> String {
        guard case .broker(let index) = party else { return name(party) }
        let replica = Self.replicas(setting.cluster)[index]
        return "\(replica.group)-\(replica.id)"
    }

    private func changed(_ party: Party, _ state: HistoryEvent.ProcessState) {
        states[party] =
            switch state {
            case .up: .up
            case .paused: .paused
            case .down: .down
            }
        onChange?()
    }

    private func surprised(_ party: Party, _ ending: ChildProcess.Ending) {
        let name = fileName(party)
        onTrouble?("process \(name) ended: \(ending); see \(setting.logs)/\(name).log")
    }

    // MARK: Switches

    /// How everything is.
    public var positions: SwitchPositions {
        var positions = SwitchPositions()
        positions.parties = names.map { party, name in
            SwitchPositions.Party(name: name, isNode: !party.isBroker, state: states[party] ?? .down)
        }
        let byParty = Dictionary(names.map { ($0.party, $0.name) }, uniquingKeysWith: { first, _ in first })
        func named(_ link: Link) -> SwitchPositions.Link {
            .init(from: byParty[link.from] ?? "", to: byParty[link.to] ?? "")
        }
        positions.links = directions.map(named)
        positions.cuts = cuts.map(named)
        return positions
    }

    /// Switches; see `PageSwitches`.
    public func set(_ change: PageSwitch) -> String? {
        let reason = perform(change)
        if reason == nil { onSwitched?(change) }
        return reason
    }

    private func perform(_ change: PageSwitch) -> String? {
        switch change {
        case .cut(let from, let to):
            guard let link = link(from, to) else { return "there is no such link" }
            if !cuts.contains(link) { cuts.append(link) }
            return applyCuts()
        case .heal(let from, let to):
            cuts.removeAll { $0 == link(from, to) }
            return applyCuts()
        case .healAll:
            cuts = []
            return applyCuts()
        case .pause(let name): return with(name, in: .up) { processes.pause($0) }
        case .resume(let name): return with(name, in: .paused) { processes.resume($0) }
        case .kill(let name):
            guard let party = party(name), states[party] != .down else { return "\(name) does not run" }
            processes.end(party, with: SIGKILL)
            return nil
        case .restart(let name):
            guard let party = party(name), states[party] == .down else { return "\(name) runs" }
            do {
                try start(party)
                return nil
            } catch {
                return error.description
            }
        }
    }

    private func party(_ name: String) -> Party? { names.first { $0.name == name }?.party }

    private func link(_ from: String, _ to: String) -> Link? {
        guard let one = party(from), let other = party(to) else { return nil }
        return directions.first { $0 == Link(from: one, to: other) }
    }

    private func with(
        _ name: String, in state: SwitchPositions.Party.State, _ act: (Party) -> Void
    ) -> String? {
        guard let party = party(name), states[party] == state else {
            return state == .up ? "\(name) does not run" : "\(name) is not paused"
        }
        act(party)
        return nil
    }

    private func applyCuts() -> String? {
        do {
            try links.apply([.cut(cuts)])
            onChange?()
            return nil
        } catch {
            return error.description
        }
    }
}

/// Everybody is here.
private final class OwnMachine: LinkGround {
    private let base: any Platform

    init(_ base: any Platform) { self.base = base }

    func platform(of party: Party?) -> any Platform { base }
}

extension Party {
    fileprivate var isBroker: Bool {
        if case .broker = self { return true }
        return false
    }
}
