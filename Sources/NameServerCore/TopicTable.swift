import Remoting

/// One broker group's queues of one topic: RocketMQ's QueueData.
struct QueueEntry: Equatable {
    var group: GroupID
    var settings: QueueSettings

    init(group: GroupID, settings: QueueSettings) {
        self.group = group
        self.settings = settings
    }

    init(group: GroupID, readQueues: Int32, writeQueues: Int32, permission: Int32, systemFlag: Int32) {
        self.group = group
        settings = QueueSettings(
            readQueues: readQueues, writeQueues: writeQueues, permission: permission, systemFlag: systemFlag)
    }

    var readQueues: Int32 { settings.readQueues }
    var writeQueues: Int32 { settings.writeQueues }
    var permission: Int32 {
        get { settings.permission }
        set { settings.permission = newValue }
    }
    var systemFlag: Int32 { settings.systemFlag }
}

/// A `QueueEntry` as it is kept, in 8 bytes; holds a reference to the settings.
struct KeptEntry {
    var group: GroupID
    var settings: SettingsID
}

/// A topic: who serves it, and where its encoded route lies in the cache.
struct Topic {
    /// Ordered by group number; at most one per group. No topic without at least one.
    var entries: ContiguousArray<KeptEntry> = []
    /// The tick of the last change to `entries`.
    var changedAt: UInt64 = 0
    var cachedRoutes = CachedRoutes()

    func position(of group: GroupID) -> Int? {
        let place = place(of: group)
        return place < entries.count && entries[place].group == group ? place : nil
    }

    /// Where the group's entry stands, or would stand.
    func place(of group: GroupID) -> Int {
        // Most topics live on a handful of brokers, where a straight walk is the fastest search.
        var low = 0
        var high = entries.count
        while high - low > 8 {
            let middle = (low + high) / 2
            if entries[middle].group < group { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].group < group { low += 1 }
        return low
    }

    /// Doubling would waste what millions of entries cannot spare.
    mutating func insert(_ entry: KeptEntry, at place: Int) {
        if entries.count == entries.capacity { entries.reserveCapacity(entries.count + entries.count / 8 + 1) }
        entries.insert(entry, at: place)
    }
}

/// What a write did to a topic table.
enum EntryChange {
    case same, added, altered
}

extension RouteTables {
    /// The number of a topic that has at least one broker.
    func topic(named name: UnsafeRawBufferPointer) -> TopicID? {
        guard let id = topicNames.lookup(name), isTopic(id) else { return nil }
        return id
    }

    func isTopic(_ id: TopicID) -> Bool { id.index < topics.count && !topics[id.index].entries.isEmpty }

    func entry(of group: GroupID, in topic: TopicID) -> QueueEntry? {
        guard topic.index < topics.count, let position = topics[topic.index].position(of: group) else { return nil }
        return whole(topics[topic.index].entries[position])
    }

    func whole(_ entry: KeptEntry) -> QueueEntry {
        QueueEntry(group: entry.group, settings: queueSettings[entry.settings])
    }

    /// Puts the entry under the topic's name, creating the topic or replacing the group's entry.
    @discardableResult
    mutating func put(
        _ entry: QueueEntry, underName name: UnsafeRawBufferPointer, at tick: UInt64
    ) -> (id: TopicID, change: EntryChange) {
        let id = topicNames.retain(name)
        defer { topicNames.release(id) }
        return (id, put(entry, in: id, at: tick))
    }

    /// Puts the entry into a topic whose name somebody holds, creating the topic or replacing the group's entry.
    @discardableResult
    mutating func put(_ entry: QueueEntry, in id: TopicID, at tick: UInt64) -> EntryChange {
        while topics.count <= id.index { topics.append(Topic()) }
        let place = topics[id.index].place(of: entry.group)
        if place < topics[id.index].entries.count, topics[id.index].entries[place].group == entry.group {
            let old = topics[id.index].entries[place].settings
            if queueSettings[old] == entry.settings { return .same }
            topics[id.index].entries[place].settings = queueSettings.retain(entry.settings)
            queueSettings.release(old)
            topics[id.index].changedAt = tick
            return .altered
        }
        let isNew = topics[id.index].entries.isEmpty
        topics[id.index].insert(
            KeptEntry(group: entry.group, settings: queueSettings.retain(entry.settings)), at: place)
        topics[id.index].changedAt = tick
        groups[entry.group.index].servesTopic(id)
        if isNew { topicAppeared(id) }
        return .added
    }

