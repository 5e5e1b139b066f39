import Basics
import Testing

@testable import GossipCore

@Suite("Wire: sizes, and frames filled to the brim")
struct WireSizeTests {
    @Test("varints are as long as said")
    func varints() {
        let values = (0..<64).flatMap { [UInt64(1) << UInt64($0), (UInt64(1) << UInt64($0)) - 1] } + [.max]
        for value in values {
            #expect(WireSize.varint(value) == WireBytes.varint(value).count, "\(value)")
            var output = ByteWriter()
            output.append(zigzag: Int64(bitPattern: value))
            #expect(WireSize.zigzag(Int64(bitPattern: value)) == output.count, "\(value)")
        }
    }

    private func size(of part: some WireCodable) -> Int {
        var output = ByteWriter()
        part.encode(into: &output)
        return output.count
    }

    @Test("parts are as long as said", arguments: 1...4 as ClosedRange<UInt64>)
    func exact(seed: UInt64) {
        var random = RandomMessages(seed: seed)
        for _ in 0..<200 {
            let (item, entry) = (random.entry(), random.snapshotEntry())
            #expect(item.encodedSize == size(of: item), "seed \(seed): \(item)")
            #expect(entry.encodedSize == size(of: entry), "seed \(seed): \(entry)")
            #expect(entry.record.summary.isCarriable)
            let (write, command) = (random.keyValueOperation(), random.permissionOperation())
            #expect(write.isCarriable && write.encodedSize == size(of: write), "seed \(seed): \(write)")
            #expect(command.isCarriable && command.encodedSize == size(of: command), "seed \(seed): \(command)")
        }
    }

    /// A record with every text and number at its longest.
    private static let longest: ReplicaRecord = {
        let text = String(repeating: "x", count: WireLimits.nameBytes)
        let summary = RegistrationSummary(
            identity: ReplicaIdentity(cluster: text, name: text, id: .min, address: text), haAddress: text, zone: text,
            actingMaster: true, timeoutMillis: .min,
            version: RegistrationVersion(stateVersion: .min, timestamp: .min, counter: .min), registrationHash: .max,
            topicCount: WireLimits.topicCount, residueCount: WireLimits.topicCount)
        return ReplicaRecord(summary: summary, hearing: oldest)
    }()
    private static let oldest = ReportedHearing(
        age: ClockRate.longestAge, registrationAge: .seconds(Int64.max), isConnected: true)
    private static let farClock = Instant(nanoseconds: WireLimits.clockNanoseconds)

    /// The longest frame of each kind whose length its limits alone bound.
    static let fullest: [GossipMessage] = {
        let reports = Array(
            repeating: AgeReport(replica: .max, heard: .init(hearing: oldest, registrationHash: .max)),
            count: WireLimits.asks)
        let asks = Array(repeating: UInt64.max, count: WireLimits.asks)
        let tombstone = TombstoneReport(
            replica: .max, reason: .conflict, sequence: .max, age: ClockRate.longestAge, timeoutMillis: .min)
        let symbols = (0..<SketchLimits.symbolsPerRun).map {
            SketchSymbol(sum: .max, check: .max, count: $0 == 0 ? SketchLimits.items : 0)
        }
        let run = SymbolRun(first: 0, itemCount: SketchLimits.items, symbols: symbols)
        let digest = WireSamples.digest
        return [
            .syn(.init(nonce: .max, clock: farClock, digest: digest, asks: asks, stall: ClockRate.longestAge)),
            .synAck(
                .init(
                    echo: .max, nonce: .max, clock: farClock, digest: digest, ages: reports, asks: asks,
                    stall: ClockRate.longestAge)),
            .ack(.init(echo: .max, clock: farClock, ages: reports)),
            .sketch(.init(epoch: .max, run: run)),
            .list(.init(epoch: .max, items: (0..<UInt64(WireLimits.listItems)).map { $0 }, next: .max)),
            .itemRequest(
                .init(nonce: .max, clock: farClock, items: Array(repeating: .max, count: WireLimits.requestedItems))),
            .tombstones(.init(reports: Array(repeating: tombstone, count: WireLimits.tombstones))),
        ]
    }()

    @Test("whatever the limits allow fits a frame", arguments: fullest)
    func fits(message: GossipMessage) throws {
        let bytes = frame(message)
        #expect(bytes.count <= WireLimits.frameBytes)
        #expect(frame(try #require(try GossipMessage.decode(bytes))) == bytes)
    }

    @Test("items are filled in by size", arguments: 1...8 as ClosedRange<UInt64>)
    func items(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        var (entries, size) = ([ItemEntry](), GossipMessage.Item.overhead)
        while entries.count < WireLimits.requestedItems {
            let entry = random.entry()
            guard size + entry.encodedSize <= WireLimits.frameBytes else { break }
            size += entry.encodedSize
            entries.append(entry)
        }
        let bytes = frame(.item(.init(echo: .max, clock: WireSizeTests.farClock, entries: entries)))
        #expect((size - 2...size).contains(bytes.count), "\(bytes.count) of \(size) bytes")
        #expect(try GossipMessage.decode(bytes) != nil)
    }

