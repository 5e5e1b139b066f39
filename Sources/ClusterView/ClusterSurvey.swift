// Asks every node of a cluster at the same time, each over one connection: status, gossip, broker groups, topics,
// ORDER_TOPIC_CONFIG; and then the route of one topic after the other, a bounded number at a time.

import Basics
import FoundationEssentials
import Platform
import Remoting
import RemotingTransport

/// What to ask.
public struct SurveyOptions: Sendable {
    /// How long a node has for an answer, connecting included. Default 3 s, as RocketMQ's clients.
    public var timeout = Duration.seconds(3)
    /// Topics of which every node may be asked at the same time; bounds what waits in sockets. Default 64.
    public var topicsInFlight = 64
    /// Signs each request; nil = they are not signed.
    public var sign: RequestSigner?
    /// How often a node that answers "ask again" (protocol.md 2.8) is asked. Default 3.
    public var attempts = 3

    /// The defaults above.
    public init() {}
}

/// The asking side of `hearsay status`, `diff` and `explain`. Any NameServer will do; ours say more.
public final class ClusterSurvey {
    private let platform: any Platform
    private let options: SurveyOptions
    private var nodes: [(name: String, address: Address)]
    private let connections: [RemotingConnection]
    private var readings: [NodeReading] = []
    private var waiting = 0
    private var completion: (([NodeReading]) -> Void)?
    private var sweep: TopicSweep?

    /// A survey of nodes in their configured order; nothing happens until something is asked.
    public init(platform: any Platform, nodes: [(name: String, address: Address)], options: SurveyOptions = .init()) {
        self.platform = platform
        self.nodes = nodes
        self.options = options
        var connectionOptions = RemotingConnectionOptions()
        connectionOptions.connectTimeout = options.timeout
        connectionOptions.sign = options.sign
        connections = nodes.map {
            RemotingConnection(platform: platform, address: $0.address, options: connectionOptions)
        }
    }

    /// Closes all connections; what is under way calls back with errors.
    public func close() {
        for connection in connections { connection.close() }
    }

    /// Reads every node and calls back once, at the latest after the time a node has for an answer, and a little more
    /// when one has to be asked again. One reading at a time.
    ///
    /// - Parameters:
    ///   - includesTopics: whether to ask for the list of topics and ORDER_TOPIC_CONFIG.
    ///   - topic: a topic whose route is wanted, too.
    public func read(
        includesTopics: Bool, routeOf topic: String? = nil, completion: @escaping ([NodeReading]) -> Void
    ) {
        precondition(self.completion == nil, "a reading is under way")
        self.completion = completion
        readings = nodes.map { NodeReading(name: $0.name, address: $0.address) }
        // One more, so that nothing completes before everything is asked.
        waiting = 1
        for index in nodes.indices {
            askForGroups(index, attempts: options.attempts)
            if includesTopics { askForTopics(index) }
            if let topic { askForRoute(index, of: topic) }
        }
        done()
    }

    /// Compares the routes of the topics at all nodes that answered, and calls back once, with what answers it could not
    /// compare, one clause each.
    public func compare(
        topics: [String], at readings: [NodeReading], completion: @escaping (TopicComparison, [String]) -> Void
    ) {
        let sweep = TopicSweep(
            readings: readings, connections: connections, topics: topics, timeout: options.timeout,
            inFlight: options.topicsInFlight)
        self.sweep = sweep
        sweep.start { [weak self] comparison, notes in
            self?.sweep = nil
            completion(comparison, notes)
        }
    }

    // MARK: One node

    /// What only our nodes tell. Others say that they do not know the request, but for Apache's 4.x, which says nothing at
    /// all (protocol.md, Appendix A): those are not asked.
    private func askForStatus(_ index: Int) {
        ask(index, RemotingCommand(request: RequestCode.getNodeStatus, fields: ["sinceEvent": "0"])) { node, answer in
            guard answer.code == ResponseCode.success else { return }
            node.status = try? JSONDecoder().decode(NodeStatus.self, from: Data(answer.body))
            node.software = node.status?.software ?? node.software
            if node.status == nil { node.notes.append("its status cannot be read") }
        }
        ask(index, RemotingCommand(request: RequestCode.getGossipStatus)) { node, answer in
            guard answer.code == ResponseCode.success else { return }
            node.gossip = try? JSONDecoder().decode(GossipStatus.self, from: Data(answer.body))
        }
    }

    private func askForGroups(_ index: Int, attempts: Int) {
        ask(index, RemotingCommand(request: RequestCode.getBrokerClusterInfo)) { [weak self] node, answer in
            if node.software == nil {
                node.software = softwareName(version: answer.version, language: answer.language)
                if answer.version >= RemotingVersion.v5_0_0 { self?.askForStatus(index) }
            }
            if answer.code == ResponseCode.success, let info = try? ClusterInfo.decode(answer.body) {
                node.groups = info.brokerAddrTable
            } else if answer.code == ResponseCode.systemError, attempts > 1 {
                // Apache's reads its tables without a lock, and fails now and then while brokers register.
                self?.askForGroups(index, attempts: attempts - 1)
            } else {
                node.error = "it does not tell its brokers: \(Self.refusal(answer))"
            }
        }
    }

