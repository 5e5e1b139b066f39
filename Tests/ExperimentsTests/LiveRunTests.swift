import Basics
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Experiments

/// Real processes with real faults for a few seconds each; the machine may be slow, so nothing here counts milliseconds.
@Suite(.serialized) struct LiveRunTests {
    /// Three nodes, two groups of which one has a slave; thirty times as fast as RocketMQ.
    private func scenario(_ faults: [PlannedFault], duration: Duration, arm: Arm = .protect) -> Scenario {
        var scenario = Scenario.sample
        scenario.timeScale = 30
        scenario.duration = duration
        scenario.arms = [arm]
        scenario.checks = []
        scenario.faults = faults
        return scenario
    }

    private func fault(_ start: Int64, _ end: Int64?, _ fault: Fault) -> PlannedFault {
        PlannedFault(
            number: 1, start: .seconds(start), end: end.map { .seconds($0) }, fault: fault, text: "\(fault)")
    }

    private func driver(_ directory: TemporaryDirectory, usesNamespaces: Bool = false) -> LiveDriver {
        LiveDriver(
            executable: ProductsDirectory.executable("hearsay"), workDirectory: directory.file("work"), seed: 1,
            apacheCommand: nil, usesNamespaces: usesNamespaces)
    }

    private func history(of scenario: Scenario, _ directory: TemporaryDirectory) async throws -> [HistoryEvent] {
        let driver = driver(directory)
        var history: [HistoryEvent] = []
        try driver.run(scenario.arms[0], of: scenario) { history.append($0) }
        return history
    }

    /// One way of a link is cut for longer than the expiry, a broker dies and comes back, a node is stopped for a while.
    @Test func cutKillPauseRestart() async throws {
        let directory = TemporaryDirectory()
        let cut = Fault.cut([Link(from: .broker(2), to: .node(1))])
        let scenario = scenario(
            [
                fault(10, 180, cut), fault(20, 60, .kill([.broker(0)], keepsState: true)),
                fault(190, 200, .pause([.node(2)])), fault(190, 220, .stop([.node(0)])),
            ], duration: .seconds(290))
        let history = try await history(of: scenario, directory)

        func time(_ kind: HistoryEvent.Kind, after: Double = -1_000) -> Double? {
            history.first { $0.kind == kind && $0.time > after }?.time
        }
        #expect(history.map(\.time) == history.map(\.time).sorted())
        #expect(history.last?.kind == .ended)
        let ended = try #require(history.last?.time)
        #expect(ended >= 290)
        for index in scenario.faults.indices {
            #expect(time(.faultBegan(index)) != nil && time(.faultEnded(index)) != nil)
        }
        // Before time 0 everybody was up and known everywhere.
        for node in 0..<3 {
            #expect(try #require(time(.process(.node(node), .up))) < 0)
            for broker in 0..<3 {
                #expect(try #require(time(.sight(node: node, broker: broker, .registered))) < 0)
            }
        }
        // The cut broker is kept on the word of the others, and heard again afterwards.
        let kept = try #require(time(.sight(node: 1, broker: 2, .protected), after: 10))
        #expect(time(.sight(node: 1, broker: 2, .registered), after: kept) != nil)
        #expect(time(.sight(node: 1, broker: 2, .absent), after: 0) == nil)
        // A dead broker's connections break, and it is gone from everywhere until it is back.
        let died = try #require(time(.process(.broker(0), .down)))
        let back = try #require(time(.process(.broker(0), .up), after: died))
        #expect(back >= 60)
        for node in 0..<3 {
            let gone = try #require(time(.sight(node: node, broker: 0, .absent), after: died))
            #expect(time(.sight(node: node, broker: 0, .registered), after: max(gone, back)) != nil)
        }
        let paused = try #require(time(.process(.node(2), .paused)))
        #expect(time(.process(.node(2), .up), after: paused) != nil)
        let stopped = try #require(time(.process(.node(0), .down)))
        #expect(time(.process(.node(0), .up), after: stopped) != nil)
        // The clients were at it all the time.
        #expect(history.contains { if case .send(_, let outcome) = $0.kind { outcome.broker != nil } else { false } })
        #expect(history.contains { if case .received(_, let total) = $0.kind { total > 0 } else { false } })
        #expect(history.contains { if case .route(_, .brokers([0, 1, 2])) = $0.kind { true } else { false } })
    }

