import Basics
import Remoting

// What the tables say to a registration before anything is touched (protocol.md 2.5 steps 4 to 9, 2.24). All that can
// refuse it is looked at here, so that a refusal changes nothing.

/// The three names of a registration as numbers; references to them are held while it is processed.
struct RegistrationNames {
    var cluster: ClusterID
    var group: GroupID
    var address: AddressID
}

/// A registration on its way into the tables.
struct IncomingRegistration {
    var request: RegistrationRequest
    var names: RegistrationNames
    var fingerprint: BodyFingerprint
    var arrival: Arrival
}

/// Where a registration finds its replica.
struct RegistrationStanding {
    /// The live entry of (cluster, address).
    var live: LiveID?
    var groupExists: Bool
    /// Who holds the broker id, once an older id of the same address is given up (step 5).
    var holder: AddressID?
    /// The smallest id of the group before, 0 in an empty group (step 4).
    var previousSmallest: Int64
    /// Whether its topics enter the tables: a master's do, and those of the smallest slave of a 5.x group (step 9).
    var contributesTopics: Bool
    /// Whether they may, whoever else is there: those of an old slave never do. Nodes that heard the same replicas in another
    /// order agree on this, and so on images.
    var mayContribute: Bool

    /// RocketMQ's `registerFirst`: nobody held this id before.
    var isFirst: Bool { holder == nil }
}

enum RegistrationVerdict {
    case accepted
    /// Another address holds the id with a newer stateVersion: answered with success, not registered (step 6).
    case outranked(by: String)
    case refused(String)
}

extension NameServer {
    mutating func retainNames(of request: RegistrationRequest) -> RegistrationNames {
        RegistrationNames(
            cluster: request.cluster.withBytes { tables.clusterNames.retain($0) },
            group: request.name.withBytes { tables.groupNames.retain($0) },
            address: request.address.withBytes { tables.addressNames.retain($0) })
    }

    mutating func release(_ names: RegistrationNames) {
        tables.clusterNames.release(names.cluster)
        tables.groupNames.release(names.group)
        tables.addressNames.release(names.address)
    }

    func standing(of registration: IncomingRegistration) -> RegistrationStanding {
        let request = registration.request
        let names = registration.names
        let groupExists = tables.exists(names.group)
        let slots = groupExists ? tables.groups[names.group.index].slots : []
        let remaining = slots.filter { $0.address != names.address || $0.brokerID == request.brokerID }
        let isSmallest = remaining.allSatisfy { $0.brokerID >= request.brokerID }
        return RegistrationStanding(
            live: tables.live(cluster: names.cluster, address: names.address),
            groupExists: groupExists,
            holder: remaining.first { $0.brokerID == request.brokerID }?.address,
            previousSmallest: slots.first?.brokerID ?? 0,
            contributesTopics: request.brokerID == 0 || (request.actingMaster != nil && isSmallest),
            mayContribute: request.brokerID == 0 || request.actingMaster != nil)
    }

    func judge(
        _ registration: IncomingRegistration, _ body: RegistrationBody, _ standing: RegistrationStanding
    ) -> RegistrationVerdict {
        if let limit = exceededLimit(registration, body, standing) { return .refused(limit) }
        if let holder = standing.holder, holder != registration.names.address,
            let rival = tables.live(cluster: registration.names.cluster, address: holder),
            tables.live[rival.index].dataVersion.stateVersion > body.dataVersion.stateVersion
        {
            return .outranked(by: tables.live[rival.index].addressText)
        }
        // A registration of one topic is an increment; it must not bring a replica into being (step 7). The reference
        // leaves a group without addresses behind; here nothing has been touched yet.
        if standing.isFirst, body.topics.count == 1 { return .refused("register broker failed") }
        return .accepted
    }

    private func exceededLimit(
        _ registration: IncomingRegistration, _ body: RegistrationBody, _ standing: RegistrationStanding
    ) -> String? {
        let request = registration.request
        for text in [request.cluster, request.name, request.address, request.haAddress ?? "", request.zone ?? ""]
        where text.utf8.count > limits.nameBytes {
            return "a name of \(text.utf8.count) bytes is above the limit of \(limits.nameBytes)"
        }
        if standing.live == nil, tables.liveCount >= limits.brokers {
            return "the limit of \(limits.brokers) brokers is reached"
        }
        if tables.clusterCount >= limits.clusters, !tables.exists(registration.names.cluster) {
            return "the limit of \(limits.clusters) clusters is reached"
        }
        if let servers = body.filterServers,
            servers.count > limits.filterServers || servers.contains(where: { $0.utf8.count > limits.nameBytes })
        {
            return "more than \(limits.filterServers) filter servers, or one longer than \(limits.nameBytes) bytes"
        }
        return standing.contributesTopics ? exceededTopicLimit(body) : nil
    }

    private func exceededTopicLimit(_ body: RegistrationBody) -> String? {
        for topic in body.topics where Int(topic.nameLength) > limits.topicNameBytes {
            return "a topic name of \(topic.nameLength) bytes is above the limit of \(limits.topicNameBytes)"
        }
        let taken = tables.topicNames.count + topicsToCome
        // Which of the topics are new matters, and is looked up, near the limit only.
        guard taken + body.topics.count + body.mappingInfos.count > limits.topics else { return nil }
        var unknown = body.mappingInfos.count
        body.withNames { names in
            for topic in body.topics {
                if tables.topicNames.lookup(names.part(topic.nameStart, topic.nameLength)) == nil { unknown += 1 }
            }
        }
        guard unknown > 0, taken + unknown > limits.topics else { return nil }
        return "\(unknown) new topics would exceed the limit of \(limits.topics)"
    }
}
