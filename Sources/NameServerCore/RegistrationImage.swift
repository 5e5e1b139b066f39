import Basics
import Remoting

/// What one replica's registrations confirm of its topics, kept packed: 32 bytes a topic and the name's reference.
///
/// A broker may send its topics in pieces (split registration) or send only what changed, so an image is put together
/// from several registrations. The topics of the last one stay as long as the live entry. One that only an earlier one
/// named goes when nothing has confirmed it for `confirmationWindow`; QUERY_DATA_VERSION with the registered version
/// confirms all. What the tables still hold beyond the image is residue.
///
/// The hash is kept with every change, so a changed registration costs its difference in hashing.
struct RegistrationImage {
    struct Entry {
        /// Holds a reference to the name.
        var topic: TopicID
        var value: ImageTopic
        /// When a registration last named it; `.distantFuture`: the last one did.
        var confirmedAt: Instant

        var isCurrent: Bool { confirmedAt == .distantFuture }
    }

    /// Ordered by topic number.
    private(set) var entries: ContiguousArray<Entry> = []
    /// XOR over the topics.
    private(set) var topicsHash: UInt64 = 0
    /// At least the bytes that the topics take in a run of their own, names included.
    private(set) var encodedBytes = 0
    /// When QUERY_DATA_VERSION last confirmed all topics.
    private(set) var confirmedAt = Instant.never
    /// Whether its topics entered the tables with its last registration; those of a slave do not while its master is there.
    var contributes = false
    /// The replica's own zone; the group has that of whoever registered last.
    var zone: String?
    var fieldsHash: UInt64 = 0
    /// How many of the topics the tables have for the group, as of the group's revision `countedAt`.
    var presentCount = 0
    var countedAt: UInt64 = 0
    /// The residue of which the gossip layer was told last.
    var toldResidue = 0

    var registrationHash: UInt64 { topicsHash ^ fieldsHash }

    /// Bytes that the place of a topic's name takes at most in a run, and the two counts of a run.
    private static let placeBytes = 3
    static let countBytes = 6

    func position(of topic: TopicID) -> Int? {
        let place = place(of: topic, below: entries.count)
        return place < entries.count && entries[place].topic == topic ? place : nil
    }

