import Basics

/// Collects the topics of one registration, the last of each key, in linear time whatever the keys are.
struct RegistrationBuilder: ~Copyable {
    private(set) var topics: ContiguousArray<PackedTopic> = []
    private(set) var hasForeignKeys = false
    private var names = ByteWriter(capacity: 4_096)
    /// Open addressing by key: 0 is free, else the topic's position + 1. A power of two, at most half full.
    private var slots: [UInt32] = []

    /// Adds a topic, or replaces the earlier one of the same key. The ranges in `topic` are filled in here.
    ///
    /// - Throws: `.limit`.
    mutating func add(
        _ topic: PackedTopic, key: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer
    ) throws(RemotingError) {
        var topic = topic
        topic.keyStart = UInt32(names.count)
        topic.keyLength = UInt32(key.count)
        names.append(key)
        if name.count == key.count, name.elementsEqual(key) {
            (topic.nameStart, topic.nameLength) = (topic.keyStart, topic.keyLength)
        } else {
            topic.nameStart = UInt32(names.count)
            topic.nameLength = UInt32(name.count)
            names.append(name)
            hasForeignKeys = true
        }
        if topics.count * 2 >= slots.count { grow() }
        let slot = self.slot(of: key)
        if slots[slot] > 0 {
            topics[Int(slots[slot]) - 1] = topic
            return
        }
        guard topics.count < BodyLimits.topicCount else {
            throw RemotingError(.limit, "more than \(BodyLimits.topicCount) topics in one registration")
        }
        topics.append(topic)
        slots[slot] = UInt32(topics.count)
    }

    /// Hands the topics to `body`.
    func finish(into body: inout RegistrationBody) {
        body.topics = topics
        body.names = names.array()
        body.hasForeignKeys = hasForeignKeys
    }

    /// The slot that holds a key, or the free one where it belongs.
    private func slot(of key: UnsafeRawBufferPointer) -> Int {
        let mask = slots.count - 1
        // Seeded per process, so that no peer can choose colliding keys; the seed never shows in a result.
        var hasher = Hasher()
        hasher.combine(bytes: key)
        var slot = hasher.finalize() & mask
        while slots[slot] > 0, !isKey(key, of: topics[Int(slots[slot]) - 1]) { slot = (slot + 1) & mask }
        return slot
    }

    private func isKey(_ key: UnsafeRawBufferPointer, of topic: PackedTopic) -> Bool {
        let other = names.bytes.part(topic.keyStart, topic.keyLength)
        guard key.count == other.count, let left = key.baseAddress, let right = other.baseAddress else {
            return key.count == other.count
        }
        return areEqual(left, right, key.count)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: max(256, slots.count * 4))
        for (position, topic) in topics.enumerated() {
            let slot = self.slot(of: names.bytes.part(topic.keyStart, topic.keyLength))
            slots[slot] = UInt32(position + 1)
        }
    }
}
