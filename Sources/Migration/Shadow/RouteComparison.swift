import ClusterView
import Remoting

/// Compares what two NameServers answer when asked for a topic's route, as values: order never counts.
///
/// A broker group that one of them does not list at all is one difference of its own (`ListingComparison`), not one per
/// topic, and so is an address in which the two lists of groups differ.
struct RouteComparison {
    private let reference: Side
    private let candidate: Side
    private let comparesBytes: Bool

    private struct Side {
        var groups: [String: BrokerData]
        var topics: Set<String>?

        init(_ listing: ServerListing) {
            groups = listing.groups
            topics = listing.topics
        }
    }

    /// A comparison of answers that came soon after these listings.
    init(reference: ServerListing, candidate: ServerListing, comparesBytes: Bool = false) {
        self.reference = Side(reference)
        self.candidate = Side(candidate)
        self.comparesBytes = comparesBytes
    }

    /// All that differs in a topic's route, and whether only one lists it.
    func findings(_ topic: String, _ ours: RouteAnswer, _ theirs: RouteAnswer) -> [ShadowFinding] {
        switch (ours, theirs) {
        case (.route(let left, let leftBytes), .route(let right, let rightBytes)):
            let findings = routes(topic, left, right)
            if findings.isEmpty, comparesBytes, let difference = ByteDifference(leftBytes, rightBytes) {
                return listing(topic) + [
                    ShadowFinding(.bytes, item: topic, topic: topic, difference.reference, difference.candidate)
                ]
            }
            return findings + listing(topic)
        case (.route(let route, _), .none):
            return route.queueDatas.filter { candidate.groups[$0.brokerName] != nil }.map {
                ShadowFinding(.topic, broker: $0.brokerName, item: topic, topic: topic, $0.words, "no route")
            }
        case (.none, .route(let route, _)):
            return route.queueDatas.filter { reference.groups[$0.brokerName] != nil }.map {
                ShadowFinding(.topic, broker: $0.brokerName, item: topic, topic: topic, "no route", $0.words)
            }
        case _ where ours == theirs: return listing(topic)
        default: return [ShadowFinding(.answer, item: topic, topic: topic, ours.words, theirs.words)]
        }
    }

    private func listing(_ topic: String) -> [ShadowFinding] {
        guard let ours = reference.topics, let theirs = candidate.topics,
            ours.contains(topic) != theirs.contains(topic)
        else { return [] }
        func words(_ topics: Set<String>) -> String { topics.contains(topic) ? "listed" : "not listed" }
        return [ShadowFinding(.listing, item: topic, topic: topic, words(ours), words(theirs))]
    }

    private func routes(_ topic: String, _ left: TopicRouteData, _ right: TopicRouteData) -> [ShadowFinding] {
        queues(topic, left, right) + addresses(topic, left, right) + rest(topic, left, right)
    }

    // MARK: Queues

    private func queues(_ topic: String, _ left: TopicRouteData, _ right: TopicRouteData) -> [ShadowFinding] {
        let (ours, theirs) = (left.queuesByBroker, right.queuesByBroker)
        return Set(ours.keys).union(theirs.keys).sorted().compactMap { broker in
            func finding(_ aspect: ShadowFinding.Aspect, _ left: String, _ right: String) -> ShadowFinding {
                ShadowFinding(aspect, broker: broker, item: topic, topic: topic, left, right)
            }
            switch (ours[broker], theirs[broker]) {
            case (let left?, let right?):
                let (leftShape, rightShape) = (QueueShape(left), QueueShape(right))
                if leftShape == rightShape { return nil }
                if leftShape.isSameSize(as: rightShape) {
                    return finding(.permission, leftShape.permText, rightShape.permText)
                }
                return finding(.queues, left.words, right.words)
            case (let left?, nil):
                return candidate.groups[broker] == nil ? nil : finding(.topic, left.words, "no queues")
            case (nil, let right?):
                return reference.groups[broker] == nil ? nil : finding(.topic, "no queues", right.words)
            case (nil, nil): return nil
            }
        }
    }

    // MARK: Addresses

    private func addresses(_ topic: String, _ left: TopicRouteData, _ right: TopicRouteData) -> [ShadowFinding] {
        let (ours, theirs) = (left.groups, right.groups)
        return Set(ours.keys).union(theirs.keys).sorted().compactMap { broker in
            let (left, right) = (ours[broker], theirs[broker])
            if left?.routeWords == right?.routeWords { return nil }
            // Where both say what their own lists say, the lists differ, and that is told once.
            let isAsListed =
                left?.routeWords == reference.groups[broker]?.routeWords
                && right?.routeWords == candidate.groups[broker]?.routeWords
            if isAsListed { return nil }
            // Without queues there is no address, and that is told.
            guard let left, let right else { return nil }
            return ShadowFinding(
                .addresses, broker: broker, item: topic, topic: topic, left.routeWords, right.routeWords)
        }
    }

    // MARK: The rest

    private func rest(_ topic: String, _ left: TopicRouteData, _ right: TopicRouteData) -> [ShadowFinding] {
        var findings: [ShadowFinding] = []
        func compare(_ aspect: ShadowFinding.Aspect, _ ours: String, _ theirs: String) {
            guard ours != theirs else { return }
            findings.append(ShadowFinding(aspect, item: topic, topic: topic, ours, theirs))
        }
        compare(
            .order, left.orderTopicConf.map { "'\($0)'" } ?? "none", right.orderTopicConf.map { "'\($0)'" } ?? "none")
        let shared = Set(left.addresses).intersection(right.addresses)
        compare(.filterServers, left.filterWords(of: shared), right.filterWords(of: shared))
        let (ours, theirs) = (left.topicQueueMappingByBroker ?? [:], right.topicQueueMappingByBroker ?? [:])
        for broker in Set(ours.keys).union(theirs.keys).sorted() where ours[broker]?.words != theirs[broker]?.words {
            findings.append(
                ShadowFinding(
                    .mapping, broker: broker, item: topic, topic: topic, ours[broker]?.words ?? "none",
                    theirs[broker]?.words ?? "none"))
        }
        return findings
    }
}

extension TopicRouteData {
    fileprivate var queuesByBroker: [String: QueueData] {
        Dictionary(queueDatas.map { ($0.brokerName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    fileprivate var groups: [String: BrokerData] {
        Dictionary(brokerDatas.map { ($0.brokerName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    fileprivate var addresses: [String] { brokerDatas.flatMap(\.brokerAddrs.values) }

    fileprivate func filterWords(of addresses: Set<String>) -> String {
        let servers = filterServerTable.filter { addresses.contains($0.key) && !$0.value.isEmpty }
        guard !servers.isEmpty else { return "none" }
        return servers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.sorted().joined(separator: ", "))" }
            .joined(separator: "; ")
    }
}

extension QueueData {
    /// `4 read and 4 write queues, rw-`.
    fileprivate var words: String {
        let shape = QueueShape(self)
        return "\(shape.sizeText), \(shape.permText)"
    }
}

extension BrokerData {
    fileprivate var routeWords: String { "\(addressWords); \(settingWords)" }
}

extension TopicQueueMappingInfo {
    fileprivate var words: String {
        let queues = currIdMap.sorted { $0.key < $1.key }.map { "\($0.key)→\($0.value)" }.joined(separator: ",")
        return "\(totalQueues) queues, epoch \(epoch), \(queues.isEmpty ? "none here" : queues)"
    }
}
