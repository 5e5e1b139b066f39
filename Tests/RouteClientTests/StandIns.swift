import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import RouteClient

/// What a stand-in does with requests.
enum Behaviour {
    case answer
    case silent
    case code(Int32)
    case slow(Duration)
}

/// A loop with stand-ins on loopback. A test that does not end by itself within 30 s fails.
final class World {
    let loop: EventLoop
    var keep: [AnyObject] = []
    private var isOverdue = false

    init() throws { loop = try EventLoop() }

    /// Runs until `stop`.
    func run(sourceLocation: SourceLocation = #_sourceLocation) {
        let guardTimer = loop.makeTimer { [self] in
            isOverdue = true
            loop.stop()
        }
        guardTimer.start(at: loop.now + .seconds(30))
        loop.run()
        #expect(!isOverdue, "the test did not end", sourceLocation: sourceLocation)
    }

    func stop() { loop.stop() }

    /// Calls `body` when `condition` holds; looks every 2 ms.
    func when(_ condition: @escaping () -> Bool, _ body: @escaping () -> Void) {
        if condition() { return body() }
        var timer: (any PlatformTimer)?
        timer = loop.makeTimer { [self] in
            _ = timer
            timer = nil
            when(condition, body)
        }
        timer?.start(at: loop.now + .milliseconds(2))
    }

    func nameServer(_ routes: [String: TopicRouteData] = [:]) throws -> StandInNameServer {
        let server = try StandInNameServer(loop, routes)
        keep.append(server)
        return server
    }

    func broker(_ name: String, _ id: Int64 = 0, store: MessageStore = .init()) throws -> StandInBroker {
        let broker = try StandInBroker(loop, name, id, store)
        keep.append(broker)
        return broker
    }

    /// An address where nobody listens.
    func deadAddress() throws -> Address {
        let server = try StandInNameServer(loop, [:])
        server.server.close()
        return server.server.address
    }

    func client(_ nameServers: [Address], seed: UInt64 = 1, _ change: (inout RouteClientOptions) -> Void = { _ in })
        -> RouteClient
    {
        var options = RouteClientOptions()
        options.pollInterval = .milliseconds(50)
        options.nameServerTimeout = .milliseconds(300)
        options.nameServerBackoff = Backoff(first: .milliseconds(20), limit: .milliseconds(40))
        change(&options)
        let client = RouteClient(platform: loop, nameServers: nameServers, options: options, seed: seed)
        keep.append(client)
        return client
    }

    /// A route over stand-in brokers with the same number of queues each.
    static func route(_ brokers: [StandInBroker], queues: Int32 = 2) -> TopicRouteData {
        var groups: [String: [Int64: String]] = [:]
        for broker in brokers { groups[broker.name, default: [:]][broker.id] = broker.address }
        return sampleRoute(brokers: groups, queues: groups.keys.sorted().map { ($0, queues, queues, 6) })
    }
}

/// Answers route queries from a table.
final class StandInNameServer: RemotingServerHandler {
    var routes: [String: TopicRouteData]
    var behaviour = Behaviour.answer
    private(set) var queries: [String] = []
    private(set) var server: RemotingServer!
    var address: Address { server.address }

    init(
        _ loop: EventLoop, _ routes: [String: TopicRouteData], at address: Address = Address(host: "127.0.0.1", port: 0)
    )
        throws
    {
        self.routes = routes
        server = try RemotingServer(platform: loop, address: address, handler: self)
    }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        guard command.code == RequestCode.getRouteInfoByTopic, let topic = command["topic"] else { return }
        queries.append(topic)
        switch behaviour {
        case .silent, .slow: return
        case .code(let code): peer.send(.response(to: command, code: code, remark: "told to"))
        case .answer:
            guard let route = routes[topic] else { return peer.send(.response(to: command, code: 17, remark: "none")) }
            peer.send(.response(to: command, code: 0, body: route.encoded(.standard)))
        }
    }

    func closed(_ peer: RemotingPeer) {}
}

/// The messages of a broker group: a slave that shares it is always up to date.
final class MessageStore {
    var queues: [String: [StoredMessage]] = [:]
    var committed: [String: Int64] = [:]
    var members: [String: Set<String>] = [:]
    var waiting: [() -> Void] = []

    func append(_ message: StoredMessage, to key: String) -> Int64 {
        var stored = message
        stored.queueOffset = Int64(queues[key, default: []].count)
        queues[key, default: []].append(stored)
        let woken = waiting
        waiting.removeAll()
        for wake in woken { wake() }
        return stored.queueOffset
    }
}

/// Stores sends in memory and serves pulls, held until there is something.
final class StandInBroker: RemotingServerHandler {
    let name: String
    let id: Int64
    let store: MessageStore
    var behaviour = Behaviour.answer
    var onSend: ((RemotingCommand) -> Void)?
    private(set) var requests: [Int32: Int] = [:]
    /// How long each pull may be held, in milliseconds.
    private(set) var holds: [String] = []
    private(set) var server: RemotingServer!
    private let loop: EventLoop
    private var peers: [UInt64: RemotingPeer] = [:]
    private let fixedAddress: Address

    var address: String { fixedAddress.description }
    func count(_ code: Int32) -> Int { requests[code] ?? 0 }

