import Basics
import ClusterConfiguration
import TestSupport
import Testing

@testable import Experiments

/// The files and command lines that live processes are started with.
@Suite struct LiveClusterTests {
    private func cluster(_ arm: Arm, host: String = "127.0.0.1") -> LiveCluster {
        var scenario = Scenario.sample
        scenario.gossipSettings = [
            .init(key: "replicate", value: "[kv]"), .init(key: "closeGrace", value: "2s"),
            .init(key: "witnesses", value: "2"),
        ]
        scenario.nodeProperties = [.init(key: "supportActingMaster", value: "true")]
        func addresses(_ first: UInt16) -> [Address] { (0..<3).map { Address(host: host, port: first + $0) } }
        let brokers = addresses(3_000)
        return LiveCluster(
            scenario: scenario, arm: arm, directory: "/tmp/x",
            places: LivePlaces(nodes: addresses(1_000), gossip: addresses(2_000), brokers: brokers),
            advertised: [Address(host: host, port: 4_000), brokers[1], brokers[2]], seed: 7)
    }

    /// What is written is valid in every mode, on loopback and beyond, and ten times as fast as the scenario says.
    @Test(arguments: Arm.allCases, ["127.0.0.1", "10.77.0.1"])
    func theFileIsValid(arm: Arm, host: String) throws {
        let cluster = cluster(arm, host: host)
        let directory = TemporaryDirectory()
        let text = cluster.text(for: 1) { reader, other in
            Address(host: host, port: 5_000 + UInt16(10 * reader + other))
        }
        let file = try ClusterConfiguration.load(path: try directory.write(text, to: "ns-2.yaml"))
        #expect(file.timings.heartbeat == .seconds(3) && file.timings.expiry == .seconds(12))
        #expect(file.timings.scan == .seconds(1) && file.timings.routePoll == .seconds(3))
        #expect(file.limits.idleConnection == .seconds(12))
        #expect(file.gossip.period == .milliseconds(100) && file.gossip.closeGrace == .milliseconds(200))
        #expect(file.gossip.replicate == (arm == .replicate ? [.kv] : []))
        // Its own gossip address, and the others' through links.
        #expect(file.nodes.map(\.gossip.port) == [5_010, 2_001, 5_012])
        #expect(file.brokers.map(\.name) == ["broker-a", "broker-b"])
        #expect(file.brokers[0].replicas.map(\.listen.port) == [3_000, 3_001])
        #expect(file.brokers[0].topics.map(\.name) == ["Orders"])
        #expect(file.nameServerProperties.contains { $0.name == "supportActingMaster" } == (arm != .apache))
    }

    @Test func brokersRegisterWhatSlavesAreToDial() {
        let arguments = cluster(.off).brokerArguments(0, nameServers: [Address(host: "127.0.0.1", port: 9)])
        let line = arguments.joined(separator: " ")
        #expect(line.contains("--listen 127.0.0.1:3000 --advertise 127.0.0.1:4000 --namesrv 127.0.0.1:9 --seed 7"))
        #expect(!line.contains("--expiry"))
        #expect(
            cluster(.apache).brokerArguments(0, nameServers: []).joined(separator: " ").contains("--expiry 12000ms"))
    }

    @Test func theUsersCommandGetsPortAndFile() {
        let command = cluster(.apache).apacheCommand(2, "sh mqnamesrv -p %p -c {config} # {port}{port}")
        #expect(command == "sh mqnamesrv -p 1002 -c /tmp/x/ns-3.properties # 10021002")
    }

    @Test func aPeriodThatNoNodeCanDoIsTold() {
        var fast = cluster(.protect)
        #expect(fast.notes.count == 1)
        fast = LiveCluster(
            scenario: {
                var scenario = fast.scenario
                scenario.timeScale = 20
                return scenario
            }(), arm: .protect, directory: "/tmp/x", places: fast.places, advertised: fast.advertised, seed: 7)
        #expect(fast.notes.count == 2 && fast.notes[1].contains("2000 ms"))
        #expect(fast.text(for: nil) { _, _ in fast.nodes[0] }.contains("period: 100ms"))
    }
}
