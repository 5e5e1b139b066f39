import Basics
import ClusterView
import HTTPServer
import Platform
import Remoting
import RemotingTransport

/// Answers what a reader asks about one broker or topic.
final class PageQuestions {
    /// Bytes of a name that may be asked for, as RocketMQ's nodes take.
    static let nameBytes = 1_024
    /// Topics told of one search; further ones are counted.
    private static let topicLimit = 200
    /// How long a node's list of topics is used: it may have megabytes, and is asked for while somebody types.
    private static let listLife = Duration.seconds(5)
    /// As RocketMQ's clients.
    private static let timeout = Duration.seconds(3)

    private struct TopicNames: Sendable {
        var node: String
        var names: [String]
    }

    private let platform: any Platform
    private let site: PageSite
    private var connections: [(name: String, connection: RemotingConnection)] = []
    private var list: (at: Instant, topics: TopicNames)?
    /// Searches that wait for the list.
    private var waiting: [(search: String, reply: HTTPReply)] = []

    init(platform: any Platform, site: PageSite) { (self.platform, self.site) = (platform, site) }

    /// Hangs up; what is under way is answered with errors.
    func close() {
        for (_, connection) in connections { connection.close() }
        connections = []
        list = nil
    }

    private func dial() {
        guard connections.isEmpty else { return }
        var options = RemotingConnectionOptions()
        options.connectTimeout = Self.timeout
        options.sign = site.sign
        let platform = site.dialling ?? platform
        connections = site.nodes().map { node in
            (node.name, RemotingConnection(platform: platform, address: node.address, options: options))
        }
    }

    // MARK: Brokers

    /// Why each node sends clients to a broker, or does not: what `hearsay explain` says.
    func explain(_ broker: String, _ model: ClusterModel, _ reply: HTTPReply) {
        platform.offload {
            let explanation = BrokerExplanation(broker, model.nodes.map(\.reading))
            var json = JSONText()
            json.object { json in
                json.member("broker", broker)
                json.member("replicas", explanation.replicas) { Self.add($1, to: &$0) }
            }
            return json.bytes
        } completion: {
            reply.send(HTTPResponse(contentType: "application/json", body: $0))
        }
    }

    private static func add(_ replica: BrokerExplanation.Replica, to json: inout JSONText) {
        json.object { json in
            json.member("name", replica.name)
            json.member("id", replica.id)
            json.member("cluster", replica.cluster)
            json.member("address", replica.address)
            json.member("nodes", replica.nodes) { json, opinion in
                json.object { json in
                    json.member("node", opinion.node)
                    json.member("serves", opinion.serves)
                    json.member("source", opinion.source)
                    json.member("address", opinion.address)
                    json.member("why", opinion.why)
                }
            }
        }
    }

    // MARK: Topics

    /// Topics whose names hold `search`, as the first node lists them that does.
    func topics(_ search: String, _ reply: HTTPReply) {
        if let list, platform.now - list.at < Self.listLife { return find(search, in: list.topics, reply) }
        waiting.append((search, reply))
        guard waiting.count == 1 else { return }
        dial()
        askForTopics(at: 0, "no node answers")
    }

    private func askForTopics(at index: Int, _ reason: String) {
        guard index < connections.count else {
            let replies = waiting
            waiting = []
            for (_, reply) in replies { reply.send(.failure(.serviceUnavailable, reason)) }
            return
        }
        let (name, connection) = connections[index]
        let request = RemotingCommand(request: RequestCode.getAllTopicListFromNameServer)
        connection.call(request, timeout: Self.timeout) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let answer) where answer.code == ResponseCode.success: read(answer.body, of: name)
            case .success(let answer):
                askForTopics(
                    at: index + 1, "\(name) does not list its topics: \(answer.remark ?? "code \(answer.code)")")
            case .failure(let error): askForTopics(at: index + 1, "\(name) does not answer: \(error)")
            }
        }
    }

    private func read(_ body: [UInt8], of node: String) {
        platform.offload {
            (try? TopicList.decode(body)).map { TopicNames(node: node, names: $0.topicList.sorted()) }
        } completion: { [weak self] topics in
            guard let self else { return }
            let searches = waiting
            waiting = []
            list = topics.map { (platform.now, $0) }
            for (search, reply) in searches {
                guard let topics else {
                    reply.send(.failure(.serviceUnavailable, "\(node)'s list of topics cannot be read"))
                    continue
                }
                find(search, in: topics, reply)
            }
        }
    }

    private func find(_ search: String, in topics: TopicNames, _ reply: HTTPReply) {
        platform.offload {
            let wanted = search.lowercased()
            let found = wanted.isEmpty ? topics.names : topics.names.filter { $0.lowercased().contains(wanted) }
            var json = JSONText()
            json.object { json in
                json.member("node", topics.node)
                json.member("count", found.count)
                json.member("topics", Array(found.prefix(Self.topicLimit)))
            }
            return json.bytes
        } completion: {
            reply.send(HTTPResponse(contentType: "application/json", body: $0))
        }
    }

    // MARK: Routes

    /// A topic's route as clients get it, from every node.
    func route(of topic: String, _ reply: HTTPReply) {
        dial()
        let collected = Collected(connections.map(\.name))
        for (index, (_, connection)) in connections.enumerated() {
            let request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
            connection.call(request, timeout: Self.timeout) { result in
                collected.answers[index] = result
                guard collected.answers.allSatisfy({ $0 != nil }) else { return }
                var json = JSONText()
                json.object { json in
                    json.member("topic", topic)
                    json.member("nodes", zip(collected.names, collected.answers)) { Self.add($1.0, $1.1, to: &$0) }
                }
                reply.send(.answer(json))
            }
        }
    }

    private final class Collected {
        let names: [String]
        var answers: [Result<RemotingCommand, RemotingCallError>?]

        init(_ names: [String]) {
            self.names = names
            answers = names.map { _ in nil }
        }
    }

    private static func add(
        _ node: String, _ answer: Result<RemotingCommand, RemotingCallError>?, to json: inout JSONText
    ) {
        json.object { json in
            json.member("node", node)
            switch answer {
            case .success(let answer) where answer.code == ResponseCode.success:
                guard let route = try? TopicRouteData.decode(answer.body) else {
                    return json.member("error", "its answer cannot be read")
                }
                add(route, to: &json)
            case .success(let answer):
                json.member("code", answer.code)
                json.member("error", answer.remark ?? "code \(answer.code)")
            case .failure(let error): json.member("error", "it does not answer: \(error)")
            case nil: json.member("error", "it was not asked")
            }
        }
    }

    private static func add(_ route: TopicRouteData, to json: inout JSONText) {
        let addresses = Dictionary(
            route.brokerDatas.map { ($0.brokerName, $0) }, uniquingKeysWith: { first, _ in first })
        json.member("order", route.orderTopicConf)
        json.member("queues", route.queueDatas.sorted { $0.brokerName < $1.brokerName }) { json, queue in
            json.object { json in
                json.member("broker", queue.brokerName)
                json.member("cluster", addresses[queue.brokerName]?.cluster)
                json.member("read", queue.readQueueNums)
                json.member("write", queue.writeQueueNums)
                json.member("perm", queue.perm)
                let replicas = (addresses[queue.brokerName]?.brokerAddrs ?? [:]).sorted { $0.key < $1.key }
                json.member("replicas", replicas) { json, replica in
                    json.array { json in
                        json.add(replica.key)
                        json.add(replica.value)
                    }
                }
            }
        }
    }
}
