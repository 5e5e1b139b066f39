// One reading of both servers: their lists, then the route of one topic after the other in both dialects, paced.

import Basics
import ClusterView
import Platform
import Remoting
import RemotingTransport

/// One of the two NameServers.
public enum ShadowServer: String, Hashable, Sendable, CaseIterable {
    /// The one that is trusted, Apache's as a rule.
    case reference
    /// The one that shall take its place.
    case candidate

    var index: Int { self == .reference ? 0 : 1 }
}

/// Why a reading has no result.
struct ShadowFailure: Error, Hashable, Sendable {
    var server: ShadowServer
    var reason: String
}

/// What a reading found.
struct ShadowResult: Sendable {
    var findings: [ShadowFinding]
    var listings: [ServerListing]
    var topics: Int
    var notes: [String]
}

/// Asks both servers the same, once. Calls back exactly once.
final class ShadowReading {
    private let platform: any Platform
    private let connections: [RemotingConnection]
    private let options: ShadowOptions
    /// The topics to ask for; nil all that the options choose.
    private let only: Set<String>?
    private var completion: ((Result<ShadowResult, ShadowFailure>) -> Void)?
    private var listings = [ServerListing(), ServerListing()]
    private var notes: [String] = []
    private var findings: [ShadowFinding] = []
    private var routes: RouteComparison?
    private var waiting = 0
    private var next = 0
    private var running = 0
    private var slot = Instant.zero
    private lazy var timer = platform.makeTimer { [weak self] in self?.fill() }

    /// Topics chosen; none until both have told theirs.
    private(set) var topics: [String] = []
    /// Topics compared so far.
    private(set) var compared = 0
    /// When it began.
    let began: Instant

    init(
        platform: any Platform, connections: [RemotingConnection], options: ShadowOptions, only: Set<String>?,
        completion: @escaping (Result<ShadowResult, ShadowFailure>) -> Void
    ) {
        self.platform = platform
        self.connections = connections
        self.options = options
        self.only = only
        self.completion = completion
        began = platform.now
    }

    /// What differs so far.
    var findingCount: Int { findings.count }

    func start() {
        // One more, so that nothing completes before everything is asked.
        waiting = 1
        for server in ShadowServer.allCases {
            askForCluster(server, attempts: ShadowOptions.attempts)
            ask(server, RemotingCommand(request: RequestCode.getAllTopicListFromNameServer)) { listing, answer in
                if answer.code == ResponseCode.success, let list = try? TopicList.decode(answer.body) {
                    listing.topics = Set(list.topicList)
                } else {
                    listing.refusals.append("does not list its topics: \(answer.refusal)")
                }
            }
            for namespace in options.namespaces { askForTable(server, namespace) }
        }
        oneListed()
    }

    /// Ends it without a call back.
    func cancel() {
        completion = nil
        timer.cancel()
    }

    // MARK: Lists

    private func askForCluster(_ server: ShadowServer, attempts: Int) {
        ask(server, RemotingCommand(request: RequestCode.getBrokerClusterInfo)) { [weak self] listing, answer in
            listing.software = softwareName(version: answer.version, language: answer.language)
            if answer.code == ResponseCode.success, let info = try? ClusterInfo.decode(answer.body) {
                listing.cluster = info
                listing.clusterBytes = answer.body
            } else if attempts > 1 {
                self?.askForCluster(server, attempts: attempts - 1)
            } else {
                self?.fail(server, "does not tell its brokers: \(answer.refusal)")
            }
        }
    }

    private func askForTable(_ server: ShadowServer, _ namespace: String) {
        let request = RemotingCommand(request: RequestCode.getKVListByNamespace, fields: ["namespace": namespace])
        ask(server, request) { listing, answer in
            if answer.code == ResponseCode.success, let table = try? KVTable.decode(answer.body) {
                listing.keyValues[namespace] = .some(table.table)
            } else if answer.code == ResponseCode.queryNotFound {
                listing.keyValues[namespace] = .some([:])
            } else {
                listing.keyValues[namespace] = .some(nil)
                listing.refusals.append("does not tell \(namespace): \(answer.refusal)")
            }
        }
    }

    private func ask(
        _ server: ShadowServer, _ request: RemotingCommand,
        _ take: @escaping (inout ServerListing, RemotingCommand) -> Void
    ) {
        waiting += 1
        connections[server.index].call(request, timeout: options.timeout) { [weak self] result in
            guard let self, self.completion != nil else { return }
            switch result {
            case .success(let answer):
                take(&self.listings[server.index], answer)
                self.oneListed()
            case .failure(let error): self.fail(server, error.description)
            }
        }
    }

