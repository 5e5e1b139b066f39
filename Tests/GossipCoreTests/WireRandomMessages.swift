import Basics

@testable import GossipCore

/// Random messages that a node might send, with a liking for the ends of every range.
struct RandomMessages {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func message(_ kind: GossipMessage.Kind) -> GossipMessage {
        switch kind {
        case .hello: .hello(hello())
        case .helloAck:
            .helloAck(
                .init(hello: hello(), refusal: chance() ? HelloRefusal.allCases.randomElement(using: &generator) : nil))
        case .syn: .syn(.init(nonce: word(), clock: clock(), digest: digest(), asks: words(8), stall: optionalSpan()))
        case .synAck:
            .synAck(
                .init(
                    echo: word(), nonce: word(), clock: clock(), digest: digest(), ages: ages(), asks: words(8),
                    stall: optionalSpan()))
        case .ack: .ack(.init(echo: word(), clock: clock(), ages: ages()))
        case .sketchRequest: .sketchRequest(sketchRequest())
        case .sketch: .sketch(.init(epoch: epoch(), run: run()))
        case .listRequest: .listRequest(.init(epoch: epoch(), cursor: word()))
        case .list: .list(list())
        case .itemRequest: .itemRequest(itemRequest())
        case .item: .item(item())
        case .tombstones: .tombstones(.init(reports: (0..<number(4)).map { _ in tombstone() }))
        case .snapshotRequest: .snapshotRequest(.init(nonce: word(), clock: clock(), cursor: word()))
        case .snapshotChunk: .snapshotChunk(snapshotChunk())
        case .hint: .hint(.init())
        case .busy: .busy(.init(retryMillis: number(WireLimits.retryMillis)))
        case .bye: .bye(.init(reason: text(0...WireLimits.reasonBytes)))
        case .operations: .operations(operations())
        case .operationsRequest: .operationsRequest(.init(cursor: word()))
        }
    }

    // MARK: Values

    private mutating func chance() -> Bool { Bool.random(using: &generator) }