    /// What brokers and operators do: each act is seen at the nodes that it reaches, and at no other.
    @Test func moveLeaveAndOperate() async throws {
        let directory = TemporaryDirectory()
        var scenario = scenario(
            [
                fault(5, nil, .createTopic(broker: 0, name: "Fresh")),
                fault(10, nil, .unregister(broker: 2, at: [0])),
                fault(10, nil, .putKeyValue(namespace: "N", key: "k", value: "v", at: [1])),
                fault(15, nil, .strayUnregister(broker: 1, at: [2])),
                fault(20, nil, .move(broker: 0)),
                fault(30, nil, .wipeWritePermission(group: "no-such-group", at: [0])),
                fault(40, 100, .powerLoss([.node(2)])),
            ], duration: .seconds(200), arm: .off)
        scenario.nodeProperties = [.init(key: "waitSecondsForService", value: "1")]
        let history = try await history(of: scenario, directory)
        func time(_ kind: HistoryEvent.Kind, after: Double = 0) -> Double? {
            history.first { $0.kind == kind && $0.time > after }?.time
        }
        // The goodbye at one node works at once; the others let it expire, since they heard no end of the connection.
        let goodbye = try #require(time(.sight(node: 0, broker: 2, .absent)))
        #expect(goodbye < 60)
        #expect(try #require(time(.sight(node: 1, broker: 2, .absent))) > 100)
        #expect(time(.process(.broker(2), .down)) != nil)
        #expect(time(.process(.broker(2), .up)) == nil)
        // The stray one is undone by the next registration.
        let stray = try #require(time(.sight(node: 2, broker: 1, .absent)))
        #expect(time(.sight(node: 2, broker: 1, .registered), after: stray) != nil)
        // The moved broker came back at once and can be used there.
        let moved = try #require(time(.process(.broker(0), .up)))
        let used = history.contains {
            if case .send(_, let outcome) = $0.kind { outcome.broker == 0 && $0.time > moved } else { false }
        }
        #expect(used)
        // The topic that one broker created is known everywhere.
        let topics = (0..<3).map { node in
            history.compactMap { if case .topics(node, let count) = $0.kind { count } else { nil } }.max()
        }
        #expect(topics[0] != nil && topics[0] == topics[1])
        // The wipe finds no such group and is refused or does nothing; the KV file is at one node only.
        let stored = (1...3).map { text(of: directory.file("work/off/data/ns-\($0)/kvConfig.json")) ?? "" }
        #expect(stored.map { $0.contains("\"k\"") } == [false, true, false])
        #expect(time(.process(.node(2), .up)) != nil)
    }

    /// What a node is told while its disk is full does not survive it, also when it restarts meanwhile.
    @Test func aFullDiskLosesWrites() async throws {
        let directory = TemporaryDirectory()
        func put(_ time: Int64, _ key: String) -> PlannedFault {
            fault(time, nil, .putKeyValue(namespace: "N", key: key, value: "v", at: [0]))
        }
        let kill = Fault.kill([.node(0)], keepsState: true)
        let scenario = scenario(
            [
                put(2, "before"), fault(10, 90, .diskFull([0])), put(20, "lost"), fault(25, 40, kill), put(80, "gone"),
                fault(85, 95, kill), put(130, "kept"),
            ], duration: .seconds(140), arm: .off)
        try #require(driver(directory).obstacles(to: scenario) == [])
        let history = try await history(of: scenario, directory)
        #expect(history.count { $0.kind == .process(.node(0), .up) } == 3)
        #expect(!history.contains { if case .note(let text) = $0.kind { text.hasPrefix("put ") } else { false } })
        let stored = text(of: directory.file("work/off/data/ns-1/kvConfig.json")) ?? ""
        #expect(["before", "lost", "gone", "kept"].map { stored.contains("\"\($0)\"") } == [true, false, false, true])
    }

