import Basics
import NameServerCore
import Remoting

/// A registration as a peer tells it, with the defaults of `Registration`.
struct Hearsay {
    var cluster = "C"
    var name = "broker-a"
    var id: Int64 = 0
    var address = "10.0.0.1:10911"
    var haAddress: String?
    var zone: String?
    var actingMaster: Bool?
    var timeoutMillis: Int64 = 120_000
    var stateVersion: Int64 = 0
    var topics: [(name: String, topic: ImageTopic)] = [
        ("A", ImageTopic(readQueues: 8, writeQueues: 8, permission: 6)),
        ("B", ImageTopic(readQueues: 4, writeQueues: 4, permission: 6)),
    ]
    var origin = "ns-2"
    var isProvisional = false
    /// From when it is learned.
    var usableFor = Duration.seconds(60)

    static let key = KeyedHash(low: 1, high: 2)

    static func topic(
        _ name: String, _ read: Int32 = 4, _ write: Int32 = 4, perm: Int32 = 6, flag: Int32 = 0
    ) -> (name: String, topic: ImageTopic) {
        (name, ImageTopic(readQueues: read, writeQueues: write, permission: perm, systemFlag: flag))
    }

    func with(_ change: (inout Hearsay) -> Void) -> Hearsay {
        var copy = self
        change(&copy)
        return copy
    }

    var identity: ReplicaIdentity { ReplicaIdentity(cluster: cluster, name: name, id: id, address: address) }

    func registration(at now: Instant) -> LearnedRegistration {
        let images = RegistrationImages([topics])
        var summary = RegistrationSummary(
            identity: identity, haAddress: haAddress, zone: zone, actingMaster: actingMaster,
            timeoutMillis: timeoutMillis,
            version: RegistrationVersion(stateVersion: stateVersion, timestamp: 1_700_000_000_000, counter: 1),
            registrationHash: 0, topicCount: topics.count)
        summary.registrationHash = images.registrationHash(of: 0, RegistrationFields(summary), under: Hearsay.key)
        return LearnedRegistration(
            summary: summary, image: images.encoded(replica: 0), origin: origin, isProvisional: isProvisional,
            usableUntil: now + usableFor)
    }
}

extension CoreNode {
    /// A node that keeps images, as learning needs.
    static func tracking(
        properties: NamesrvProperties = NamesrvProperties(), limits: NameServerLimits = NameServerLimits()
    ) -> CoreNode {
        CoreNode(properties: properties, limits: limits, tracking: Hearsay.key)
    }

    @discardableResult
    func learn(_ hearsay: Hearsay = Hearsay()) -> LearnOutcome { learn(hearsay.registration(at: now)) }

    func learn(_ registration: LearnedRegistration) -> LearnOutcome {
        core.learn(registration, now: now, wallTime: wallTime, directives: &directives)
    }

    func forget(_ replica: ReplicaIdentity, cause: String = "told to") {
        core.forgetLearned(replica, cause: cause, now: now, wallTime: wallTime, directives: &directives)
    }

    func forgetAll(cause: String = "told to") {
        core.forgetAllLearned(cause: cause, now: now, wallTime: wallTime, directives: &directives)
    }

    /// What the core dropped by itself since the last `takeDirectives`.
    var drops: [(ReplicaIdentity, LearnedDrop)] {
        directives.compactMap { if case .learnedDropped(let replica, let drop) = $0 { (replica, drop) } else { nil } }
    }

    var eventTexts: [String] {
        directives.compactMap { if case .event(let event) = $0 { event.text } else { nil } }
    }

    func zonedRoute(_ topic: String, zone: String) -> String {
        call(
            RequestCode.getRouteInfoByTopic, ["topic": topic, "__ZONE_MODE": "true", "__ZONE_NAME": zone]
        ).text
    }

    func members(_ name: String) -> String {
        call(RequestCode.getBrokerMemberGroup, ["clusterName": "C", "brokerName": name]).text
    }

    func topics(ofCluster cluster: String) -> String {
        call(RequestCode.getTopicsByCluster, ["cluster": cluster]).text
    }

    /// Body and remark of every request whose answer may show hearsay, for these topics, groups, clusters and zones.
    func everything(topics: [String], groups: [String], clusters: [String], zones: [String] = ["z0"]) -> [String] {
        var answers: [String] = []
        for topic in topics {
            for version: Int32 in [0, 479] {
                let route = route(topic, version: version)
                answers.append("\(route.code) \(route.remark ?? "") \(route.text)")
            }
            for zone in zones { answers.append(zonedRoute(topic, zone: zone)) }
        }
        answers += groups.map { members($0) }
        answers += clusters.map { self.topics(ofCluster: $0) }
        answers += [
            RequestCode.getBrokerClusterInfo, RequestCode.getAllTopicListFromNameServer,
            RequestCode.getSystemTopicListFromNameServer, RequestCode.getUnitTopicList,
            RequestCode.getHasUnitSubTopicList, RequestCode.getHasUnitSubUnunitTopicList,
        ].map { call($0).text }
        return answers
    }
}
