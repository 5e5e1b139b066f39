import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import BrokerAgent

private let loopback = Address(host: "127.0.0.1", port: 0)

private func options(
    _ nameServers: [NoteTakingNameServer], id: Int64 = 0, _ change: (inout StandInBroker.Options) -> Void = { _ in }
) -> StandInBroker.Options {
    var options = StandInBroker.Options(
        identity: BrokerIdentity(name: "broker-a", brokerID: id, address: loopback),
        nameServers: nameServers.map(\.address), seed: 1)
    options.timings = RegistrationTimings(
        period: .milliseconds(200), answerTimeout: .milliseconds(500), unregisterTimeout: .milliseconds(500),
        firstRetry: .milliseconds(20), retryLimit: .milliseconds(100))
    change(&options)
    return options
}

@Suite("Stand-in broker on a real event loop", .serialized) struct StandInBrokerTests {
    @Test("registers with all; a dead and a silent NameServer delay nobody; all are told at the end")
    func registersEverywhere() throws {
        let stage = try Stage()
        let (good, silent, dead) = (NoteTakingNameServer(), NoteTakingNameServer(), NoteTakingNameServer())
        for server in [good, silent, dead] { try server.open(stage.loop) }
        silent.mood = .silent
        dead.close()
        let broker = try StandInBroker(platform: stage.loop, options: options([good, silent, dead]))
        var events: [String] = []
        broker.onEvent = { event in
            guard case .nameServer(let change) = event else { return }
            let name =
                change.nameServer == good.address ? "good" : change.nameServer == dead.address ? "dead" : "silent"
            events.append("\(name) \(change.state.phase)")
        }
        var isStopped = false
        stage.when("start", { true }) { broker.start() }
        stage.when("four registrations with the good one", { good.registrations.count == 4 }) {
            #expect(good.topics(of: 0).count == 13)
            #expect(good.topics(of: 0) == good.topics(of: 3), "every one is full")
            #expect(broker.nameServers[0].state.consecutiveFailures == 0)
            #expect(broker.nameServers[2].state.phase == .unreachable)
        }
        stage.when("the silent one counts as failed", { broker.nameServers[1].state.consecutiveFailures > 0 }) {
            do { try dead.open(stage.loop) } catch { Issue.record("\(error)") }
        }
        stage.when("the dead one is back", { dead.registrations.count >= 2 }) {
            broker.stop { isStopped = true }
        }
        stage.when("stopped", { isStopped }) {
            #expect(good.unregistrations.map { $0["brokerAddr"] } == ["\(broker.identity.address)"])
            #expect(dead.unregistrations.count == 1)
            #expect(broker.nameServers.map(\.state.phase) == [.unregistered, .unreachable, .unregistered])
        }
        stage.run()
        #expect(events.filter { $0.hasPrefix("good") } == ["good registered", "good unregistered"])
        #expect(
            events.filter { $0.hasPrefix("dead") } == ["dead unreachable", "dead registered", "dead unregistered"])
        #expect(events.filter { $0.hasPrefix("silent") } == ["silent unreachable"])
    }

    @Test("what a registration says")
    func registrationFields() throws {
        let stage = try Stage()
        let server = NoteTakingNameServer()
        try server.open(stage.loop)
        let broker = try StandInBroker(
            platform: stage.loop,
            options: options([server]) {
                $0.identity.heartbeatTimeout = .seconds(10)
                $0.identity.zone = "z1"
                $0.timings.heartbeatPeriod = .milliseconds(20)
            })
        stage.when("start", { true }) { broker.start() }
        stage.when("registered", { server.registrations.count >= 1 && server.heartbeats >= 2 }) {
            let command = server.registrations[0]
            let checksum = command.body.withUnsafeBytes { Checksum.bodyCRC32($0) }
            let address = broker.identity.address
            let expected: [(String, String)] = [
                ("brokerName", "broker-a"), ("brokerId", "0"), ("clusterName", "DefaultCluster"),
                ("brokerAddr", "\(address)"), ("haServerAddr", "127.0.0.1:\(address.port + 1)"),
                ("compressed", "false"), ("bodyCrc32", "\(checksum)"), ("enableActingMaster", "false"),
                ("heartbeatTimeoutMillis", "10000"), ("__ZONE_NAME", "z1"), ("__ZONE_MODE", "true"),
            ]
            for (name, value) in expected { #expect(command[name] == value, "\(name)") }
            #expect(command.fields?.count == expected.count)
            #expect(command.version == 479)
        }
        stage.run()
    }

    @Test("a topic made by a send is registered at once, alone, with the next DataVersion")
    func incrementalRegistration() throws {
        let stage = try Stage()
        let server = NoteTakingNameServer()
        try server.open(stage.loop)
        let broker = try StandInBroker(
            platform: stage.loop, options: options([server]) { $0.timings.period = .seconds(30) })
        let client = TestClient(stage.loop, broker.identity.address)
        stage.when("start", { true }) { broker.start() }
        stage.when("registered", { broker.nameServers[0].state.phase == .registered }) { client.send("x", to: "New") }
        stage.when("two registrations, and an answer", { server.registrations.count == 2 && client.answers[0] != nil })
        {
            #expect(client.answers[0]?.code == 0)
            #expect(server.topics(of: 0).contains("New") == false)
            #expect(server.topics(of: 1) == ["New"])
            #expect(String(decoding: server.registrations[1].body, as: UTF8.self).contains("\"counter\":1,"))
            // The NameServer forgot the broker: the guard of 2.5 step 7.
            server.mood = .refusing(1)
            client.send("y", to: "Other")
        }
        stage.when("the refused one is followed by a full one", { server.registrations.count >= 4 }) {
            #expect(server.topics(of: 2) == ["Other"])
            #expect(server.topics(of: 3).count == 15)
            server.mood = .accepting
        }
        stage.when("registered again", { broker.nameServers[0].state.phase == .registered })
        stage.run()
    }

    @Test("when a NameServer closes the connection, the broker registers anew")
    func closedConnection() throws {
        let stage = try Stage()
        let server = NoteTakingNameServer()
        try server.open(stage.loop)
        let broker = try StandInBroker(
            platform: stage.loop, options: options([server]) { $0.timings.period = .seconds(30) })
        stage.when("start", { true }) { broker.start() }
        stage.when("registered", { broker.nameServers[0].state.phase == .registered }) { server.dropConnections() }
        stage.when("registered anew", { server.registrations.count == 2 }) { #expect(server.topics(of: 1).count == 13) }
        stage.when("and it shows", { broker.nameServers[0].state.phase == .registered }) {
            #expect(broker.nameServers[0].state.lastError != nil)
        }
        stage.run()
    }

    @Test("a slave finds its master, copies it, and serves when it is gone")
    func masterAndSlave() throws {
        let stage = try Stage()
        let server = NoteTakingNameServer()
        try server.open(stage.loop)
        let master = try StandInBroker(platform: stage.loop, options: options([server]))
        let slave = try StandInBroker(platform: stage.loop, options: options([server], id: 1))
        server.masterAddress = master.identity.address
        let (producer, reader) = (
            TestClient(stage.loop, master.identity.address), TestClient(stage.loop, slave.identity.address)
        )
        var isStopped = false
        stage.when("start", { true }) {
            master.start()
            slave.start()
        }
        stage.when("copying", { slave.isCopying }) {
            for index in 0..<100 { producer.send("m\(index)", to: "T") }
        }
        stage.when("100 sends are answered", { producer.answers.count { $0?.code == 0 } == 100 }) {
            #expect(slave.counters.copied == 100, "an answer means that the slave has it")
            reader.pull("T", from: 0)
            reader.pull("T", from: 100, suspend: 10_000)
        }
        stage.when("the slave serves", { reader.answers[0] != nil }) {
            #expect(reader.answers[0]?.texts == (0..<32).map { "m\($0)" })
            producer.send("last", to: "T")
        }
        stage.when("the waiting reader is woken", { reader.answers[1] != nil }) {
            #expect(reader.answers[1]?.texts == ["last"])
            server.masterAddress = nil
            producer.connection.close()
            master.stop { isStopped = true }
        }
        stage.when("master gone", { isStopped && !slave.isCopying }) { reader.pull("T", from: 100) }
        stage.when("the slave still serves", { reader.answers[2] != nil }) {
            #expect(reader.answers[2]?.texts == ["last"])
        }
        stage.run()
    }
}
