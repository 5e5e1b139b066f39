import Basics
import Remoting

@testable import NameServerCore

/// Registration images written down plainly: dictionaries and strings, no fast path, nothing incremental. It knows from
/// `ReferenceModel` which registrations counted and which entries live.
struct ImageModel {
    struct Image {
        var identity: ReplicaIdentity
        var fields: RegistrationFields
        var version: DataVersion
        var contributes = false
        var topics: [String: ImageTopic] = [:]
        /// When a registration last named each topic.
        var confirmedAt: [String: Instant] = [:]
        /// What the last registration named.
        var last: Set<String> = []

        mutating func expire(now: Instant, window: Duration) {
            for name in topics.keys where !last.contains(name) && confirmedAt[name]! + window < now {
                topics[name] = nil
                confirmedAt[name] = nil
            }
        }

        var hash: UInt64 {
            let sorted = topics.sorted { $0.key < $1.key }.map { (name: $0.key, topic: $0.value) }
            return RegistrationImages([sorted]).registrationHash(of: 0, fields, under: ImageModel.hash)
        }
    }

    static let hash = KeyedHash(low: 11, high: 12)

    var images: [ReferenceModel.LiveKey: Image] = [:]
    let window: Duration

    /// After the reference model took in the registration. A mere repetition confirms topics, but drops none: that is left
    /// to the next scan.
    mutating func register(
        _ request: Registration, now: Instant, _ model: ReferenceModel, hasCounted: Bool, isRepetition: Bool
    ) {
        let key = ReferenceModel.LiveKey(cluster: request.cluster!, address: request.address!)
        guard hasCounted else { return }
        let id = Int64(request.id!)!
        let fields = RegistrationFields(
            haAddress: request.haAddress, zone: request.zone, actingMaster: request.actingMaster.map { $0 == "true" },
            timeoutMillis: request.timeoutMillis ?? 120_000)
        var image =
            images[key] ?? Image(identity: request.identity, fields: fields, version: request.version)
        if image.identity != request.identity { (image.topics, image.confirmedAt, image.last) = ([:], [:], []) }
        image.identity = request.identity
        image.fields = fields
        image.version = request.version
        image.contributes =
            id == 0 || (request.actingMaster != nil && model.groups[request.name!]!.smallest == id)
        if id == 0 || request.actingMaster != nil {
            image.last = Set(request.topics.map(\.topicName))
            for topic in request.topics {
                image.topics[topic.topicName] = ImageTopic(
                    readQueues: topic.readQueueNums, writeQueues: topic.writeQueueNums, permission: topic.perm,
                    systemFlag: topic.topicSysFlag, isOrdered: topic.order)
                image.confirmedAt[topic.topicName] = now
            }
        } else {
            (image.topics, image.confirmedAt, image.last) = ([:], [:], [])
        }
        if !isRepetition { image.expire(now: now, window: window) }
        images[key] = image
    }

    mutating func queryDataVersion(_ cluster: String, _ address: String, _ version: DataVersion, now: Instant) {
        let key = ReferenceModel.LiveKey(cluster: cluster, address: address)
        guard images[key]?.version == version else { return }
        images[key]!.expire(now: now, window: window)
        for name in images[key]!.topics.keys { images[key]!.confirmedAt[name] = now }
    }

    mutating func scan(now: Instant) {
        for key in images.keys { images[key]!.expire(now: now, window: window) }
    }

    /// Forgets the entries that the reference model has no longer.
    mutating func follow(_ model: ReferenceModel) { images = images.filter { model.live[$0.key] != nil } }
}