    private func askForTopics(_ index: Int) {
        ask(index, RemotingCommand(request: RequestCode.getAllTopicListFromNameServer)) { node, answer in
            if answer.code == ResponseCode.success, let list = try? TopicList.decode(answer.body) {
                node.topics = Set(list.topicList)
            } else {
                node.notes.append("it does not list its topics: \(Self.refusal(answer))")
            }
        }
        let fields: KeyValuePairs = ["namespace": ClusterComparison.orderNamespace]
        ask(index, RemotingCommand(request: RequestCode.getKVListByNamespace, fields: fields)) { node, answer in
            if answer.code == ResponseCode.success, let table = try? KVTable.decode(answer.body) {
                node.orderTopics = table.table
            } else if answer.code == ResponseCode.queryNotFound {
                node.orderTopics = [:]
            } else {
                node.notes.append("it does not tell \(ClusterComparison.orderNamespace): \(Self.refusal(answer))")
            }
        }
    }

    private func askForRoute(_ index: Int, of topic: String) {
        let request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        ask(index, request) { node, answer in
            if answer.code == ResponseCode.success { node.route = try? TopicRouteData.decode(answer.body) }
        }
    }

    private func ask(
        _ index: Int, _ request: RemotingCommand, _ take: @escaping (inout NodeReading, RemotingCommand) -> Void
    ) {
        waiting += 1
        connections[index].call(request, timeout: options.timeout) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let answer): take(&self.readings[index], answer)
            case .failure(let error):
                // One that falls silent halfway has said nothing that can be relied on.
                if self.readings[index].error == nil { self.readings[index].error = error.description }
            }
            self.done()
        }
    }

    private func done() {
        waiting -= 1
        guard waiting == 0 else { return }
        adoptNames()
        let completion = completion
        self.completion = nil
        completion?(readings)
    }

    /// Nodes that are known by address only are called as they call themselves, as their peers do, unless two share a name.
    private func adoptNames() {
        let own = readings.map { $0.status?.node ?? "" }
        for index in nodes.indices where nodes[index].name == nodes[index].address.description {
            let name = own[index]
            guard !name.isEmpty, own.count(where: { $0 == name }) == 1, !nodes.contains(where: { $0.name == name })
            else { continue }
            nodes[index].name = name
            readings[index].name = name
        }
    }

    private static func refusal(_ answer: RemotingCommand) -> String {
        guard answer.code != ResponseCode.success else { return "its answer cannot be read" }
        let remark = answer.remark?.split(separator: "\n").first.map { ", \($0)" } ?? ""
        return "code \(answer.code)\(remark)"
    }
}

/// Asks every node for one topic's route after the other.
private final class TopicSweep {
    private let topics: [String]
    private let connections: [RemotingConnection]
    private let names: [String]
    private let timeout: Duration
    private let inFlight: Int
    private var isAsked: [Bool]
    private var comparison: TopicComparison
    private var notes: [String?]
    private var next = 0
    private var running = 0
    private var completion: ((TopicComparison, [String]) -> Void)?

    private final class Pending {
        var answers: [TopicAnswer]
        var waiting = 0
        init(_ count: Int) { answers = Array(repeating: .unknown, count: count) }
    }

    init(
        readings: [NodeReading], connections: [RemotingConnection], topics: [String], timeout: Duration, inFlight: Int
    ) {
        self.topics = topics
        self.connections = connections
        self.timeout = timeout
        self.inFlight = inFlight
        names = readings.map(\.name)
        isAsked = readings.map(\.isUp)
        comparison = TopicComparison(readings)
        notes = readings.map { _ in nil }
    }

    func start(completion: @escaping (TopicComparison, [String]) -> Void) {
        self.completion = completion
        fill()
    }

    private func fill() {
        while running < inFlight, next < topics.count, isAsked.contains(true) {
            running += 1
            ask(topics[next])
            next += 1
        }
        guard running == 0, let completion else { return }
        self.completion = nil
        completion(comparison, notes.compactMap { $0 })
    }

    private func ask(_ topic: String) {
        let pending = Pending(connections.count)
        pending.waiting = isAsked.count { $0 }
        let request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        for index in connections.indices where isAsked[index] {
            connections[index].call(request, timeout: timeout) { [self] result in
                pending.answers[index] = answer(index, result)
                pending.waiting -= 1
                guard pending.waiting == 0 else { return }
                comparison.add(topic, pending.answers)
                running -= 1
                fill()
            }
        }
    }

    private func answer(_ index: Int, _ result: Result<RemotingCommand, RemotingCallError>) -> TopicAnswer {
        switch result {
        case .success(let answer) where answer.code == ResponseCode.success:
            guard let route = try? TopicRouteData.decode(answer.body) else {
                notes[index] = "\(names[index]): a route cannot be read"
                return .unknown
            }
            return .queues(
                Dictionary(
                    route.queueDatas.map { ($0.brokerName, QueueShape($0)) }, uniquingKeysWith: { first, _ in first }))
        case .success(let answer) where answer.code == ResponseCode.topicNotExist: return .none
        case .success(let answer):
            notes[index] = "\(names[index]): it refuses routes, code \(answer.code) \(answer.remark ?? "")"
            return .unknown
        case .failure(let error):
            // A node that is lost is not asked for every further topic as well.
            isAsked[index] = false
            notes[index] = "\(names[index]): it was lost while routes were compared: \(error)"
            return .unknown
        }
    }
}
