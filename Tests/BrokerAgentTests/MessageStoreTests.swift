import Basics
import Remoting
import Testing

@testable import BrokerAgent

private func limits(messages: Int = 100, bytes: Int = 1 << 20) -> BrokerLimits {
    var limits = BrokerLimits()
    limits.messages = messages
    limits.messageBytes = bytes
    return limits
}

private func message(
    _ text: String, topic: String = "T", queue: Int32 = 0, tag: String? = nil, at time: Int64 = 0, offset: Int64 = 0
) -> StoredMessage {
    var message = StoredMessage(topic: topic, queueID: queue, queueOffset: offset, body: Array(text.utf8))
    message.storeTimestamp = WallTime(milliseconds: time)
    if let tag { message.properties = "TAGS\u{1}\(tag)\u{2}" }
    return message
}

private let queue = MessageQueueKey(topic: "T", queueID: 0)

extension MessageStore {
    /// Reads and decodes.
    func bodies(
        _ key: MessageQueueKey, from offset: Int64, maxMessages: Int = 32, maxBytes: Int = 1 << 20,
        filter: TagFilter = .all
    ) throws -> (ReadResult, [String]) {
        var output = ByteWriter()
        let result = read(
            key, from: offset, maxMessages: maxMessages, maxBytes: maxBytes, filter: filter, into: &output)
        let messages = try StoredMessage.decodeAll(output.bytes)
        return (result, messages.map { String(decoding: $0.body, as: UTF8.self) })
    }
}

@Suite("Message store") struct MessageStoreTests {
    @Test("offsets count per queue, commit-log offsets over all by size")
    func offsets() {
        var store = MessageStore(limits: limits())
        let first = store.append(message("a"))
        let second = store.append(message("b", queue: 1))
        let third = store.append(message("c"))
        #expect([first, second, third].map(\.queueOffset) == [0, 0, 1])
        #expect(first.commitLogOffset == 0)
        #expect(second.commitLogOffset == 91 + 1 + 1, "the fixed 91 bytes, body and topic")
        #expect(third.commitLogOffset == 2 * second.commitLogOffset)
        #expect(store.bounds(of: queue) == .init(min: 0, max: 2))
        #expect(store.bounds(of: MessageQueueKey(topic: "T", queueID: 9)) == .init(min: 0, max: 0))
        #expect(store.message(atCommitLogOffset: third.commitLogOffset)?.body == Array("c".utf8))
        #expect(store.message(atCommitLogOffset: 1) == nil)
    }

    @Test(
        "reads",
        arguments: [
            // from, most messages, most bytes, tags; result, bodies
            (0, 32, 1 << 20, "*", MessageStore.ReadResult.found(count: 4, next: 4), ["0", "1", "2", "3"]),
            (2, 32, 1 << 20, "*", .found(count: 2, next: 4), ["2", "3"]),
            (0, 1, 1 << 20, "*", .found(count: 1, next: 1), ["0"]),
            (0, 32, 1, "*", .found(count: 1, next: 1), ["0"]),  // always one, however large
            (0, 32, 220, "*", .found(count: 2, next: 2), ["0", "1"]),
            (0, 32, 1 << 20, "odd", .found(count: 2, next: 4), ["1", "3"]),
            (0, 1, 1 << 20, "odd", .found(count: 1, next: 2), ["1"]),
            (0, 32, 1 << 20, "none || neither", .noMatch(next: 4), []),
            (4, 32, 1 << 20, "*", .nothingNew, []),
            (5, 32, 1 << 20, "*", .outside(next: 4), []),
            (-1, 32, 1 << 20, "*", .outside(next: 0), []),
        ] as [(Int64, Int, Int, String, MessageStore.ReadResult, [String])])
    func reads(
        from: Int64, most: Int, bytes: Int, tags: String, result: MessageStore.ReadResult, bodies: [String]
    ) throws {
        var store = MessageStore(limits: limits())
        for index in 0..<4 { _ = store.append(message("\(index)", tag: index % 2 == 0 ? "even" : "odd")) }
        let (found, texts) = try store.bodies(
            queue, from: from, maxMessages: most, maxBytes: bytes, filter: TagFilter(tags))
        #expect(found == result)
        #expect(texts == bodies)
    }