    init(_ loop: EventLoop, _ name: String, _ id: Int64, _ store: MessageStore) throws {
        (self.loop, self.name, self.id, self.store) = (loop, name, id, store)
        let probe = try RemotingServer(
            platform: loop, address: Address(host: "127.0.0.1", port: 0), handler: Nobody.shared)
        fixedAddress = probe.address
        probe.close()
    }

    /// Listens; until then, and after `die`, connections are refused.
    func live() throws {
        server = try RemotingServer(platform: loop, address: fixedAddress, handler: self)
    }

    func die() {
        server.close()
        peers.removeAll()
    }

    func notifyMembers(of group: String) {
        for peer in peers.values { peer.send(RemotingCommand(request: 40, fields: ["consumerGroup": group])) }
    }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        peers[peer.id] = peer
        requests[command.code, default: 0] += 1
        switch behaviour {
        case .silent: return
        case .code(let code): return peer.send(.response(to: command, code: code, remark: "told to"))
        case .slow(let delay):
            var timer: (any PlatformTimer)?
            timer = loop.makeTimer { [self] in
                _ = timer
                timer = nil
                answer(command, peer)
            }
            timer?.start(at: loop.now + delay)
        case .answer: answer(command, peer)
        }
    }

    func closed(_ peer: RemotingPeer) { peers[peer.id] = nil }

    private func answer(_ command: RemotingCommand, _ peer: RemotingPeer) {
        let reply = { (code: Int32, fields: KeyValuePairs<String, String>) in
            peer.send(.response(to: command, code: code, fields: fields))
        }
        let queueID = command["queueId"] ?? command["e"] ?? ""
        let key = "\(command["topic"] ?? command["b"] ?? "")/\(queueID)"
        let offsetKey = "\(command["consumerGroup"] ?? "")/\(key)"
        switch command.code {
        case 310:
            onSend?(command)
            var message = StoredMessage(
                topic: command["b"]!, queueID: Int32(queueID)!, queueOffset: 0, body: command.body)
            message.properties = command["i"] ?? ""
            message.sysFlag = Int32(command["f"] ?? "0")!
            let offset = store.append(message, to: key)
            reply(0, ["msgId": "ID\(offset)", "queueId": queueID, "queueOffset": "\(offset)"])
        case 11:
            holds.append(command["suspendTimeoutMillis"] ?? "")
            pull(command, key, peer, mayHold: true)
        case 14:
            guard let offset = store.committed[offsetKey] else { return reply(22, [:]) }
            reply(0, ["offset": "\(offset)"])
        case 15:
            store.committed[offsetKey] = Int64(command["commitOffset"]!)!
            reply(0, [:])
        case 30: reply(0, ["offset": "\(store.queues[key]?.count ?? 0)"])
        case 31: reply(0, ["offset": "0"])
        case 34: beat(command, reply)
        case 35:
            store.members[command["consumerGroup"]!]?.remove(command["clientID"]!)
            reply(0, [:])
        case 38:
            let members = store.members[command["consumerGroup"]!, default: []].sorted()
            if members.isEmpty { return reply(1, [:]) }
            let body = "{\"consumerIdList\":[\(members.map { "\"\($0)\"" }.joined(separator: ","))]}"
            peer.send(.response(to: command, code: 0, body: Array(body.utf8)))
        default: reply(3, [:])
        }
    }

    /// Takes client id and group out of the body as text: the test knows what stands there.
    private func beat(_ command: RemotingCommand, _ reply: (Int32, KeyValuePairs<String, String>) -> Void) {
        let text = String(decoding: command.body, as: UTF8.self)
        let value = { (name: String) in
            String(text.split(separator: "\"\(name)\":\"", maxSplits: 1)[1].prefix { $0 != "\"" })
        }
        let isNew = store.members[value("groupName"), default: []].insert(value("clientID")).inserted
        reply(0, [:])
        if isNew { notifyMembers(of: value("groupName")) }
    }

    private func pull(_ command: RemotingCommand, _ key: String, _ peer: RemotingPeer, mayHold: Bool) {
        let (offset, queue) = (Int(command["queueOffset"]!)!, store.queues[key] ?? [])
        let messages = offset < queue.count ? queue[offset..<min(queue.count, offset + 32)] : []
        if messages.isEmpty, mayHold, offset == queue.count {
            store.waiting.append { [weak self] in self?.pull(command, key, peer, mayHold: false) }
            return
        }
        var body = ByteWriter()
        for message in messages { message.encode(into: &body) }
        let code: Int32 = offset > queue.count ? 21 : messages.isEmpty ? 19 : 0
        let next = offset > queue.count ? queue.count : offset + messages.count
        peer.send(
            .response(
                to: command, code: code,
                fields: [
                    "suggestWhichBrokerId": "0", "nextBeginOffset": "\(next)", "minOffset": "0",
                    "maxOffset": "\(queue.count)",
                ], body: body.array()))
    }
}

private final class Nobody: RemotingServerHandler, Sendable {
    static let shared = Nobody()
    func received(_ command: RemotingCommand, from peer: RemotingPeer) {}
    func closed(_ peer: RemotingPeer) {}
}
