import Basics
import ClusterConfiguration
import ClusterView
import EventLoop
import Glibc
import Platform
import Supervisor

/// One run of `hearsay run`: children, poller and screen on one loop.
final class RunSession {
    /// Between two looks at the nodes, in which time each must answer.
    static let pollInterval = Duration.milliseconds(500)
    /// Between SIGTERM and SIGKILL; stopping stays under the promised 2 s.
    static let stopGrace = Duration.milliseconds(1500)
    /// Between two summary lines when stdout is no terminal.
    static let summaryInterval = Duration.seconds(10)

    /// How long the brokers wait for the nodes.
    static let nodeWait = Duration.seconds(3)

    /// Whether a child ended that should not have.
    private(set) var failed = false

    private let loop: EventLoop
    private let cluster: ClusterConfiguration
    private let command: RunCommand
    private let supervisor: Supervisor
    private let poller: ClusterPoller
    private let terminal: Terminal?
    private let startedAt: Instant
    private var brokersStarted = false
    private var isStopping = false
    private var nextSummary: Instant
    private lazy var durationTimer = loop.makeTimer { [weak self] in self?.stop() }

    init(loop: EventLoop, cluster: ClusterConfiguration, command: RunCommand) throws(PlatformError) {
        self.loop = loop
        startedAt = loop.now
        nextSummary = loop.now + .seconds(2)
        self.cluster = cluster
        self.command = command
        supervisor = Supervisor(platform: loop)
        poller = ClusterPoller(
            platform: loop, cluster: cluster.name, nodes: cluster.nodes.map { ($0.name, $0.listen) },
            interval: Self.pollInterval)
        terminal = command.plain ? nil : Terminal()
    }

    /// Starts the nodes, the brokers and the screen.
    func start() throws(PlatformError) {
        try makeDirectories(command.logs)
        loop.onSignal(SIGINT) { [weak self] in self?.stop() }
        loop.onSignal(SIGTERM) { [weak self] in self?.stop() }
        loop.onSignal(SIGHUP) { [weak self] in self?.stop() }
        loop.onSignal(SIGCHLD) { [weak self] in self?.supervisor.childEnded() }
        supervisor.onEnded = { [weak self] child in self?.ended(child) }
        for node in cluster.nodes {
            try startChild(node.name, ["serve", "--config", command.config, "--node", node.name])
        }
        terminal?.enter()
        poller.onRound = { [weak self] events in self?.show(events) }
        poller.start()
        let pages = cluster.nodes.compactMap { node in node.http.map { "\(node.name) http://\($0)/" } }
        if !pages.isEmpty { poller.note("health, metrics and tables: \(pages.joined(separator: ", "))") }
        if let time = command.duration { durationTimer.start(at: loop.now + time.duration) }
    }

    /// Once all nodes answer, or after a while without one of them: brokers can do without, but their first lines would
    /// be about refused connections.
    private func startBrokersWhenNodesAreUp() {
        let everyNodeIsUp = poller.model.nodes.allSatisfy { $0.status != nil }
        guard !brokersStarted, everyNodeIsUp || loop.now - startedAt > Self.nodeWait else { return }
        brokersStarted = true
        if command.noBrokers { return }
        for group in cluster.brokers {
            for replica in group.replicas {
                do {
                    try startChild(
                        "\(group.name)-\(replica.id)",
                        ["broker", "--config", command.config, "--group", group.name, "--id", "\(replica.id)"])
                } catch {
                    failed = true
                    poller.note(error.description)
                }
            }
        }
    }

    private func startChild(_ name: String, _ arguments: [String]) throws(PlatformError) {
        try supervisor.start(
            name: name, executable: ownExecutable(), arguments: arguments + ["--exit-with-parent"],
            output: "\(command.logs)/\(name).log")
    }

    private func ended(_ child: ChildProcess) {
        guard !isStopping, let ending = child.ending else { return }
        failed = true
        poller.note("process \(child.name) ended: \(ending); see \(command.logs)/\(child.name).log")
    }

    private func show(_ events: [ClusterModel.Event]) {
        if isStopping { return }
        startBrokersWhenNodesAreUp()
        if let terminal {
            let size = terminal.size
            let screen = LiveScreen(width: size.columns, height: size.rows, colour: true)
            terminal.draw(screen.lines(poller.model))
            return
        }
        for event in events { printLine(event.line) }
        if loop.now >= nextSummary {
            nextSummary = loop.now + Self.summaryInterval
            for line in LiveScreen(width: 160, height: 0, colour: false).summary(poller.model) { printLine(line) }
        }
    }

    private func stop() {
        if isStopping { return }
        isStopping = true
        poller.stop()
        terminal?.leave()
        printLine("stopping \(supervisor.children.count { $0.ending == nil }) processes")
        supervisor.stop(grace: Self.stopGrace) { [weak self] in
            printLine("all stopped")
            self?.loop.stop()
        }
    }
}