    @Test("the oldest of all queues go first, and minOffset moves")
    func eviction() throws {
        var store = MessageStore(limits: limits(messages: 3))
        let first = store.append(message("a"))
        _ = store.append(message("b", queue: 1))
        for text in ["c", "d", "e"] { _ = store.append(message(text)) }
        #expect(store.count == 3)
        #expect(store.bounds(of: queue) == .init(min: 1, max: 4))
        #expect(store.bounds(of: MessageQueueKey(topic: "T", queueID: 1)) == .init(min: 1, max: 1))
        #expect(try store.bodies(queue, from: 0).0 == .outside(next: 1))
        #expect(try store.bodies(queue, from: 1).1 == ["c", "d", "e"])
        #expect(store.message(atCommitLogOffset: first.commitLogOffset) == nil)
    }

    @Test("bytes are limited too, but one message always stays")
    func byteLimit() {
        var store = MessageStore(limits: limits(bytes: 300))
        for _ in 0..<10 { _ = store.append(message("a")) }
        #expect(store.count == 3 && store.bytes == 3 * 93)
        _ = store.append(message(String(repeating: "x", count: 1_000)))
        #expect(store.count == 1 && store.bytes == 1_092)
    }

    @Test("copies keep the master's offsets; repeats are ignored, gaps start the queue anew")
    func copies() throws {
        var store = MessageStore(limits: limits())
        store.appendCopy(message("5", offset: 5))
        store.appendCopy(message("6", offset: 6))
        store.appendCopy(message("again", offset: 5))
        #expect(store.bounds(of: queue) == .init(min: 5, max: 7))
        #expect(try store.bodies(queue, from: 5).1 == ["5", "6"])
        store.appendCopy(message("9", offset: 9))
        #expect(store.bounds(of: queue) == .init(min: 9, max: 10))
        store.restart(queue, at: 2)
        #expect(store.bounds(of: queue) == .init(min: 2, max: 2))
        #expect(store.count == 0 && store.bytes == 0)
    }

    @Test("a message found by time")
    func byTime() {
        var store = MessageStore(limits: limits(messages: 4))
        for time in [10, 20, 20, 30, 40] as [Int64] { _ = store.append(message("x", at: time)) }
        for (time, offset) in [(0, 1), (20, 1), (21, 3), (40, 4), (41, 5)] as [(Int64, Int64)] {
            #expect(store.offset(in: queue, storedAtOrAfter: WallTime(milliseconds: time)) == offset, "at \(time)")
        }
    }

    @Test("random appends, copies, restarts and reads agree with a list", arguments: 0..<20 as Range<UInt64>)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var store = MessageStore(limits: limits(messages: 40, bytes: 5_000))
        var model: [(key: MessageQueueKey, offset: Int64, text: String)] = []
        var ends: [MessageQueueKey: Int64] = [:]
        for step in 0..<500 {
            let key = MessageQueueKey(topic: "T", queueID: Int32.random(in: 0..<3, using: &random))
            if Int.random(in: 0..<50, using: &random) == 0 {
                let start = Int64.random(in: 0..<1_000, using: &random)
                store.restart(key, at: start)
                model.removeAll { $0.key == key }
                ends[key] = start
                continue
            }
            let text = String(repeating: "x", count: Int.random(in: 0..<300, using: &random)) + "\(step)"
            _ = store.append(message(text, queue: key.queueID))
            model.append((key, ends[key, default: 0], text))
            ends[key, default: 0] += 1
            func size(_ text: String) -> Int { 92 + text.utf8.count }
            while model.count > 40 || model.map({ size($0.text) }).reduce(0, +) > 5_000 { model.removeFirst() }
            let expected = model.filter { $0.key == key }
            let bounds = store.bounds(of: key)
            #expect(bounds.max == ends[key], "seed \(seed) step \(step)")
            #expect(bounds.min == expected.first?.offset ?? bounds.max, "seed \(seed) step \(step)")
            #expect(try store.bodies(key, from: bounds.min, maxMessages: 100).1 == expected.map(\.text))
        }
    }
}

@Suite("Small tables of the broker") struct BrokerTableTests {
    @Test(
        "tag expressions",
        arguments: [
            ("*", nil, true), ("*", "A", true), ("", "A", true), (nil, "A", true), ("A", "A", true), ("A", "B", false),
            ("A", nil, false), ("A||B", "B", true), (" A || B ", "B", true), ("A|| |B", "C", false),
            ("A || *", "C", true),
        ] as [(String?, String?, Bool)])
    func tags(expression: String?, tag: String?, wanted: Bool) {
        #expect(TagFilter(expression).accepts(tag) == wanted)
    }