    /// The user's command, of Hearsay here, plays an Apache NameServer, and gets port and properties.
    @Test func anArmOfTheUsersCommand() async throws {
        let directory = TemporaryDirectory()
        let hearsay = ProductsDirectory.executable("hearsay")
        var scenario = scenario(
            [fault(5, 30, .stop([.node(0)])), fault(5, 40, .powerLoss([.node(1)]))], duration: .seconds(60),
            arm: .apache)
        scenario.nodeProperties = [.init(key: "clusterTest", value: "false")]
        let driver = LiveDriver(
            executable: hearsay, workDirectory: directory.file("work"), seed: 1,
            apacheCommand: "\(hearsay) serve -c {config} --listen 127.0.0.1:%p", usesNamespaces: false)
        var history: [HistoryEvent] = []
        try driver.run(.apache, of: scenario) { history.append($0) }
        for node in 0..<2 {
            let states = history.compactMap { event in
                if case .process(.node(node), let state) = event.kind { state } else { nil }
            }
            #expect(states == [.up, .down, .up])
        }
        let properties = text(of: directory.file("work/apache/ns-1.properties")) ?? ""
        #expect(properties.contains("scanNotActiveBrokerInterval=333\n"))
        #expect(properties.contains("clusterTest=false\n"))
    }

