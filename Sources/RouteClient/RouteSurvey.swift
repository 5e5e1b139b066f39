import Basics
import Platform
import Remoting
import RemotingTransport

/// Asks every NameServer for one topic's route, in parallel, and says who differs.
public struct RouteSurvey: Sendable {
    /// One NameServer's answer.
    public struct Row: Sendable {
        /// The NameServer.
        public var nameServer: Address
        /// Its route, or why there is none.
        public var route: Result<TopicRouteData, RouteClientError>
        /// How it differs from the reference answer, one clause each; empty when it does not, or did not answer.
        public var differences: [String]
    }

    /// In the order given.
    public var rows: [Row]

    /// Whether NameServers that answered disagree.
    public var disagrees: Bool { rows.contains { !$0.differences.isEmpty } }

    /// Calls back once, at the latest after `options.nameServerTimeout`.
    public static func ask(
        platform: any Platform, nameServers: [Address], topic: String, options: RouteClientOptions = .init(),
        completion: @escaping (RouteSurvey) -> Void
    ) {
        var answers = [Result<TopicRouteData, RouteClientError>?](repeating: nil, count: nameServers.count)
        var waiting = nameServers.count
        var connectionOptions = RemotingConnectionOptions()
        connectionOptions.connectTimeout = options.connectTimeout
        connectionOptions.sign = options.sign
        var request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        request.version = options.version
        for (index, address) in nameServers.enumerated() {
            let connection = RemotingConnection(platform: platform, address: address, options: connectionOptions)
            connection.call(request, timeout: options.nameServerTimeout) { result in
                connection.close()
                answers[index] = result.mapError { .noAnswer($0, from: address) }
                    .flatMap { RouteClient.route(in: $0, from: address, topic: topic) }
                waiting -= 1
                if waiting == 0 { completion(RouteSurvey(nameServers, answers.compactMap { $0 })) }
            }
        }
    }

    /// Compares the answers with that of most NameServers; of equally frequent ones, with the first.
    init(_ nameServers: [Address], _ answers: [Result<TopicRouteData, RouteClientError>]) {
        let opinions = answers.map { Opinion($0) }
        let votes = opinions.map { opinion in opinion.map { mine in opinions.filter { $0 == mine }.count } ?? 0 }
        let most = votes.max() ?? 0
        let reference = votes.firstIndex(of: most).flatMap { opinions[$0] }
        rows = zip(nameServers, zip(answers, opinions)).map { address, answer in
            let differences = answer.1.flatMap { mine in reference.map { mine.differences(from: $0) } }
            return Row(nameServer: address, route: answer.0, differences: differences ?? [])
        }
    }
}

/// What a NameServer that answered says about a topic, in comparable lines.
private struct Opinion: Equatable {
    var lines: [String]

    /// Nil when there was no answer to have an opinion from.
    init?(_ answer: Result<TopicRouteData, RouteClientError>) {
        switch answer {
        case .success(let route): lines = route.summaryLines
        case .failure(.noRoute): lines = []
        case .failure: return nil
        }
    }

    func differences(from reference: Opinion) -> [String] {
        if lines.isEmpty, !reference.lines.isEmpty { return ["no route"] }
        return reference.lines.filter { !lines.contains($0) }.map { "lacks \($0)" }
            + lines.filter { !reference.lines.contains($0) }.map { "has \($0)" }
    }
}