    /// Where the topic stands, or would stand, among the first `end` entries.
    private func place(of topic: TopicID, below end: Int) -> Int {
        var low = 0
        var high = end
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].topic < topic { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Changes

    /// Takes in an accepted registration.
    ///
    /// - Parameters:
    ///   - ids: the numbers of its topics.
    ///   - previous: when the registration before it was last repeated.
    mutating func register(
        _ body: RegistrationBody, _ ids: ContiguousArray<TopicID?>, previous: Instant,
        _ names: inout NameTable<TopicKind>, _ hash: KeyedHash
    ) {
        for place in entries.indices where entries[place].isCurrent { entries[place].confirmedAt = previous }
        let last = lastOfEachName(body, ids)
        let known = entries.count
        if known == 0 { entries.reserveCapacity(body.topics.count) }
        body.withNames { bytes in
            var place = 0
            for (index, topic) in body.topics.enumerated() {
                let name = bytes.part(topic.nameStart, topic.nameLength)
                guard let id = ids[index], ImageLimits.nameBytes.contains(name.count),
                    last == nil || last?[id] == index
                else { continue }
                // Mostly the topics come in the order in which they first came.
                if place >= known || entries[place].topic != id { place = self.place(of: id, below: known) }
                if place < known, entries[place].topic == id {
                    confirm(place, ImageTopic(topic), name, hash)
                    place += 1
                } else {
                    append(id, ImageTopic(topic), name, &names, hash)
                }
            }
        }
        if entries.count > known { entries.sort { $0.topic < $1.topic } }
    }

    /// Only when keys are no names can a name come twice; then the last topic of it counts.
    private func lastOfEachName(_ body: RegistrationBody, _ ids: ContiguousArray<TopicID?>) -> [TopicID: Int]? {
        guard body.hasForeignKeys else { return nil }
        var last: [TopicID: Int] = [:]
        for (index, id) in ids.enumerated() { if let id { last[id] = index } }
        return last
    }

    private mutating func confirm(
        _ place: Int, _ value: ImageTopic, _ name: UnsafeRawBufferPointer, _ hash: KeyedHash
    ) {
        let old = entries[place].value
        if old != value {
            topicsHash ^= old.hash(name: name, under: hash) ^ value.hash(name: name, under: hash)
            encodedBytes += value.encodedBytes - old.encodedBytes
            entries[place].value = value
        }
        entries[place].confirmedAt = .distantFuture
    }

    private mutating func append(
        _ id: TopicID, _ value: ImageTopic, _ name: UnsafeRawBufferPointer, _ names: inout NameTable<TopicKind>,
        _ hash: KeyedHash
    ) {
        guard entries.count < ImageLimits.topics else { return }
        // Doubling would waste what a node with 800,000 topics cannot spare.
        if entries.count == entries.capacity { entries.reserveCapacity(entries.count + entries.count / 8 + 8) }
        names.retain(id)
        entries.append(Entry(topic: id, value: value, confirmedAt: .distantFuture))
        topicsHash ^= value.hash(name: name, under: hash)
        encodedBytes += Self.encodedBytes(value, name)
    }

    private static func encodedBytes(_ value: ImageTopic, _ name: UnsafeRawBufferPointer) -> Int {
        name.count + (name.count < 128 ? 1 : 2) + placeBytes + value.encodedBytes
    }

    /// All topics are what the broker has at `now`.
    mutating func confirmAll(at now: Instant) { confirmedAt = now }

    /// Drops what nothing has confirmed for longer than `window` nanoseconds.
    ///
    /// - Returns: whether anything was dropped, and when the next topic is due if nothing confirms it; nil for none.
    mutating func expire(
        now: Instant, window: Int64, _ names: inout NameTable<TopicKind>, _ hash: KeyedHash
    ) -> (hasChanged: Bool, next: Instant?) {
        var next: Instant?
        var kept = 0
        for place in entries.indices {
            let entry = entries[place]
            if !entry.isCurrent {
                let due = max(entry.confirmedAt, confirmedAt).advanced(byNanoseconds: window)
                if due < now, !planted(.residueInImage) {
                    drop(entry, &names, hash)
                    continue
                }
                if due >= now { next = min(next ?? due, due) }
            }
            if kept != place { entries[kept] = entry }
            kept += 1
        }
        let hasChanged = kept < entries.count
        entries.removeSubrange(kept...)
        return (hasChanged, next)
    }

    /// Forgets all topics.
    mutating func removeAll(_ names: inout NameTable<TopicKind>) {
        for entry in entries { names.release(entry.topic) }
        entries = []
        topicsHash = 0
        encodedBytes = 0
    }

    private mutating func drop(_ entry: Entry, _ names: inout NameTable<TopicKind>, _ hash: KeyedHash) {
        let name = names.bytes(of: entry.topic)
        topicsHash ^= entry.value.hash(name: name, under: hash)
        encodedBytes -= Self.encodedBytes(entry.value, name)
        names.release(entry.topic)
    }
}

extension ImageTopic {
    fileprivate init(_ topic: PackedTopic) {
        self.init(
            readQueues: topic.readQueueNums, writeQueues: topic.writeQueueNums, permission: topic.perm,
            systemFlag: topic.topicSysFlag, isOrdered: topic.order)
    }
}

extension Instant {
    /// Earlier than every instant that can be reached.
    static let never = Instant(nanoseconds: .min)

    /// That many nanoseconds later; saturates upwards.
    func advanced(byNanoseconds duration: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration)
        return Instant(nanoseconds: overflow ? (duration < 0 ? .min : .max) : sum)
    }
}
