import Basics
import ClusterConfiguration
import ClusterPage
import ClusterView
import EventLoop
import Experiments
import Glibc
import Platform
import RemotingTransport

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
    private let processes: SwitchedCluster
    private let page: PageServer?
    private let poller: ClusterPoller
    private let terminal: Terminal?
    private let startedAt: Instant
    private var brokersStarted = false
    private var isStopping = false
    private var nextSummary: Instant
    private lazy var durationTimer = loop.makeTimer { [weak self] in self?.stop() }

    /// - Parameters:
    ///   - pages: where the page may be, the first free address wins; none for no page.
    ///   - sign: signs what the screen and the page ask; nil = it is not signed.
    init(
        loop: EventLoop, cluster: ClusterConfiguration, command: RunCommand, pages: [Address], sign: RequestSigner?
    ) throws(PlatformError) {
        self.loop = loop
        startedAt = loop.now
        nextSummary = loop.now + .seconds(2)
        self.cluster = cluster
        self.command = command
        try makeDirectories(command.logs)
        var played = cluster
        if command.noBrokers { played.brokers = [] }
        // Each link takes a port and, when it is used, four sockets.
        let brokers = played.brokers.reduce(0) { $0 + $1.replicas.count }
        allowOpenFiles(256 + 5 * cluster.nodes.count * (cluster.nodes.count + brokers))
        processes = try SwitchedCluster(
            platform: loop,
            setting: .init(
                executable: ownExecutable(), file: command.config, cluster: played, logs: command.logs,
                hasLinks: !pages.isEmpty))
        page = try Self.page(loop, cluster, processes, at: pages, sign)
        poller = ClusterPoller(
            platform: loop, cluster: cluster.name, nodes: cluster.nodes.map { ($0.name, $0.listen) },
            interval: Self.pollInterval, sign: sign)
        terminal = command.plain ? nil : Terminal()
    }

    /// Opens the page at the first of these addresses that is free. An only one that is not is an error; of several nobody asked
    /// for, none is needed.
    private static func page(
        _ loop: EventLoop, _ cluster: ClusterConfiguration, _ processes: SwitchedCluster, at addresses: [Address],
        _ sign: RequestSigner?
    ) throws(PlatformError) -> PageServer? {
        var site = PageSite(cluster: cluster.name, server: "hearsay run") { cluster.nodes.map { ($0.name, $0.listen) } }
        site.interval = pollInterval
        site.sign = sign
        for address in addresses {
            let server = PageServer(platform: loop, site: site, switches: processes)
            do {
                try server.start(at: address)
                return server
            } catch {
                if addresses.count == 1 { throw error }
            }
        }
        return nil
    }

    /// Starts the nodes, the brokers and the screen.
    func start() throws(PlatformError) {
        loop.onSignal(SIGINT) { [weak self] in self?.stop() }
        loop.onSignal(SIGTERM) { [weak self] in self?.stop() }
        loop.onSignal(SIGHUP) { [weak self] in self?.stop() }
        loop.onSignal(SIGCHLD) { [weak self] in self?.processes.childEnded() }
        processes.onSwitched = { [weak self] in self?.poller.note($0.description) }
        processes.onTrouble = { [weak self] in self?.troubled($0) }
        try processes.startNodes()
        terminal?.enter()
        poller.onRound = { [weak self] events in self?.show(events) }
        poller.start()
        let pages = cluster.nodes.compactMap { node in node.http.map { "\(node.name) http://\($0)/" } }
        if page == nil, !command.noPage { poller.note("no page: its usual ports are taken; --page names another") }
        if let address = page?.address { poller.note("cut links and kill processes in a browser: http://\(address)/") }
        if !pages.isEmpty { poller.note("each node's page, metrics and tables: \(pages.joined(separator: ", "))") }
        if let time = command.duration { durationTimer.start(at: loop.now + time.duration) }
    }

    /// Once all nodes answer, or after a while without one of them: brokers can do without, but their first lines would
    /// be about refused connections.
    private func startBrokersWhenNodesAreUp() {
        let everyNodeIsUp = poller.model.nodes.allSatisfy { $0.status != nil }
        guard !brokersStarted, everyNodeIsUp || loop.now - startedAt > Self.nodeWait else { return }
        brokersStarted = true
        do {
            try processes.startBrokers()
        } catch {
            troubled(error.description)
        }
    }

    private func troubled(_ text: String) {
        guard !isStopping else { return }
        failed = true
        poller.note(text)
    }

    private func show(_ events: [ClusterModel.Event]) {
        if isStopping { return }
        startBrokersWhenNodesAreUp()
        if let terminal {
            let size = terminal.size
            let screen = LiveScreen(
                width: size.columns, height: size.rows, colour: true, page: page?.address.map { "http://\($0)/" })
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
        printLine("stopping \(processes.runningCount) processes")
        page?.stop()
        processes.stop(grace: Self.stopGrace) { [weak self] in
            printLine("all stopped")
            self?.loop.stop()
        }
    }
}