    /// 0 to `limit`, every fourth time an end.
    mutating func number(_ limit: Int) -> Int {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: 0
        case 1: limit
        case 2: min(limit, 127 + Int.random(in: 0...1, using: &generator))
        default: Int.random(in: 0...limit, using: &generator)
        }
    }

    private mutating func word() -> UInt64 {
        chance() ? generator.next() : generator.next() >> UInt64.random(in: 0..<64, using: &generator)
    }

    private mutating func signed() -> Int64 {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: .min
        case 1: .max
        default: Int64(truncatingIfNeeded: word())
        }
    }

    private mutating func words(_ limit: Int) -> [UInt64] { (0..<number(limit)).map { _ in word() } }

    private mutating func epoch() -> UInt32 { UInt32(truncatingIfNeeded: word()) }

    private mutating func clock() -> Instant { Instant(nanoseconds: Int64(number(1 << 62))) }

    private mutating func span() -> Duration { .milliseconds(number(Int(ClockRate.longestAge.wholeMilliseconds) + 1)) }

    private mutating func optionalSpan() -> Duration? { chance() ? span() : nil }

    /// Well-formed UTF-8 of a length in the range, with characters of one to four bytes.
    private mutating func text(_ lengths: ClosedRange<Int>) -> String {
        let usual = min(lengths.upperBound, lengths.lowerBound + 12)
        let length =
            Int.random(in: 0..<16, using: &generator) == 0
            ? lengths.upperBound : lengths.lowerBound + number(usual - lengths.lowerBound)
        var text = ""
        while text.utf8.count < length {
            let next = ["a", "Z", "\0", "ö", "é", "e\u{301}", "経", "😀"].randomElement(using: &generator)!
            text += text.utf8.count + next.utf8.count <= length ? next : "-"
        }
        return text
    }

    private mutating func optionalText() -> String? { chance() ? text(0...WireLimits.nameBytes) : nil }

    // MARK: Parts

    private mutating func hello() -> GossipMessage.Hello {
        let lowest = UInt8(1 + number(254))
        return GossipMessage.Hello(
            label: text(0...WireLimits.nodeBytes), node: text(1...WireLimits.nodeBytes), incarnation: word(),
            clock: clock(), uptime: .milliseconds(number(Int(WireLimits.uptimeMillis))),
            protocols: lowest...lowest + UInt8(number(255 - Int(lowest))),
            mode: GossipMode.allCases.randomElement(using: &generator)!,
            state: NodeState.allCases.randomElement(using: &generator)!, salt: word(),
            timings: NodeTimings(heartbeat: span(), scan: span(), expiry: span(), period: span()),
            software: text(0...WireLimits.softwareBytes))
    }

    private mutating func digest() -> Digest {
        let replicas = number(SketchLimits.items)
        return Digest(
            state: NodeState.allCases.randomElement(using: &generator)!,
            mode: GossipMode.allCases.randomElement(using: &generator)!,
            localHealth: number(WireLimits.localHealth), replicas: replicas, late: number(replicas),
            root: SketchSymbol(sum: word(), check: word(), count: number(SketchLimits.items)), versionXor: word(),
            keyValueDigest: word(), administrationDigest: word(), epoch: epoch())
    }

    private mutating func hearing() -> ReportedHearing {
        ReportedHearing(age: span(), registrationAge: span(), isConnected: chance())
    }

    private mutating func ages() -> [AgeReport] {
        (0..<number(5)).map { _ in
            AgeReport(replica: word(), heard: chance() ? .init(hearing: hearing(), registrationHash: word()) : nil)
        }
    }

    private mutating func sketchRequest() -> GossipMessage.SketchRequest {
        let first = number(SketchLimits.symbols)
        return .init(
            epoch: epoch(), first: first, count: number(min(SketchLimits.symbolsPerRun, SketchLimits.symbols - first)))
    }

    private mutating func run() -> SymbolRun {
        var sketch = Sketch(hash: TestVectors.hash, length: 64)
        for _ in 0..<number(20) { sketch.insert(word()) }
        return sketch.run(from: number(64), count: number(6))
    }

    private mutating func list() -> GossipMessage.List {
        let items = Set(words(10)).filter { $0 < .max }.sorted()
        return .init(epoch: epoch(), items: items, next: chance() ? items.last.map { $0 + 1 } : nil)
    }

    private mutating func itemRequest() -> GossipMessage.ItemRequest {
        chance()
            ? .init(nonce: word(), clock: clock(), items: words(6))
            : .init(nonce: word(), clock: clock(), items: [word()], imageOffset: number(WireLimits.imageBytes))
    }

    mutating func record() -> ReplicaRecord {
        let identity = ReplicaIdentity(
            cluster: text(0...WireLimits.nameBytes), name: text(0...WireLimits.nameBytes), id: signed(),
            address: text(0...WireLimits.nameBytes))
        let version = RegistrationVersion(
            stateVersion: signed(), timestamp: signed(), counter: chance() ? signed() : nil)
        let summary = RegistrationSummary(
            identity: identity, haAddress: optionalText(), zone: optionalText(),
            actingMaster: [nil, false, true].randomElement(using: &generator)!, timeoutMillis: signed(),
            version: version, registrationHash: word(), topicCount: number(WireLimits.topicCount),
            residueCount: number(WireLimits.topicCount))
        return ReplicaRecord(summary: summary, hearing: hearing())
    }

    mutating func entry() -> ItemEntry { ItemEntry(item: word(), record: chance() ? record() : nil) }

    private mutating func item() -> GossipMessage.Item {
        if chance() { return .init(echo: word(), clock: clock(), entries: (0..<number(4)).map { _ in entry() }) }
        let bytes = (0..<1 + number(30)).map { _ in UInt8(truncatingIfNeeded: word()) }
        let offset = number(WireLimits.imageBytes - bytes.count)
        let end = offset + bytes.count
        let total = end + number(WireLimits.imageBytes - end)
        let image =
            chance()
            ? ImageChunk(offset: offset, total: total, bytes: bytes)
            : ImageChunk(offset: total, total: total, bytes: [])
        return .init(echo: word(), clock: clock(), entries: [ItemEntry(item: word(), record: record())], image: image)
    }

    private mutating func tombstone() -> TombstoneReport {
        TombstoneReport(
            replica: word(), reason: FirstHandRemoval.allCases.randomElement(using: &generator)!, sequence: word(),
            age: span(), timeoutMillis: signed())
    }

    mutating func snapshotEntry() -> SnapshotEntry {
        SnapshotEntry(item: word(), record: record(), isOversized: chance())
    }

    private mutating func snapshotChunk() -> GossipMessage.SnapshotChunk {
        let bytes = (0..<number(30)).map { _ in UInt8(truncatingIfNeeded: word()) }
        return .init(
            echo: word(), clock: clock(), nextCursor: word(), entries: (0..<number(4)).map { _ in snapshotEntry() },
            images: bytes)
    }

    mutating func keyValueOperation() -> KVOperation {
        KVOperation(
            namespace: text(0...WireLimits.nameBytes), key: text(0...WireLimits.nameBytes),
            value: chance() ? text(0...200) : nil, hlc: word(), node: text(1...WireLimits.nodeBytes))
    }

    mutating func permissionOperation() -> PermissionOperation {
        PermissionOperation(
            brokerName: text(0...WireLimits.nameBytes), grants: chance(), hlc: word(),
            node: text(1...WireLimits.nodeBytes), registrationHash: word())
    }

    private mutating func operations() -> GossipMessage.Operations {
        .init(
            nextCursor: word(), keyValues: (0..<number(3)).map { _ in keyValueOperation() },
            permissions: (0..<number(3)).map { _ in permissionOperation() })
    }
}
