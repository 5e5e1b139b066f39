import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

/// Plays a scene on a real event loop: each step waits for something to be true and then acts. Nothing sleeps.
final class Stage {
    let loop: EventLoop
    private var steps: [(name: String, condition: () -> Bool, action: () -> Void)] = []
    private var deadline = Instant.distantFuture
    private lazy var timer = loop.makeTimer { [unowned self] in look() }

    init() throws { loop = try EventLoop() }

    /// After the steps before: when `condition` holds, act.
    func when(_ name: String, _ condition: @escaping () -> Bool, then action: @escaping () -> Void = {}) {
        steps.append((name, condition, action))
    }

    /// Runs until every step has happened; records an issue that names the one that did not.
    func run(within limit: Duration = .seconds(20)) {
        deadline = loop.now + limit
        look()
        loop.run()
    }

    private func look() {
        while let step = steps.first, step.condition() {
            steps.removeFirst()
            step.action()
        }
        if let step = steps.first, loop.now > deadline { Issue.record("did not happen in time: \(step.name)") }
        if steps.isEmpty || loop.now > deadline { return loop.stop() }
        timer.start(at: loop.now + .milliseconds(1))
    }
}

/// A NameServer that only takes notes.
final class NoteTakingNameServer: RemotingServerHandler {
    enum Mood { case accepting, refusing(Int32), silent }

    var mood = Mood.accepting
    /// What it answers slaves.
    var masterAddress: Address?
    private(set) var registrations: [RemotingCommand] = []
    private(set) var unregistrations: [RemotingCommand] = []
    private(set) var heartbeats = 0
    private var server: RemotingServer?
    private var peers: [UInt64: RemotingPeer] = [:]
    private(set) var address = Address(host: "127.0.0.1", port: 0)

    func open(_ loop: EventLoop) throws {
        let server = try RemotingServer(platform: loop, address: address, handler: self)
        self.server = server
        address = server.address
    }

    /// Closes the port and every connection.
    func close() {
        server?.close()
        server = nil
    }

    func dropConnections() { for peer in peers.values { peer.close() } }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        peers[peer.id] = peer
        switch command.code {
        case 103: registrations.append(command)
        case 104: unregistrations.append(command)
        case 904: heartbeats += 1
        default: Issue.record("request \(command.code) to a NameServer")
        }
        if command.isOneway { return }
        switch mood {
        case .silent: return
        case .refusing(let code): peer.send(.response(to: command, code: code, remark: "no", fields: [:]))
        case .accepting:
            var answer = RemotingCommand.response(to: command, code: 0, fields: [:])
            if command["brokerId"] != "0", let masterAddress { answer["masterAddr"] = "\(masterAddress)" }
            peer.send(answer)
        }
    }

    func closed(_ peer: RemotingPeer) { peers[peer.id] = nil }

    /// How many topics the registration number `index` carried; from the end when negative.
    func topics(of index: Int) -> [String] {
        let command = registrations[index < 0 ? registrations.count + index : index]
        let text = String(decoding: command.body, as: UTF8.self)
        return text.split(separator: "\"topicName\":\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }
}

/// A client's connection; answers are kept in the order of the calls.
final class TestClient {
    let connection: RemotingConnection
    private(set) var answers: [RemotingCommand?] = []

    init(_ loop: EventLoop, _ address: Address) {
        connection = RemotingConnection(platform: loop, address: address)
    }

    func call(_ code: Int32, _ fields: KeyValuePairs<String, String>, body: String = "") {
        let index = answers.count
        answers.append(nil)
        connection.call(
            RemotingCommand(request: code, fields: fields, body: Array(body.utf8)), timeout: .seconds(10)
        ) { [weak self] in self?.answers[index] = try? $0.get() }
    }

    func send(_ text: String, to topic: String, queue: Int32 = 0) {
        call(
            310,
            [
                "a": "P", "b": topic, "c": "TBW102", "d": "4", "e": "\(queue)", "f": "0", "g": "0", "h": "0", "i": "",
            ], body: text)
    }

    func pull(_ topic: String, from offset: Int64, suspend: Int64 = 0) {
        call(
            11,
            [
                "consumerGroup": "G", "topic": topic, "queueId": "0", "queueOffset": "\(offset)", "maxMsgNums": "32",
                "sysFlag": "2", "commitOffset": "0", "suspendTimeoutMillis": "\(suspend)", "subVersion": "0",
            ])
    }
}
