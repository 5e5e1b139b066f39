import Basics

@testable import GossipCore

/// The messages behind `WireVectors.frames`.
enum WireSamples {
    static let hello = GossipMessage.Hello(
        label: "hearsay", node: "ns-1", incarnation: 0x9f00_0000_0000_0001, clock: Instant(nanoseconds: 5_000_000_000),
        uptime: .milliseconds(300), protocols: 1...2, mode: .observe, state: .ready, salt: 0x0102_0304_0506_0708,
        timings: NodeTimings(
            heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), period: .seconds(1)),
        software: "hearsay 0.3")

    static let digest = Digest(
        state: .ready, mode: .protect, localHealth: 3, replicas: 10_000, late: 7,
        root: SketchSymbol(sum: 0x1111_1111_1111_1111, check: 0x2222_2222_2222_2222, count: 9_999), versionXor: 3,
        keyValueDigest: 4, administrationDigest: 5, epoch: 6)

    static let heard = AgeReport(
        replica: 0x77,
        heard: AgeReport.Heard(
            hearing: ReportedHearing(age: .seconds(31), registrationAge: .seconds(61), isConnected: true),
            registrationHash: 0x88))

    /// Every optional part given.
    static let full = ReplicaRecord(
        summary: RegistrationSummary(
            identity: ReplicaIdentity(cluster: "C", name: "bröker-a", id: 0, address: "10.0.0.1:10911"),
            haAddress: "10.0.0.1:10912", zone: "z1", actingMaster: true, timeoutMillis: 120_000,
            version: RegistrationVersion(stateVersion: -1, timestamp: 1_700_000_000_000, counter: -3),
            registrationHash: 0xFEED, topicCount: 80, residueCount: 300),
        hearing: ReportedHearing(age: .seconds(31), registrationAge: .seconds(31), isConnected: true))

    /// No optional part given.
    static let bare = ReplicaRecord(
        summary: RegistrationSummary(
            identity: ReplicaIdentity(cluster: "", name: "b", id: 1, address: ""), timeoutMillis: .min,
            version: RegistrationVersion(stateVersion: 0, timestamp: 0, counter: nil), registrationHash: 0,
            topicCount: 0),
        hearing: ReportedHearing(age: .zero, registrationAge: .milliseconds(1), isConnected: false))

    static let run = SymbolRun(
        first: 0, itemCount: 5,
        symbols: [SketchSymbol(sum: 1, check: 2, count: 5), SketchSymbol(sum: 3, check: 4, count: 2)])

    private static let tooOld = ReportedHearing(age: .seconds(1 << 40), registrationAge: .zero, isConnected: false)

    private static let exchange: [GossipMessage] = [
        .hello(hello),
        .helloAck(GossipMessage.HelloAck(hello: hello)),
        .helloAck(GossipMessage.HelloAck(hello: hello, refusal: .duplicate)),
        .syn(GossipMessage.Syn(nonce: 0xAABB, clock: Instant(nanoseconds: 1 << 62), digest: digest)),
        .syn(
            GossipMessage.Syn(
                nonce: 0xAABB, clock: .zero, digest: digest, asks: [1, .max], stall: .nanoseconds(1_499_000_001))),
        .synAck(
            GossipMessage.SynAck(
                echo: 0xAABB, nonce: 0xCCDD, clock: Instant(nanoseconds: 6_000_000_000), digest: digest,
                ages: [
                    heard, AgeReport(replica: 0x78, heard: nil),
                    AgeReport(replica: 0x79, heard: AgeReport.Heard(hearing: tooOld, registrationHash: 0)),
                ], asks: [9])),
        .ack(GossipMessage.Ack(echo: 0xCCDD, clock: Instant(nanoseconds: 7_000_000_000), ages: [heard])),
    ]

    private static let reconciliation: [GossipMessage] = [
        .sketchRequest(GossipMessage.SketchRequest(epoch: 6, first: 16, count: 24)),
        .sketch(GossipMessage.SketchAnswer(epoch: 6, run: run)),
        .listRequest(GossipMessage.ListRequest(epoch: 6)),
        .list(GossipMessage.List(epoch: 6, items: [5, 6], next: 7)),
        .list(GossipMessage.List(epoch: 6, items: [])),
        .itemRequest(GossipMessage.ItemRequest(nonce: 0xE1, clock: Instant(nanoseconds: 8), items: [5, 6])),
        .itemRequest(
            GossipMessage.ItemRequest(nonce: 0xE1, clock: Instant(nanoseconds: 8), items: [5], imageOffset: 70_000)),
        .item(
            GossipMessage.Item(
                echo: 0xE1, clock: Instant(nanoseconds: 9),
                entries: [
                    ItemEntry(item: 5, record: full), ItemEntry(item: 6, record: nil), ItemEntry(item: 7, record: bare),
                ])),
        .item(
            GossipMessage.Item(
                echo: 0xE1, clock: Instant(nanoseconds: 9), entries: [ItemEntry(item: 5, record: full)],
                image: ImageChunk(offset: 70_000, total: 70_003, bytes: Array("abc".utf8)))),
    ]

    private static let rest: [GossipMessage] = [
        .tombstones(
            GossipMessage.Tombstones(reports: [
                TombstoneReport(
                    replica: 0x77, reason: .unregistered, sequence: 1, age: .seconds(2), timeoutMillis: 120_000),
                TombstoneReport(replica: 0x78, reason: .conflict, sequence: 2, age: .zero, timeoutMillis: -1),
            ])),
        .snapshotRequest(GossipMessage.SnapshotRequest(nonce: 0xF1, clock: Instant(nanoseconds: 10))),
        .snapshotChunk(
            GossipMessage.SnapshotChunk(
                echo: 0xF1, clock: Instant(nanoseconds: 11), nextCursor: 42,
                entries: [
                    SnapshotEntry(item: 5, record: full), SnapshotEntry(item: 6, record: bare, isOversized: true),
                ], images: [1, 2])),
        .hint(GossipMessage.Hint()),
        .busy(GossipMessage.Busy(retryMillis: 1_500)),
        .bye(GossipMessage.Bye(reason: "draining")),
        .operations(
            GossipMessage.Operations(
                nextCursor: 3,
                keyValues: [
                    KVOperation(namespace: "ns", key: "k", value: "v", hlc: 0x18BCFE56800 << 16 | 1, node: "ns-1"),
                    KVOperation(namespace: "ns", key: "k2", value: nil, hlc: 1, node: "ns-2"),
                ],
                permissions: [
                    PermissionOperation(
                        brokerName: "broker-a", grants: true, hlc: 2, node: "ns-1", registrationHash: 5)
                ])),
        .operationsRequest(GossipMessage.OperationsRequest(cursor: 3)),
    ]

    /// In the order of `WireVectors.frames`.
    static let all = exchange + reconciliation + rest
}

/// The frame of a message.
func frame(_ message: GossipMessage) -> [UInt8] {
    var output = ByteWriter()
    message.encode(into: &output)
    return output.array()
}

/// A frame with these bytes as its payload, and a header that fits.
func frame(kind: UInt8, payload: [UInt8]) -> [UInt8] {
    let length = UInt32(payload.count + GossipFrame.headerBytes)
    return withUnsafeBytes(of: length.bigEndian) { Array($0) } + [GossipFrame.version, kind, 0, 0] + payload
}

/// What is wrong with a frame; nil when nothing is.
func fault(_ frame: [UInt8]) -> GossipFormatError.Code? {
    do throws(GossipFormatError) {
        _ = try GossipMessage.decode(frame)
        return nil
    } catch {
        return error.code
    }
}