    @Test("deadlines come in order, equal ones in the order of insertion", arguments: 0..<20 as Range<UInt64>)
    func deadlines(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = DeadlineHeap<Int>()
        var model: [(due: Int64, value: Int)] = []
        for value in 0..<200 {
            let due = Int64.random(in: 0..<50, using: &random)
            heap.insert(value, due: Instant(nanoseconds: due))
            model.append((due, value))
        }
        heap.removeAll { $0 % 3 == 0 }
        model.removeAll { $0.value % 3 == 0 }
        var order: [Int] = []
        for now in 0..<50 as Range<Int64> {
            while let value = heap.popDue(now: Instant(nanoseconds: now)) { order.append(value) }
        }
        #expect(order == model.sorted { ($0.due, $0.value) < ($1.due, $1.value) }.map(\.value))
        #expect(heap.count == 0 && heap.next == .distantFuture)
    }

    @Test("committed offsets: limit, order, groups of a topic")
    func committedOffsets() {
        var table = OffsetTable(limit: 3)
        let (first, second) = (MessageQueueKey(topic: "T", queueID: 0), MessageQueueKey(topic: "T", queueID: 1))
        table.commit(5, of: "B", at: second)
        table.commit(1, of: "A", at: second)
        table.commit(2, of: "A", at: first)
        table.commit(9, of: "C", at: first)  // beyond the limit
        table.commit(3, of: "A", at: first)
        #expect(table.all.map { "\($0.group) \($0.queue) \($0.offset)" } == ["A T:0 3", "A T:1 1", "B T:1 5"])
        #expect(table.offset(of: "C", at: first) == nil)
        #expect(table.groups(consuming: "T") == ["A", "B"])
        table.remove(topic: "T")
        #expect(table.count == 0 && table.groups(consuming: "T") == [])
    }

    @Test("group members: change, silence, closed connections")
    func members() {
        var groups = ConsumerGroups(limits: BrokerLimits())
        let all = [Subscription(topic: "T", version: 5)]
        func beat(_ client: String, _ connection: UInt64, at seconds: Int64, _ wanted: [Subscription]) -> Bool {
            groups.heartbeat(
                group: "G", clientID: client, subscriptions: wanted, from: connection, now: .zero + .seconds(seconds))
        }
        #expect(beat("a", 1, at: 0, all), "a new member")
        #expect(!beat("a", 1, at: 30, all), "nothing new")
        #expect(beat("b", 2, at: 30, all))
        #expect(beat("b", 3, at: 31, all), "b connected anew")
        #expect(beat("a", 1, at: 60, [Subscription(topic: "T", expression: "X", version: 6)]))
        #expect(!beat("b", 3, at: 60, all), "an older subscription does not win")
        #expect(groups.subscription(of: "G", to: "T")?.expression == "X")
        #expect(!beat("a", 1, at: 61, []), "a heartbeat without subscriptions keeps them")
        #expect(groups.members(of: "G").map(\.clientID) == ["a", "b"])
        #expect(groups.connectionClosed(2) == [], "b had left that connection")
        #expect(groups.connectionClosed(3) == ["G"])
        #expect(groups.expire(now: .zero + .seconds(181)) == [])
        #expect(groups.expire(now: .zero + .seconds(182)) == ["G"])
        #expect(groups.members(of: "G").isEmpty && groups.groups(subscribing: "T") == [])
    }

    @Test("queue locks: one holder, renewed, expired, unlocked by the holder only")
    func locks() {
        var locks = QueueLocks(limit: 10)
        let queue = MessageQueueKey(topic: "T", queueID: 0)
        func lock(_ client: String, at seconds: Int64) -> Bool {
            locks.lock(queue, group: "G", clientID: client, now: .zero + .seconds(seconds))
        }
        #expect(lock("a", at: 0) && !lock("b", at: 1) && lock("a", at: 50))
        #expect(!lock("b", at: 110) && lock("b", at: 111))
        locks.unlock(queue, group: "G", clientID: "a")
        #expect(!lock("a", at: 112))
        locks.unlock(queue, group: "G", clientID: "b")
        #expect(lock("a", at: 113))
    }
}