    /// The longest entry there can be still leaves most of the frame to its image.
    @Test("an image fills what its entry leaves")
    func image() throws {
        let entry = ItemEntry(item: .max, record: WireSizeTests.longest)
        let room = WireLimits.frameBytes - GossipMessage.Item.overhead - entry.encodedSize - ImageChunk.overhead
        #expect(room > 60_000)
        let part = ImageChunk(
            offset: WireLimits.imageBytes - room, total: WireLimits.imageBytes, bytes: Array(repeating: 7, count: room))
        let bytes = frame(.item(.init(echo: .max, clock: WireSizeTests.farClock, entries: [entry], image: part)))
        #expect((WireLimits.frameBytes - 2...WireLimits.frameBytes).contains(bytes.count), "\(bytes.count) bytes")
        #expect(frame(try #require(try GossipMessage.decode(bytes))) == bytes)
    }

    @Test("a snapshot is filled in by size", arguments: [0, 1, 10_000, 40_000, 65_000])
    func snapshot(images: Int) throws {
        var random = RandomMessages(seed: UInt64(images))
        var (entries, size) = ([SnapshotEntry](), GossipMessage.SnapshotChunk.overhead + images)
        while entries.count < WireLimits.snapshotEntries {
            let entry = random.snapshotEntry()
            guard size + entry.encodedSize <= WireLimits.frameBytes else { break }
            size += entry.encodedSize
            entries.append(entry)
        }
        let chunk = GossipMessage.SnapshotChunk(
            echo: .max, clock: WireSizeTests.farClock, nextCursor: .max, entries: entries,
            images: Array(repeating: 1, count: images))
        let bytes = frame(.snapshotChunk(chunk))
        #expect((size - 3...size).contains(bytes.count), "\(bytes.count) of \(size) bytes")
        #expect(frame(try #require(try GossipMessage.decode(bytes))) == bytes)
    }

    @Test("operations are filled in by size, the longest value included")
    func operations() throws {
        var random = RandomMessages(seed: 3)
        let long = String(repeating: "v", count: WireLimits.valueBytes)
        var writes = [KVOperation(namespace: "n", key: "k", value: long, hlc: .max, node: "ns-1")]
        var (commands, size) = ([PermissionOperation](), GossipMessage.Operations.overhead + writes[0].encodedSize)
        while true {
            let (write, command) = (random.keyValueOperation(), random.permissionOperation())
            guard size + write.encodedSize + command.encodedSize <= WireLimits.frameBytes else { break }
            size += write.encodedSize + command.encodedSize
            writes.append(write)
            commands.append(command)
        }
        let bytes = frame(.operations(.init(nextCursor: .max, keyValues: writes, permissions: commands)))
        #expect((size - 2...size).contains(bytes.count), "\(bytes.count) of \(size) bytes")
        #expect(frame(try #require(try GossipMessage.decode(bytes))) == bytes)
    }

    @Test("what cannot travel is known before it is written")
    func carriable() {
        let longest = WireSizeTests.longest.summary
        #expect(longest.isCarriable)
        let fields: [WritableKeyPath<RegistrationSummary, String>] = [
            \.identity.cluster, \.identity.name, \.identity.address,
        ]
        for field in fields {
            var summary = longest
            summary[keyPath: field] += "x"
            #expect(!summary.isCarriable)
        }
        for field in [\RegistrationSummary.haAddress, \.zone] {
            var summary = longest
            summary[keyPath: field] = String(repeating: "x", count: WireLimits.nameBytes + 1)
            #expect(!summary.isCarriable)
        }
        for field in [\RegistrationSummary.topicCount, \.residueCount] {
            var summary = longest
            summary[keyPath: field] += 1
            #expect(!summary.isCarriable)
        }
        let name = String(repeating: "x", count: 1_025)
        let value = String(repeating: "x", count: 32_769)
        for write in [
            KVOperation(namespace: name, key: "k", value: nil, hlc: 0, node: "n"),
            KVOperation(namespace: "n", key: name, value: nil, hlc: 0, node: "n"),
            KVOperation(namespace: "n", key: "k", value: value, hlc: 0, node: "n"),
            KVOperation(namespace: "n", key: "k", value: nil, hlc: 0, node: ""),
            KVOperation(namespace: "n", key: "k", value: nil, hlc: 0, node: name),
        ] { #expect(!write.isCarriable) }
        for (broker, node) in [(name, "n"), ("b", "")] {
            let command = PermissionOperation(
                brokerName: broker, grants: true, hlc: 0, node: node, registrationHash: 0)
            #expect(!command.isCarriable)
        }
    }

    /// SYN, SYN-ACK and ACK of two nodes that agree about 10,000 brokers.
    @Test("an idle exchange takes under 200 bytes of frames")
    func idle() {
        let clock = Instant(nanoseconds: 86_400_000_000_000)
        let sizes = [
            frame(.syn(.init(nonce: .max, clock: clock, digest: WireSamples.digest))).count,
            frame(.synAck(.init(echo: .max, nonce: .max, clock: clock, digest: WireSamples.digest))).count,
            frame(.ack(.init(echo: .max, clock: clock))).count,
        ]
        #expect(sizes == [78, 87, 25])
    }

    @Test("a message beyond its limits is a bug and traps")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            _ = frame(.busy(.init(retryMillis: WireLimits.retryMillis + 1)))
        }
        await #expect(processExitsWith: .failure) {
            let images = Array(repeating: 1 as UInt8, count: WireLimits.frameBytes - 35)
            _ = frame(.snapshotChunk(.init(echo: 0, clock: .zero, nextCursor: 0, entries: [], images: images)))
        }
    }
}
