import Basics
import Remoting
import Testing

@testable import NameServerCore

/// The building blocks of the tables, each against a plain stand-in.
@Suite struct TableTests {
    @Test("Names: random retains and releases against a dictionary", arguments: [1, 2, 3] as [UInt64])
    func internsNames(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var table = NameTable<TopicKind>()
        var expected: [String: (id: TopicID, references: Int)] = [:]
        for _ in 0..<5_000 {
            let name = "name-\(Int.random(in: 0..<300, using: &generator))"
            let found = name.withBytes { table.lookup($0) }
            #expect(found == expected[name]?.id)
            if Bool.random(using: &generator), let known = expected[name] {
                table.release(known.id)
                expected[name] = known.references == 1 ? nil : (known.id, known.references - 1)
            } else {
                let id = name.withBytes { table.retain($0) }
                #expect(table.text(of: id) == name)
                expected[name] = (id, (expected[name]?.references ?? 0) + 1)
            }
        }
        #expect(table.count == expected.count)
        #expect(Set(expected.values.map(\.id)).count == expected.count, "no two names share a number")
        #expect(table.bound <= 300, "numbers are used again")
        for (name, known) in expected { #expect(name.withBytes { table.lookup($0) } == known.id) }
    }

    @Test("Names of every length, and none", arguments: [0, 1, 7, 8, 9, 16, 1_000])
    func internsLengths(_ length: Int) {
        var table = NameTable<TopicKind>()
        let name = String(repeating: "n", count: length)
        let id = name.withBytes { table.retain($0) }
        let other = (name + "x").withBytes { table.retain($0) }
        #expect(id != other)
        #expect(table.text(of: id) == name)
        let isOrdered = table.precedes(id, other)
        #expect(isOrdered)
        table.release(id)
        #expect(table.bytes(of: id).isEmpty)
        #expect(name.withBytes { table.lookup($0) } == nil)
    }

    @Test("Expiry queue: random changes against a sorted list", arguments: [4, 5] as [UInt64])
    func ordersExpiry(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = ExpiryQueue()
        var expected: [UInt32: Int64] = [:]
        for _ in 0..<5_000 {
            let number = UInt32.random(in: 0..<60, using: &generator)
            let due = Int64.random(in: 0..<1_000, using: &generator)
            let entry = LiveID(number: number)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                queue.remove(entry)
                expected[number] = nil
            case 1:
                queue.setNoLater(entry, due: Instant(nanoseconds: due))
                expected[number] = min(expected[number] ?? .max, due)
            default:
                queue.set(entry, due: Instant(nanoseconds: due))
                expected[number] = due
            }
            #expect(queue.first?.due.nanoseconds == expected.values.min())
            if let first = queue.first { #expect(expected[first.entry.number] == first.due.nanoseconds) }
        }
    }

    @Test("A heartbeat leaves the queue alone; the scan puts the entry back once") func requeuesLazily() {
        let node = CoreNode()
        node.register()
        let due = node.core.nextDeadline
        for _ in 0..<3 {
            node.pass(.seconds(30))
            node.register()
        }
        #expect(node.core.nextDeadline == due)
        node.pass(.seconds(31))
        node.scan()
        #expect(node.core.nextDeadline == node.now + .seconds(89))
    }

    @Test("Route cache: stays within its bytes, keeps what is used") func boundsCache() {
        var cache = RouteCache(limit: 4_000)
        let body = [UInt8](repeating: 7, count: 400)
        var slots: [Int32] = []
        for number in 0..<50 as Range<UInt32> {
            let slot = body.withUnsafeBytes {
                cache.store($0, topic: TopicID(number: number), dialect: .standard, replacing: -1, goodAt: 1)
            }
            slots.append(slot ?? -1)
            #expect(cache.byteCount <= 4_000)
            if cache.body(at: slots[0], topic: TopicID(number: 0), dialect: .standard) != nil {
                cache.used(slots[0], goodAt: 1)
            }
        }
        #expect(cache.body(at: slots[0], topic: TopicID(number: 0), dialect: .standard)?.bytes.count == 400)
        #expect(cache.body(at: slots[1], topic: TopicID(number: 1), dialect: .standard) == nil)
        #expect(cache.body(at: slots[49], topic: TopicID(number: 49), dialect: .legacy) == nil)
        let tooLarge = [UInt8](repeating: 7, count: 2_000).withUnsafeBytes {
            cache.store($0, topic: TopicID(number: 99), dialect: .standard, replacing: -1, goodAt: 1)
        }
        #expect(tooLarge == nil)
        cache.removeAll()
        #expect(cache.byteCount == 0)
    }

    @Test("A queue entry takes 8 bytes, and its list little more than its entries") func packsEntries() {
        #expect(MemoryLayout<KeptEntry>.stride == 8)
        var topic = Topic()
        for group in 0..<300 {
            topic.insert(KeptEntry(group: GroupID(number: UInt32(group)), settings: SettingsID(number: 0)), at: group)
            #expect(topic.entries.capacity <= topic.entries.count + topic.entries.count / 8 + 4)
        }
    }

    /// Retains and releases of a few settings against a plain count.
    @Test(arguments: [1, 2, 3] as [UInt64]) func internsSettings(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = SettingsTable()
        var held: [QueueSettings: (id: SettingsID, count: Int)] = [:]
        for step in 0..<5_000 {
            let settings = QueueSettings(
                readQueues: Int32.random(in: 1...5, using: &random) * 16, writeQueues: 8,
                permission: Int32.random(in: 4...6, using: &random), systemFlag: step % 7 == 0 ? .min : 0)
            if Bool.random(using: &random) {
                let id = table.retain(settings)
                #expect(table[id] == settings)
                if let known = held[settings] { #expect(known.id == id) }
                held[settings] = (id, (held[settings]?.count ?? 0) + 1)
            } else if let known = held[settings] {
                table.release(known.id)
                held[settings] = known.count > 1 ? (known.id, known.count - 1) : nil
            }
            #expect(table.count == held.count)
            #expect(Set(held.values.map(\.id)).count == held.count)
        }
    }

    @Test("A group that churns keeps a short topic list") func boundsTopicLists() {
        let node = CoreNode()
        node.register()
        for round in 0..<2_000 {
            _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "A"])
            node.register(Registration().with { $0.version.counter = Int64(round + 2) })
        }
        #expect(node.core.tables.groups.map(\.topics.count).max() ?? 0 < 100)
        #expect(node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])["wipeTopicCount"] == "2")
        #expect(node.core.tables.topicDirectory.ids.count < 1_100)
        #expect(node.topicList() == #"{"topicList":["A","B"]}"#)
    }
}
