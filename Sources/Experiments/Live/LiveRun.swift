// One arm, run on real processes:
//
//   files, links ──▶ nodes up ──▶ brokers up ──▶ all agree ──▶ clients have routes = time 0 ──▶ faults ──▶ end

import Basics
import ClusterView
import EventLoop
import Glibc
import Platform
import Remoting
import Supervisor

/// One arm on one event loop.
final class LiveRun {
    /// Why the arm was not run to its end; nil while all is well.
    private(set) var failure: String?

    let loop: EventLoop
    let setting: LiveSetting
    let arm: Arm
    let scenario: Scenario
    let ground: any LiveGround
    let processes: LiveProcesses
    let links: LiveLinks
    let calls: OperatorCalls
    var cluster: LiveCluster
    /// Faults that have begun and not ended, by index.
    var active: Set<Int> = []
    /// How many faults keep a party down.
    var holds: [Party: Int] = [:]
    /// How many faults keep it still.
    var pauses: [Party: Int] = [:]
    /// How wrong the wall clocks are.
    var clocks: [Party: Duration] = [:]
    var clients: [ClientRun] = []
    /// Links of somebody who has left without a word; they are cut for good.
    var abandoned: [Link] = []

    private let onEvent: (HistoryEvent) -> Void
    /// By how much stalls of the machine have put the schedule off.
    private var lost = Duration.zero
    private var observer: Observer?
    private var schedule: LiveSchedule
    /// Time 0.
    private var origin: Instant?
    /// What happened before it.
    private var early: [(at: Instant, kind: HistoryEvent.Kind)] = []
    private var phase = Phase.nodes
    private var deadline = Instant.distantFuture
    private var isStopping = false
    private lazy var timer = loop.makeTimer { [weak self] in self?.advance() }
    private lazy var stalls = StallWatch(platform: loop) { [weak self] late in
        let lost = late.wholeMilliseconds
        self?.record(.note("the machine was too busy for \(lost) ms of real time; figures around it may say nothing"))
    }

    private enum Phase {
        case nodes
        case agreement
        case routes
        case faults
    }

    /// Between two looks whether the cluster is ready.
    private static let lookInterval = Duration.milliseconds(50)
    /// How long each step of getting ready may take: a Java NameServer on a busy machine needs some.
    private static let patience = Duration.seconds(60)
    /// Between SIGTERM and SIGKILL at the end; nothing that happens then is of interest.
    private static let grace = Duration.milliseconds(500)
    /// Lateness of a step that is an ordinary timer's; also the time a packet filter takes to change.
    private static let tolerance = Duration.milliseconds(200)
    /// Of each node during one scan interval, at the least.
    private static let observations = 4