    private func oneListed() {
        waiting -= 1
        guard waiting == 0, completion != nil else { return }
        for server in ShadowServer.allCases {
            notes += listings[server.index].refusals.map { "the \(server) \($0)" }
        }
        findings = ListingComparison.findings(
            reference: listings[0], candidate: listings[1], comparesBytes: options.comparesBytes)
        routes = RouteComparison(
            reference: listings[0], candidate: listings[1], comparesBytes: options.comparesBytes)
        topics = chosenTopics()
        slot = platform.now
        fill()
    }

    private func chosenTopics() -> [String] {
        if let only { return only.sorted() }
        switch options.topics {
        case .none: return []
        case .named(let names): return Set(names).sorted()
        case .all(let limit):
            let all = listings.reduce(into: Set<String>()) { $0.formUnion($1.topics ?? []) }.sorted()
            if all.count > limit { notes.append("compared \(limit) of \(all.count) topics") }
            return Array(all.prefix(limit))
        }
    }

    // MARK: Routes

    private func fill() {
        let now = platform.now
        // Slots that passed while answers were awaited are not made up for, but for what a timer is late.
        slot = max(slot, now + (.zero - ShadowOptions.burst))
        while completion != nil, running < ShadowOptions.topicsInFlight, next < topics.count, slot <= now {
            running += 1
            let topic = topics[next]
            next += 1
            slot = slot + .seconds(2 / options.rate)
            RoutePair(topic).ask(connections, timeout: options.timeout) { [weak self] result in
                self?.took(topic, result)
            }
        }
        if completion != nil, running == 0, next == topics.count { return finish() }
        if running < ShadowOptions.topicsInFlight, next < topics.count { timer.start(at: slot) }
    }

    private func took(_ topic: String, _ result: Result<[[RouteAnswer]], ShadowFailure>) {
        guard completion != nil else { return }
        running -= 1
        switch result {
        case .failure(let failure): fail(failure.server, failure.reason)
        case .success(let answers):
            compared += 1
            let ofDialects = answers.map { routes?.findings(topic, $0[0], $0[1]) ?? [] }
            findings += ShadowFinding.merged(standard: ofDialects[0], legacy: ofDialects[1])
            fill()
        }
    }

    // MARK: The end

    private func finish() {
        let completion = completion
        cancel()
        completion?(
            .success(ShadowResult(findings: findings, listings: listings, topics: topics.count, notes: notes)))
    }

    private func fail(_ server: ShadowServer, _ reason: String) {
        let completion = completion
        cancel()
        completion?(.failure(ShadowFailure(server: server, reason: reason)))
    }
}

/// Asks both servers for one route, as new clients read it and as old ones do.
private final class RoutePair {
    private let topic: String
    /// By dialect, standard first, then by server.
    private var answers: [[RouteAnswer]] = [[.none, .none], [.none, .none]]
    private var waiting = 4
    private var failure: ShadowFailure?

    init(_ topic: String) { self.topic = topic }

    func ask(
        _ connections: [RemotingConnection], timeout: Duration,
        completion: @escaping (Result<[[RouteAnswer]], ShadowFailure>) -> Void
    ) {
        for (dialect, request) in requests.enumerated() {
            for server in ShadowServer.allCases {
                connections[server.index].call(request, timeout: timeout) { [self] result in
                    switch result {
                    case .success(let answer): answers[dialect][server.index] = RouteAnswer(answer)
                    case .failure(let error):
                        failure = failure ?? ShadowFailure(server: server, reason: error.description)
                    }
                    waiting -= 1
                    if waiting == 0 { completion(failure.map { .failure($0) } ?? .success(answers)) }
                }
            }
        }
    }

    /// As a Java client of 5.3 asks, and as the Go client does, whose dialect is that of 4.9.0 too.
    private var requests: [RemotingCommand] {
        let standard = RemotingCommand(
            request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic, "acceptStandardJsonOnly": "true"])
        var legacy = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        legacy.version = RemotingVersion.goClient
        legacy.language = LanguageCode.go.rawValue
        return [standard, legacy]
    }
}

extension RemotingVersion {
    /// What the Go client v2 says it is (protocol.md 1.7): it reads the legacy dialect.
    fileprivate static let goClient: Int32 = 317
}

extension RemotingCommand {
    /// Why it is no answer that can be used.
    fileprivate var refusal: String {
        guard code != ResponseCode.success else { return "its answer cannot be read" }
        return "code \(code)" + (remark?.split(separator: "\n").first.map { ", \($0)" } ?? "")
    }
}
