import Basics
import GossipCore
import NameServerCore

extension FuzzTarget {
    /// Frames between nodes, once decrypted. Every value has one form: what decodes encodes to the same bytes.
    static let gossipFrame = FuzzTarget("gossipFrame") {
        gossipFrames()
    } run: {
        guard let message = try? GossipMessage.decode($0) else { return }
        var again = ByteWriter()
        message.encode(into: &again)
        precondition(again.bytes.elementsEqual($0), "\(message)")
    }

    /// Registration images inside them.
    static let images = FuzzTarget("images") {
        [SampleImages.bytes()]
    } run: {
        guard let images = try? RegistrationImages.decode($0, replicas: 2) else { return }
        var again = ByteWriter()
        images.encode(into: &again)
        precondition(again.bytes.elementsEqual($0), "\(images)")
    }

    /// What nodes say to each other: one frame of each kind that carries more than numbers.
    fileprivate static func gossipFrames() -> [[UInt8]] {
        let digest = Digest(
            state: .ready, mode: .protect, localHealth: 0, replicas: 2, late: 1,
            root: SketchSymbol(sum: 1, check: 2, count: 2), versionXor: 3, keyValueDigest: 4, administrationDigest: 5,
            epoch: 6)
        let heard = ReportedHearing(age: .milliseconds(5), registrationAge: .seconds(30), isConnected: true)
        let summary = RegistrationSummary(
            identity: ReplicaIdentity(cluster: "C", name: "broker-a", id: 0, address: "10.0.0.1:10911"),
            haAddress: "10.0.0.1:10912", timeoutMillis: 120_000,
            version: RegistrationVersion(stateVersion: 0, timestamp: 1, counter: 2), registrationHash: 7, topicCount: 2)
        let record = ReplicaRecord(summary: summary, hearing: heard)
        let clock = Instant(nanoseconds: 1_000_000)
        let report = AgeReport(replica: 8, heard: AgeReport.Heard(hearing: heard, registrationHash: 7))
        let messages: [GossipMessage] = [
            .syn(.init(nonce: 1, clock: clock, digest: digest, asks: [8, 9], stall: .seconds(1))),
            .synAck(.init(echo: 1, nonce: 2, clock: clock, digest: digest, ages: [report], asks: [9])),
            .sketch(
                .init(
                    epoch: 6,
                    run: SymbolRun(first: 0, itemCount: 2, symbols: [SketchSymbol(sum: 1, check: 2, count: 2)]))),
            .list(.init(epoch: 6, items: [1, 2], next: 3)),
            .item(
                .init(
                    echo: 3, clock: clock, entries: [ItemEntry(item: 10, record: record)],
                    image: ImageChunk(offset: 0, total: 2, bytes: [0, 0]))),
            .snapshotChunk(
                .init(
                    echo: 4, clock: clock, nextCursor: 0, entries: [SnapshotEntry(item: 10, record: record)],
                    images: SampleImages.bytes())),
            .bye(.init(reason: "this node stops")),
        ]
        return messages.map { message in
            var frame = ByteWriter()
            message.encode(into: &frame)
            return frame.array()
        }
    }
}

private enum SampleImages {
    static func bytes() -> [UInt8] {
        let topic = ImageTopic(readQueues: 8, writeQueues: 8, permission: 6, systemFlag: 0, isOrdered: false)
        var bytes = ByteWriter()
        RegistrationImages([[("A", topic), ("B", topic)], [("A", topic)]]).encode(into: &bytes)
        return bytes.array()
    }
}