    @Test(.enabled(if: FakeTime.library != nil, "needs libfaketime"))
    func aClockJumps() async throws {
        let directory = TemporaryDirectory()
        let jump = Fault.clockJump([.node(0), .broker(0)], by: .seconds(-3_600 * 30))
        let scenario = scenario(
            [fault(5, nil, jump), fault(20, nil, .stop([.broker(2)]))], duration: .seconds(40))
        let history = try await history(of: scenario, directory)
        // What a node writes in its log after the jump is an hour younger than what it wrote before.
        let lines = (text(of: directory.file("work/protect/ns-1.log")) ?? "").split(separator: "\n")
        let stamps = lines.filter { $0.hasPrefix("20") }.map { $0.prefix(19) }
        let (first, last) = (try #require(stamps.first), try #require(stamps.last))
        #expect(last < first, "\(lines.joined(separator: "\n"))")
        // The clock that decides is as it was: nobody but the broker that left is gone.
        let gone = history.filter { event in
            if case .sight(_, let broker, .absent) = event.kind { event.time > 0 && broker != 2 } else { false }
        }
        #expect(gone == [])
    }

    /// The same faults on real packets: one-way cut, loss, a delay by proxy, power loss; and nothing is left of it.
    @Test(.enabled(if: NamespaceGround.obstacles.isEmpty, "needs root, ip and nft"))
    func namespaces() async throws {
        let directory = TemporaryDirectory()
        let lossy = Link(from: .client(0), to: .broker(2))
        var scenario = scenario(
            [
                fault(5, 160, .cut([Link(from: .broker(2), to: .node(1))])),
                fault(10, 60, .loss([lossy, lossy.reversed], perMille: 100)),
                fault(
                    20, 50, .delay([Link(from: .node(0), to: .node(2))], by: .seconds(1), jitter: .milliseconds(300))),
                fault(60, 90, .powerLoss([.node(2)])), fault(100, nil, .move(broker: 0)),
                fault(110, nil, .reset([Link(from: .node(2), to: .node(0))])),
            ], duration: .seconds(260))
        // One that does would keep away from the moved broker for ten minutes of real time.
        scenario.clients[0].role = .producer(rate: 5, avoidsFaults: false)
        var history: [HistoryEvent] = []
        try driver(directory, usesNamespaces: true).run(.protect, of: scenario) { history.append($0) }
        func time(_ kind: HistoryEvent.Kind, after: Double = 0) -> Double? {
            history.first { $0.kind == kind && $0.time > after }?.time
        }
        #expect(history.last?.kind == .ended)
        let kept = try #require(time(.sight(node: 1, broker: 2, .protected)))
        #expect(time(.sight(node: 1, broker: 2, .registered), after: kept) != nil)
        #expect(time(.sight(node: 1, broker: 2, .absent)) == nil)
        #expect(time(.process(.node(2), .up), after: 90) != nil)
        #expect(time(.sight(node: 2, broker: 0, .registered), after: 90) != nil)
        let sent = history.contains {
            if case .send(_, let outcome) = $0.kind { outcome.broker == 0 && $0.time > 150 } else { false }
        }
        #expect(sent)
        #expect(ownNamespaces == [])
    }

    private var ownNamespaces: [String] {
        WorkDirectory.names(in: "/run/netns").filter { $0.hasPrefix("hx\(getpid())-") }
    }

    /// SIGTERM ends everybody, paused processes too, before `run` throws.
    @Test(arguments: NamespaceGround.obstacles.isEmpty ? [false, true] : [false])
    func interruptionLeavesNothingBehind(usesNamespaces: Bool) async throws {
        let directory = TemporaryDirectory()
        let scenario = scenario([fault(1, nil, .pause([.node(0)]))], duration: .seconds(36_000))
        let driver = driver(directory, usesNamespaces: usesNamespaces)
        var before: [String] = []
        do {
            try driver.run(.protect, of: scenario) { event in
                guard event.kind == .process(.node(0), .paused) else { return }
                before = processes(with: directory.path)
                kill(getpid(), SIGTERM)
            }
            Issue.record("it ran to its end")
        } catch {
            #expect(error.description == "interrupted")
        }
        #expect(before.count == 6)
        #expect(processes(with: directory.path) == [])
        #expect(ownNamespaces == [])
    }

    /// The numbers of the processes with this text on their command line.
    private func processes(with text: String) -> [String] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return numbers.filter { number in
            guard Int(number) != nil, let line = contents(of: "/proc/\(number)/cmdline") else { return false }
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }

    @Test func obstaclesSayWhatIsMissing() {
        let directory = TemporaryDirectory()
        var scenario = scenario(
            [
                fault(1, 2, .duplicate([], perMille: 1)), fault(1, 2, .clockDrift([.node(0)], perMillion: 1)),
                fault(1, 2, .pause([.client(0)])), fault(1, 2, .cut([Link(from: .broker(0), to: .broker(1))])),
            ], duration: .seconds(10))
        scenario.arms = [.off, .apache]
        let obstacles = driver(directory).obstacles(to: scenario)
        for words in ["apache", "duplicate", "clockDrift", "pause"] {
            #expect(obstacles.count { $0.contains(words) } == 1, "\(words) in \(obstacles)")
        }
        #expect(!obstacles.contains { $0.contains("fault 1 (cut") })
        scenario.replicas.insert(Scenario.Replica(group: "broker-a", id: 2), at: 2)
        #expect(driver(directory).obstacles(to: scenario).contains { $0.contains("one slave") })
        let missing = LiveDriver(
            executable: "/no/such/program", workDirectory: directory.path, seed: 1, apacheCommand: nil,
            usesNamespaces: false)
        #expect(missing.obstacles(to: Scenario.sample).count == 1)
        #expect(throws: ExperimentError.self) { try missing.run(.off, of: .sample) { _ in } }
    }

    /// A node that cannot start ends the arm with a sentence that leads to its output.
    @Test func aNodeThatEndsByItselfFailsTheArm() throws {
        let directory = TemporaryDirectory()
        var scenario = scenario([], duration: .seconds(10))
        scenario.nodeProperties = [.init(key: "noSuchProperty", value: "1")]
        do {
            try driver(directory).run(.off, of: scenario) { _ in }
            Issue.record("it ran")
        } catch {
            #expect(error.description.contains("ended by itself"))
            #expect(error.description.contains("ns-1.log") || error.description.contains("ns-"))
        }
    }

    /// The schedule does what ends before what begins at the same time, and nothing after the end.
    @Test func scheduleOrder() {
        let scenario = scenario(
            [
                fault(10, 20, .stop([])), fault(20, nil, .reset([])), fault(20, 40, .pause([])),
                fault(35, nil, .reset([])),
            ],
            duration: .seconds(30))
        var schedule = LiveSchedule(scenario)
        var seen: [LiveSchedule.Step] = []
        #expect(schedule.take(by: .seconds(9)) == nil)
        while let step = schedule.take(by: .seconds(100)) { seen.append(step) }
        #expect(
            seen == [
                .init(time: .seconds(10), fault: 0), .init(time: .seconds(20), fault: 0, isEnd: true),
                .init(time: .seconds(20), fault: 1), .init(time: .seconds(20), fault: 2), .init(time: .seconds(30)),
            ])
        #expect(schedule.nextTime == nil)
    }
}