    init(
        _ loop: EventLoop, _ setting: LiveSetting, _ arm: Arm, _ scenario: Scenario,
        _ onEvent: @escaping (HistoryEvent) -> Void
    ) {
        (self.loop, self.setting, self.arm, self.scenario, self.onEvent) = (loop, setting, arm, scenario, onEvent)
        var random = SeededGenerator(seed: setting.seed)
        let supervisor = Supervisor(platform: loop)
        processes = LiveProcesses(supervisor)
        let ground: any LiveGround =
            setting.usesNamespaces ? NamespaceGround(loop, scenario, setting) : LoopbackGround(loop, scenario)
        self.ground = ground
        links = LiveLinks(ground, timeScale: scenario.timeScale, seed: random.next())
        calls = OperatorCalls(platform: ground.platform(of: nil))
        schedule = LiveSchedule(scenario)
        cluster = LiveCluster(
            scenario: scenario, arm: arm, directory: "\(setting.workDirectory)/\(arm.rawValue)", places: LivePlaces(),
            advertised: [], seed: random.next())
        loop.onSignal(SIGCHLD) { supervisor.childEnded() }
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            loop.onSignal(signal) { [weak self] in self?.fail("interrupted") }
        }
        processes.onState = { [weak self] party, state in self?.record(.process(party, state)) }
        processes.onSurprise = { [weak self] party, ending in self?.surprised(party, ending) }
        calls.onTrouble = { [weak self] in self?.record(.note($0)) }
    }

    /// Begins; everything else follows on the loop, until it stops.
    func start() {
        do {
            try prepare()
            for text in cluster.notes { record(.note(text)) }
            for node in scenario.nodes.indices { try start(.node(node)) }
            deadline = loop.now + Self.patience
            startObserver()
            timer.start(at: loop.now)
        } catch {
            fail("\(error)")
        }
    }

    // MARK: Telling

    /// Tells that something happened now.
    func record(_ kind: HistoryEvent.Kind) {
        let now = loop.now
        guard let origin else { return early.append((now, kind)) }
        onEvent(HistoryEvent(time: seconds(now - origin), kind))
    }

    private func seconds(_ real: Duration) -> Double {
        Double(real.wholeNanoseconds) * Double(scenario.timeScale) / 1_000_000_000
    }

    private func beginTime() {
        let now = loop.now
        origin = now
        for (at, kind) in early { onEvent(HistoryEvent(time: seconds(at - now), kind)) }
        early = []
    }

    // MARK: Getting ready

    private func startObserver() {
        let interval = min(.milliseconds(250), cluster.real(scenario.timings.scan) / Self.observations)
        let observer = Observer(
            platform: ground.platform(of: nil), scenario: scenario, nodes: cluster.nodes,
            interval: max(interval, .milliseconds(20)),
            time: { 0 }, onEvent: { [weak self] in self?.record($0.kind) })
        self.observer = observer
        observer.start()
    }

    private func startClients() {
        var random = SeededGenerator(seed: setting.seed &+ 1)
        clients = scenario.clients.indices.map { index in
            let platform = RoutedPlatform(ground.platform(of: .client(index))) { [weak self] in
                self?.route(.client(index), to: $0) ?? $0
            }
            return ClientRun(
                platform: platform, scenario: scenario, client: index, nameServers: cluster.nodes,
                timeScale: scenario.timeScale, seed: random.next(), time: { 0 },
                onEvent: { [weak self] in self?.record($0.kind) })
        }
        for (index, client) in clients.enumerated() {
            record(.process(.client(index), .up))
            client.start()
        }
    }

    /// Where a client's connection really goes.
    private func route(_ client: Party, to address: Address) -> Address? {
        if let node = cluster.nodes.firstIndex(of: address) { return links.address(client, to: .node(node)) }
        guard let broker = cluster.advertised.firstIndex(of: address) else { return nil }
        return links.address(client, to: .broker(broker)) ?? cluster.brokers[broker]
    }

    private func advance() {
        if isStopping { return }
        if phase == .faults { return followSchedule() }
        do {
            try getReady()
        } catch {
            return fail("\(error)")
        }
        if phase == .faults { return followSchedule() }
        if loop.now > deadline { return fail("not within \(Self.patience): \(waitedFor)") }
        timer.start(at: loop.now + Self.lookInterval)
    }

    private func getReady() throws(PlatformError) {
        let step = phase
        switch phase {
        case .nodes where observer?.isAnswered == true:
            for broker in scenario.replicas.indices { try start(.broker(broker)) }
            phase = .agreement
        case .agreement where observer?.agrees(on: scenario.replicas.indices) == true:
            startClients()
            stalls.start()
            phase = .routes
        case .routes where clients.allSatisfy(\.hasRoute):
            beginTime()
            phase = .faults
        default: break
        }
        if phase != step { deadline = loop.now + Self.patience }
    }

    private var waitedFor: String {
        let what =
            switch phase {
            case .nodes: "all nodes answer"
            case .agreement: "all nodes list all brokers" + (arm == .off || arm == .apache ? "" : " and agree")
            case .routes, .faults: "all clients have a route"
            }
        return "\(what); outputs are in \(cluster.directory)"
    }

    // MARK: The schedule

    private func followSchedule() {
        guard let origin else { return }
        while !isStopping, let step = schedule.take(by: passed(since: origin)) {
            // What comes next keeps its distance: a fault that a stall has made late lasts as long as it should.
            let late = loop.now - origin - lost - cluster.real(step.time)
            if late > Self.tolerance { lost += late }
            guard let index = step.fault else { return end() }
            record(step.isEnd ? .faultEnded(index) : .faultBegan(index))
            if step.isEnd { endFault(index) } else { beginFault(index) }
        }
        if let time = schedule.nextTime { timer.start(at: origin + lost + cluster.real(time)) }
    }

    /// Of the schedule; rounded up, so that a timer that fires exactly on time finds its step.
    private func passed(since origin: Instant) -> Duration {
        (loop.now - origin - lost + .microseconds(1)) * scenario.timeScale
    }

    private func surprised(_ party: Party, _ ending: ChildProcess.Ending) {
        let name = scenario.name(of: party)
        let text = "\(name) ended by itself: \(ending); its output is in \(cluster.directory)/\(name).log"
        if phase == .faults { record(.note(text)) } else { fail(text) }
    }

    // MARK: The end

    private func end() {
        stopWatching()
        record(.ended)
        stop()
    }

    /// Ends the arm because it cannot go on.
    func fail(_ reason: String) {
        if failure == nil, !isStopping { failure = reason }
        stop()
    }

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        timer.cancel()
        stalls.stop()
        stopWatching()
        calls.stop()
        processes.stop(grace: Self.grace) { [self] in
            links.close()
            ground.close()
            loop.stop()
        }
    }

    /// A consumer tells its last count when it stops, so that comes before the end.
    private func stopWatching() {
        observer?.stop()
        observer = nil
        for client in clients { client.stop() }
        clients = []
    }
}