    private mutating func topicAppeared(_ id: TopicID) {
        topicNames.retain(id)
        topicCount += 1
        topicDirectory.added(id)
        // Names that came and went since the last listing stay in the directory until it is put in order.
        if topicDirectory.ids.count > 2 * topicCount + 1_024 { sortTopicDirectory() }
    }

    /// Removes the group's entry; the topic goes with its last one. Says whether there was one.
    @discardableResult
    mutating func removeEntry(of group: GroupID, from id: TopicID, at tick: UInt64) -> Bool {
        guard id.index < topics.count, let position = topics[id.index].position(of: group) else { return false }
        queueSettings.release(topics[id.index].entries.remove(at: position).settings)
        topics[id.index].changedAt = tick
        groups[group.index].topicCount -= 1
        if topics[id.index].entries.isEmpty {
            // An array that was emptied still holds its memory.
            topics[id.index].entries = []
            topicCount -= 1
            topicDirectory.removed()
            topicNames.release(id)
        }
        return true
    }

    /// All topics in byte order.
    mutating func sortedTopics() -> ContiguousArray<TopicID> {
        sortTopicDirectory()
        return topicDirectory.ids
    }

    private mutating func sortTopicDirectory() {
        topicDirectory.sort(by: topicNames) { topics[$0.index].entries.isEmpty }
    }

    /// The topics that have an entry of the group, each once, in no particular order.
    mutating func topics(of group: GroupID) -> ContiguousArray<TopicID> {
        guard groups[group.index].exists else { return [] }
        if groups[group.index].topics.count != groups[group.index].topicCount { compactTopics(of: group) }
        return groups[group.index].topics
    }

    /// A group's topic list only grows while it registers: an entry that was removed leaves its topic behind, and one that
    /// comes back stands there twice. Here the list is put right, before anybody walks it or when it has grown too long.
    private mutating func compactTopics(of group: GroupID) {
        var kept = groups[group.index].topics
        kept.sort()
        var previous: TopicID?
        kept.removeAll { id in
            defer { previous = id }
            return id == previous || entry(of: group, in: id) == nil
        }
        precondition(
            kept.count == groups[group.index].topicCount,
            "group \(group.number) lists \(kept.count) topics and counts \(groups[group.index].topicCount)")
        groups[group.index].topics = kept
    }

    /// Keeps the list of a group that churns at most about twice as long as it need be.
    mutating func boundTopicList(of group: GroupID) {
        if groups[group.index].topics.count > 2 * groups[group.index].topicCount + 64 { compactTopics(of: group) }
    }
}

/// All topics in byte order, for the list requests; sorted again only when topics came or went.
///
/// The sort is Swift's, which takes advantage of runs: a long sorted list with a few new names behind it costs little
/// more than one walk.
struct TopicDirectory<Kind> {
    private(set) var ids: ContiguousArray<NameID<Kind>> = []
    private var isSorted = true

    mutating func added(_ id: NameID<Kind>) {
        ids.append(id)
        isSorted = false
    }

    mutating func removed() { isSorted = false }

    mutating func sort(by names: borrowing NameTable<Kind>, _ isGone: (NameID<Kind>) -> Bool) {
        guard !isSorted else { return }
        ids.removeAll(where: isGone)
        ids.sort { names.precedes($0, $1) }
        var previous: NameID<Kind>?
        ids.removeAll { id in
            defer { previous = id }
            return id == previous
        }
        isSorted = true
    }
}
