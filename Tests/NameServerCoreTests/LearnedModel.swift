import Basics
import NameServerCore
import Remoting

/// The merged view written down plainly after gossip.md 2.8: puts what was learned beside the tables of `ReferenceModel`
/// and gives one `ReferenceModel` whose answers the node's must equal. Everything is computed anew at each question.
struct LearnedModel {
    struct Entry {
        var hearsay: Hearsay
        var usableUntil: Instant
    }

    var entries: [ReplicaIdentity: Entry] = [:]

    // MARK: Writing

    mutating func learn(_ hearsay: Hearsay, now: Instant, beside model: ReferenceModel) -> LearnOutcome {
        let until = now + hearsay.usableFor
        if until < now { return .outdated }
        if model.live[.init(cluster: hearsay.cluster, address: hearsay.address)] != nil { return .isFirstHand }
        let slots = model.groups[hearsay.name]?.slots ?? [:]
        if slots[hearsay.id] != nil || slots.values.contains(where: { $0.address == hearsay.address }) {
            return .slotTaken
        }
        let rivals = excluded(by: hearsay.identity)
        for rival in rivals where rival != hearsay.identity {
            guard let held = entries[rival] else { continue }
            let isNewer =
                hearsay.stateVersion > held.hearsay.stateVersion
                || hearsay.stateVersion == held.hearsay.stateVersion && until > held.usableUntil
            if !isNewer { return .slotTaken }
        }
        for rival in rivals { entries[rival] = nil }
        entries[hearsay.identity] = Entry(hearsay: hearsay, usableUntil: until)
        return .learned
    }

    private func excluded(by identity: ReplicaIdentity) -> [ReplicaIdentity] {
        entries.keys.filter { other in
            other.cluster == identity.cluster && other.address == identity.address
                || other.name == identity.name && (other.id == identity.id || other.address == identity.address)
        }
    }

    mutating func giveWay(to identity: ReplicaIdentity) { for other in excluded(by: identity) { entries[other] = nil } }

    mutating func unregister(name: String, address: String) {
        entries = entries.filter { $0.key.name != name || $0.key.address != address }
    }

    mutating func scan(now: Instant) { entries = entries.filter { $0.value.usableUntil >= now } }

    // MARK: Reading

    func merged(with model: ReferenceModel) -> ReferenceModel {
        var merged = model
        let replicas = entries.values.map(\.hearsay).sorted { $0.id < $1.id }
        for replica in replicas {
            merged.clusters[replica.cluster, default: []].insert(replica.name)
            // The one with the smallest id comes first and speaks for a group that is not known first-hand.
            var group =
                merged.groups[replica.name]
                ?? .init(
                    cluster: replica.cluster, actsAsMaster: replica.actingMaster == true, zone: replica.zone)
            group.slots[replica.id] = .init(address: replica.address, cluster: replica.cluster)
            merged.groups[replica.name] = group
        }
        for replica in replicas where contributes(replica, among: replicas, to: merged) {
            let own = model.groups[replica.name]
            // A master that registers rewrites what its acting slave has made read-only.
            let rewrites = replica.id == 0 && own?.actsAsMaster == true && own?.slots[0] == nil
            for (name, topic) in replica.topics where rewrites || model.topics[name]?[replica.name] == nil {
                let isReadOnly = replica.id != 0 && replica.actingMaster == true
                merged.topics[name, default: [:]][replica.name] = QueueData(
                    brokerName: replica.name, readQueueNums: topic.readQueues, writeQueueNums: topic.writeQueues,
                    perm: isReadOnly ? topic.permission & ~2 : topic.permission, topicSysFlag: topic.systemFlag)
            }
        }
        return merged
    }

    private func contributes(_ replica: Hearsay, among all: [Hearsay], to merged: ReferenceModel) -> Bool {
        replica.id == 0 || replica.actingMaster != nil && merged.groups[replica.name]?.smallest == replica.id
    }
}

extension ReferenceModel {
    /// 2.7 on top of 2.6; nil for code 17.
    func route(_ topic: String, zone: String) -> TopicRouteData? {
        guard var route = route(topic) else { return nil }
        let gone = Set(
            (topics[topic] ?? [:]).keys.filter { name in
                guard let group = groups[name] else { return true }
                return group.slots[0] != nil && group.zone != zone
            })
        route.brokerDatas.removeAll { gone.contains($0.brokerName) }
        route.queueDatas.removeAll { gone.contains($0.brokerName) }
        return route
    }

    func addresses(_ name: String) -> [Int64: String] { groups[name]?.slots.mapValues(\.address) ?? [:] }

    func topics(ofCluster cluster: String) -> [String] {
        let names = clusters[cluster] ?? []
        return topics.keys.filter { topic in topics[topic]!.keys.contains { names.contains($0) } }.sorted()
    }

    func unitTopics(_ passes: (Int32) -> Bool) -> [String] {
        topics.keys.filter { topic in
            let first = topics[topic]!.keys.min()!
            return passes(topics[topic]![first]!.topicSysFlag)
        }.sorted()
    }

    var systemTopics: [String] { Set(clusters.keys).union(clusters.values.joined()).sorted() }

    var firstAddress: String? {
        guard let name = groups.keys.min(), let group = groups[name], let id = group.smallest else { return nil }
        return group.slots[id]?.address
    }
}
