import Basics
import Platform
import Remoting
import RemotingTransport
import Simulator

/// The experimenter's machine: it watches, and does what operators do, over links on which nothing ever happens.
final class Experimenter {
    private(set) var observer: Observer!
    private let platform: SimulatedPlatform
    private unowned let testbed: SimulatedTestbed
    private var connections: [Address: RemotingConnection] = [:]

    /// Looks this often between two scans, and never less often than every half second.
    private static let looksPerScan = 10
    private static let longestInterval = Duration.milliseconds(500)

    init(_ testbed: SimulatedTestbed, host: Host, seed: UInt64) {
        self.testbed = testbed
        platform = SimulatedPlatform(on: host, seed: seed)
        testbed.makeLinksIdeal(of: host)
        let interval = min(testbed.scenario.timings.scan / Self.looksPerScan, Self.longestInterval)
        observer = Observer(
            platform: platform, scenario: testbed.scenario, nodes: testbed.nodes.map(\.address), interval: interval,
            time: { [unowned testbed] in testbed.time }, onEvent: { [unowned testbed] in testbed.tell($0.kind) })
    }

    /// Sends a command; one that is refused, or stays without an answer, becomes a note.
    ///
    /// - Parameter words: what is done, for the note: `PUT_KV_CONFIG at ns-2`.
    func command(_ words: String, _ request: RemotingCommand, to address: Address) {
        let connection = connections[address] ?? RemotingConnection(platform: platform, address: address)
        connections[address] = connection
        connection.call(request, timeout: .seconds(3)) { [unowned testbed] result in
            switch result {
            case .success(let answer) where answer.code == ResponseCode.success: break
            case .success(let answer):
                testbed.tell(.note("\(words): code \(answer.code) \(answer.remark ?? "")"))
            case .failure(let error): testbed.tell(.note("\(words): \(error)"))
            }
        }
    }
}
