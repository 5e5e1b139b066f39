import Basics
import Testing

@testable import GossipCore

private typealias B = WireBytes

@Suite("Wire: limits and contradictions")
struct WireLimitTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var frame: [UInt8]
        /// Nil when the frame is in order.
        var fault: GossipFormatError.Code?

        init(_ name: String, _ kind: GossipMessage.Kind, _ payload: [UInt8], _ fault: GossipFormatError.Code?) {
            self.name = name
            frame = GossipCoreTests.frame(kind: kind.rawValue, payload: payload)
            self.fault = fault
        }

        var testDescription: String { name }
    }

    /// One row at the limit and one above it.
    private static func pair(
        _ name: String, _ kind: GossipMessage.Kind, _ limit: Int, _ payload: (Int) -> [UInt8]
    ) -> [Row] {
        [Row("\(name) \(limit)", kind, payload(limit), nil), Row("\(name) above", kind, payload(limit + 1), .limit)]
    }

    private static let month = 30 * 24 * 3_600_000
    private static let clockLimit = 1 << 62

    static let handshakeLimits: [Row] =
        pair("label", .hello, 64) { B.hello(label: B.text($0)) }
        + pair("node", .hello, 64) { B.hello(node: B.text($0)) }
        + pair("software", .hello, 64) { B.hello(software: B.text($0)) }
        + pair("clock", .hello, clockLimit) { B.hello(clock: UInt64($0)) }
        + pair("uptime", .hello, clockLimit / 1_000_000) { B.hello(uptime: $0) }
        + pair("heartbeat", .hello, month + 1) { B.hello(timings: [$0, 0, 0, 0]) }
        + pair("scan", .hello, month + 1) { B.hello(timings: [0, $0, 0, 0]) }
        + pair("expiry", .hello, month + 1) { B.hello(timings: [0, 0, $0, 0]) }
        + pair("period", .hello, month + 1) { B.hello(timings: [0, 0, 0, $0]) }
        + pair("reason", .bye, 256) { B.text($0) }
        + pair("pause", .busy, 30_000) { B.varint($0) }

    static let exchangeLimits: [Row] =
        pair("clock", .syn, clockLimit) { B.syn(clock: UInt64($0)) }
        + pair("asks of SYN", .syn, 1_024) { B.syn(asks: B.words($0)) }
        + pair("stall", .syn, month + 1) { B.syn(stall: [1] + B.varint($0)) }
        + pair("local health", .syn, 8) { B.syn(digest: B.digest(health: UInt8($0))) }
        + pair("replicas", .syn, 1 << 24) { B.syn(digest: B.digest(replicas: $0)) }
        + pair("late", .syn, 1 << 24) { B.syn(digest: B.digest(replicas: 1 << 24, late: $0)) }
        + pair("items", .syn, 1 << 24) { B.syn(digest: B.digest(items: $0)) }
        + pair("asks of SYN-ACK", .synAck, 1_024) { B.synAck(asks: B.words($0)) }
        + pair("ages of SYN-ACK", .synAck, 1_024) { B.synAck(ages: B.list($0, of: B.word(1) + [0])) }
        + pair("ages of ACK", .ack, 1_024) { B.ack(ages: B.list($0, of: B.age())) }
        + pair("age", .ack, month + 1) { B.ack(ages: B.list(1, of: B.age(age: $0, registrationAge: month + 1))) }
        + pair("registration age", .ack, month + 1) { B.ack(ages: B.list(1, of: B.age(registrationAge: $0))) }

    static let reconciliationLimits: [Row] =
        pair("first symbol", .sketchRequest, 4_096) { [0, 0, 0, 0, 6] + B.varint($0) + [0] }
        + pair("symbols", .sketchRequest, 1_024) { [0, 0, 0, 0, 6, 0] + B.varint($0) }
        + pair("last symbol", .sketchRequest, 96) { [0, 0, 0, 0, 6] + B.varint(4_000) + B.varint($0) }
        + pair("listed items", .list, 4_096) { [0, 0, 0, 0, 6] + B.words($0) + [0] }
        + pair("requested items", .itemRequest, 256) { B.itemRequest(items: B.words($0)) }
        + pair("wanted offset", .itemRequest, 64 << 20) { B.itemRequest(items: B.words(1), image: [1] + B.varint($0)) }
        + pair("entries", .item, 256) { B.item(entries: B.list($0, of: B.word(1) + [0])) }
        + pair("image bytes", .item, 64 << 20) { B.item(image: B.image(offset: 0, total: $0, length: 1)) }
        + pair("tombstones", .tombstones, 1_024) { B.list($0, of: B.tombstone()) }
        + pair("age of a tombstone", .tombstones, month + 1) { B.list(1, of: B.tombstone(age: $0)) }
        + pair("snapshot entries", .snapshotChunk, 1_024) { B.chunk(entries: B.list($0, of: B.entry())) }

    static let recordLimits: [Row] =
        pair("cluster", .item, 1_024) { item(B.record(cluster: B.text($0))) }
        + pair("broker name", .item, 1_024) { item(B.record(name: B.text($0))) }
        + pair("address", .item, 1_024) { item(B.record(address: B.text($0))) }
        + pair("address for slaves", .item, 1_024) { item(B.record(haAddress: [1] + B.text($0))) }
        + pair("zone", .item, 1_024) { item(B.record(zone: [1] + B.text($0))) }
        + pair("topics", .item, 1 << 24) { item(B.record(topics: $0)) }
        + pair("residue", .item, 1 << 24) { item(B.record(residue: $0)) }
        + pair("age of an item", .item, month + 1) { item(B.record(ages: [$0, month + 1])) }

    static let operationLimits: [Row] =
        pair("key-value operations", .operations, 1_024) { B.operations(keyValues: B.list($0, of: B.keyValue())) }
        + pair("permission operations", .operations, 1_024) {
            B.operations(permissions: B.list($0, of: B.permission()))
        }
        + pair("namespace", .operations, 1_024) { keyValue(B.keyValue(namespace: B.text($0))) }
        + pair("key", .operations, 1_024) { keyValue(B.keyValue(key: B.text($0))) }
        + pair("value", .operations, 32_768) { keyValue(B.keyValue(value: [1] + B.text($0))) }
        + pair("node of a write", .operations, 64) { keyValue(B.keyValue(node: B.text($0))) }
        + pair("broker of a command", .operations, 1_024) { permission(B.permission(name: B.text($0))) }
        + pair("node of a command", .operations, 64) { permission(B.permission(node: B.text($0))) }

    private static func item(_ record: [UInt8]) -> [UInt8] { B.item(entries: B.list(1, of: B.entry(record: record))) }
    private static func keyValue(_ operation: [UInt8]) -> [UInt8] { B.operations(keyValues: B.list(1, of: operation)) }
    private static func permission(_ operation: [UInt8]) -> [UInt8] {
        B.operations(permissions: B.list(1, of: operation))
    }

    @Test(
        "each limit holds, and what is at it passes",
        arguments: handshakeLimits + exchangeLimits + reconciliationLimits + recordLimits + operationLimits)
    func limits(row: Row) { check(row) }

    private static let listHead: [UInt8] = [0, 0, 0, 0, 6]

    static let contradictions: [Row] = [
        Row("protocol 0", .hello, B.hello(protocols: [0, 1]), .contradiction),
        Row("protocols reversed", .hello, B.hello(protocols: [2, 1]), .contradiction),
        Row("all protocols", .hello, B.hello(protocols: [1, 255]), nil),
        Row("late of none", .syn, B.syn(digest: B.digest(replicas: 2, late: 3)), .contradiction),
        Row("all late", .syn, B.syn(digest: B.digest(replicas: 3, late: 3)), nil),
        Row(
            "younger registration", .ack, B.ack(ages: B.list(1, of: B.age(age: 2, registrationAge: 1))), .contradiction),
        Row("younger registration of an item", .item, item(B.record(ages: [2, 1])), .contradiction),
        Row("list falls", .list, listHead + [2] + B.word(2) + B.word(1) + [0], .contradiction),
        Row("list stands", .list, listHead + [2] + B.word(2) + B.word(2) + [0], .contradiction),
        Row("cursor at the last", .list, listHead + [1] + B.word(2) + [1] + B.word(2), .contradiction),
        Row("cursor without items", .list, listHead + [0, 1] + B.word(2), .contradiction),
        Row("cursor beyond", .list, listHead + [1] + B.word(2) + [1] + B.word(3), nil),
        Row("image of no item", .itemRequest, B.itemRequest(items: [0], image: [1, 0]), .contradiction),
        Row("image of two items", .itemRequest, B.itemRequest(items: B.words(2), image: [1, 0]), .contradiction),
        Row(
            "image, no entry", .item, B.item(entries: [0], image: B.image(offset: 0, total: 1, length: 1)),
            .contradiction),
        Row(
            "image, two entries", .item,
            B.item(entries: B.list(2, of: B.entry()), image: B.image(offset: 0, total: 1, length: 1)), .contradiction),
        Row(
            "image of what is not found", .item,
            B.item(entries: B.list(1, of: B.word(1) + [0]), image: B.image(offset: 0, total: 1, length: 1)),
            .contradiction),
        Row("part beyond the image", .item, B.item(image: B.image(offset: 1, total: 2, length: 2)), .contradiction),
        Row("offset beyond the image", .item, B.item(image: B.image(offset: 2, total: 1, length: 0)), .contradiction),
        Row("empty part in the middle", .item, B.item(image: B.image(offset: 1, total: 2, length: 0)), .contradiction),
        Row("empty part at the end", .item, B.item(image: B.image(offset: 2, total: 2, length: 0)), nil),
        Row("empty image", .item, B.item(image: B.image(offset: 0, total: 0, length: 0)), nil),
    ]

    @Test("values that contradict each other", arguments: contradictions)
    func contradiction(row: Row) { check(row) }

    static let meaningless: [Row] = [
        Row("nobody", .hello, B.hello(node: B.text(0)), .value),
        Row("mode 4", .hello, B.hello(mode: 4), .value),
        Row("mode 3", .hello, B.hello(mode: 3), nil),
        Row("state 4", .hello, B.hello(state: 4), .value),
        Row("state 3", .hello, B.hello(state: 3), nil),
        Row("refusal 7", .helloAck, B.hello() + [7], .value),
        Row("refusal 6", .helloAck, B.hello() + [6], nil),
        Row("mode 4 in a digest", .syn, B.syn(digest: B.digest(mode: 4)), .value),
        Row("state 4 in a digest", .syn, B.syn(digest: B.digest(state: 4)), .value),
        Row("stall flag 2", .syn, B.syn(stall: [2, 0]), .value),
        Row("presence 3 of an age", .ack, B.ack(ages: B.list(1, of: B.age(presence: 3))), .value),
        Row("set 1 asked for", .sketchRequest, [1, 0, 0, 0, 6, 0, 1], .value),
        Row("set 1 answered", .sketch, [1, 0, 0, 0, 6, 0, 0, 0], .value),
        Row("set 1 asked to be listed", .listRequest, [1, 0, 0, 0, 6] + B.word(0), .value),
        Row("set 1 listed", .list, [1, 0, 0, 0, 6, 0, 0], .value),
        Row("set 1 hinted at", .hint, [1], .value),
        Row("cursor flag 2", .list, listHead + [0, 2], .value),
        Row("image flag 2", .itemRequest, B.itemRequest(items: B.words(1), image: [2, 0]), .value),
        Row("presence 3 of an item", .item, B.item(entries: B.list(1, of: B.entry(presence: 3))), .value),
        Row("image flag 2 of an item", .item, B.item(image: [2]), .value),
        Row("slave address flag 2", .item, item(B.record(haAddress: [2, 0])), .value),
        Row("zone flag 2", .item, item(B.record(zone: [2, 0])), .value),
        Row("acting master 3", .item, item(B.record(actingMaster: 3)), .value),
        Row("counter flag 2", .item, item(B.record(counter: [2, 0])), .value),
        Row("reason 4", .tombstones, B.list(1, of: B.tombstone(reason: 4)), .value),
        Row("entry flags 4", .snapshotChunk, B.chunk(entries: B.list(1, of: B.entry(presence: 4))), .value),
        Row("entry flags 3", .snapshotChunk, B.chunk(entries: B.list(1, of: B.entry(presence: 3))), nil),
        Row("value flag 2", .operations, keyValue(B.keyValue(value: [2, 0])), .value),
        Row("write of nobody", .operations, keyValue(B.keyValue(node: B.text(0))), .value),
        Row("grants 2", .operations, permission(B.permission(grants: 2)), .value),
        Row("command of nobody", .operations, permission(B.permission(name: B.text(1), node: B.text(0))), .value),
    ]

    @Test("bytes that mean nothing", arguments: meaningless)
    func meaning(row: Row) { check(row) }

    /// Bytes that are no UTF-8.
    static let brokenTexts: [[UInt8]] = [
        [0x80],  // a continuation with nothing before it
        [0xC3],  // a start with nothing behind it
        [0xC0, 0xAF],  // overlong /
        [0xE0, 0x80, 0x80],  // overlong NUL
        [0xED, 0xA0, 0x80],  // a surrogate
        [0xF4, 0x90, 0x80, 0x80],  // above U+10FFFF
        [0xFF],
    ]

    @Test("texts are UTF-8", arguments: brokenTexts)
    func text(bytes: [UInt8]) {
        let text = B.varint(bytes.count) + bytes
        let frames: [(GossipMessage.Kind, [UInt8])] = [
            (.hello, B.hello(label: text)), (.hello, B.hello(node: text)), (.hello, B.hello(software: text)),
            (.bye, text), (.item, WireLimitTests.item(B.record(cluster: text))),
            (.item, WireLimitTests.item(B.record(zone: [1] + text))),
            (.operations, WireLimitTests.keyValue(B.keyValue(key: text))),
        ]
        for (kind, payload) in frames { #expect(fault(frame(kind: kind.rawValue, payload: payload)) == .value) }
    }

    /// Counts that are allowed, of elements that are not there: refused before memory is taken for them.
    static let promises: [Row] = [
        Row("asks", .syn, B.syn(asks: B.varint(1_024), stall: [0]), .truncated),
        Row("ages", .ack, B.ack(ages: B.varint(1_024) + B.age()), .truncated),
        Row("items", .list, listHead + B.varint(4_096) + B.word(1), .truncated),
        Row("requested items", .itemRequest, B.itemRequest(items: B.varint(256)), .truncated),
        Row("entries", .item, B.item(entries: B.varint(256)), .truncated),
        Row("tombstones", .tombstones, B.varint(1_024) + B.tombstone(), .truncated),
        Row("snapshot entries", .snapshotChunk, B.chunk(entries: B.varint(1_024) + B.entry()), .truncated),
        Row("images", .snapshotChunk, B.chunk(images: B.varint(65_536) + [1]), .truncated),
        Row("image part", .item, B.item(image: [1, 0] + B.varint(65_536) + B.varint(65_536) + [1]), .truncated),
        Row("symbols", .sketch, [0, 0, 0, 0, 6, 0] + B.varint(1_024) + [0, 1], .truncated),
        Row("writes", .operations, B.operations(keyValues: B.varint(1_024)), .truncated),
        Row("value", .operations, keyValue(B.keyValue(value: [1] + B.varint(32_768), node: [])), .truncated),
    ]

    @Test("promises without bytes", arguments: promises)
    func promise(row: Row) { check(row) }

    @Test("a count is refused at once when its elements cannot be there", arguments: [(2, true), (3, false)])
    func countAtOnce(count: Int, isThere: Bool) {
        (B.varint(count) + Array(repeating: 0, count: 17)).withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            let read = try? reader.readCount(atMost: 10, of: 8, "elements")
            #expect(read == (isThere ? count : nil))
        }
    }

    /// Arrays of elements grow by doubling as they are read, so twice this in all.
    @Test("an element takes at most 7 times the memory of its shortest bytes")
    func memory() {
        let rows = [
            (MemoryLayout<AgeReport>.stride, AgeReport.leastBytes),
            (MemoryLayout<ItemEntry>.stride, 32),  // shorter when not found, at most 256
            (MemoryLayout<SnapshotEntry>.stride, SnapshotEntry.leastBytes),
            (MemoryLayout<TombstoneReport>.stride, TombstoneReport.leastBytes),
            (MemoryLayout<KVOperation>.stride, KVOperation.leastBytes),
            (MemoryLayout<PermissionOperation>.stride, PermissionOperation.leastBytes),
        ]
        for (memory, bytes) in rows { #expect(memory <= 7 * bytes, "\(memory) for \(bytes)") }
        #expect(MemoryLayout<ItemEntry>.stride * WireLimits.requestedItems <= WireLimits.frameBytes * 2)
    }

    @Test("numbers in more bytes than they need", arguments: [[0x80, 0x00], [0xFF, 0x80, 0x00]] as [[UInt8]])
    func shortest(number: [UInt8]) {
        #expect(fault(frame(kind: GossipMessage.Kind.busy.rawValue, payload: number)) == .number)
        let endless = Array(repeating: 0xFF as UInt8, count: 10)
        #expect(fault(frame(kind: GossipMessage.Kind.busy.rawValue, payload: endless)) == .number)
        let signed = word(1) + [0] + word(2) + [0] + number  // the timeout of a tombstone
        #expect(fault(frame(kind: GossipMessage.Kind.tombstones.rawValue, payload: [1] + signed)) == .number)
    }

    private func word(_ value: UInt64) -> [UInt8] { B.word(value) }

    private func check(_ row: Row) {
        #expect(fault(row.frame) == row.fault, "\(row.name)")
        guard row.fault == nil, let message = try? GossipMessage.decode(row.frame) else { return }
        #expect(frame(message) == row.frame, "\(row.name)")
    }
}
