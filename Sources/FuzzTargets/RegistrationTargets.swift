import Basics
import Remoting

extension FuzzTarget {
    /// The body of a registration in JSON.
    static let registration = FuzzTarget("registration") {
        [SampleRegistration.body(version: RemotingVersion.v5_3_3, compressed: false)]
    } run: {
        exerciseRegistration($0, version: RemotingVersion.v5_3_3, compressed: false)
    }

    /// That of a broker before 3.0.11.
    static let oldRegistration = FuzzTarget("oldRegistration") {
        [SampleRegistration.body(version: 0, compressed: false)]
    } run: {
        exerciseRegistration($0, version: 0, compressed: false)
    }

    /// A compressed one: a zlib stream of binary.
    static let compressedRegistration = FuzzTarget("compressedRegistration") {
        [SampleRegistration.body(version: RemotingVersion.v5_3_3, compressed: true)]
    } run: {
        exerciseRegistration($0, version: RemotingVersion.v5_3_3, compressed: true)
    }

    /// What such a stream inflates to, so that mutations get past the checksum.
    static let inflatedRegistration = FuzzTarget("inflatedRegistration") {
        let compressed = SampleRegistration.body(version: RemotingVersion.v5_3_3, compressed: true)
        return [compressed.withUnsafeBytes { (try? Zlib.inflate($0)) ?? [] }]
    } run: {
        Zlib.deflate($0).withUnsafeBytes {
            exerciseRegistration($0, version: RemotingVersion.v5_3_3, compressed: true)
        }
    }

    private static func exerciseRegistration(_ bytes: UnsafeRawBufferPointer, version: Int32, compressed: Bool) {
        let received = WallTime(milliseconds: 1_700_000_000_000)
        guard
            let body = try? RegistrationBody.decode(
                bytes, version: version, compressed: compressed, receivedAt: received)
        else { return }
        let configs = body.topicConfigs
        let encoded = RegistrationBody.encode(
            topics: configs, dataVersion: body.dataVersion, filterServers: body.filterServers ?? [],
            mappingInfos: body.mappingInfos)
        let again = encoded.withUnsafeBytes {
            try? RegistrationBody.decode($0, version: RemotingVersion.v5_3_3, compressed: false, receivedAt: received)
        }
        // Topics of one name under different keys fall together when they are written under their names.
        if body.hasForeignKeys { return }
        precondition(again?.topicConfigs == configs && again?.mappingInfos == body.mappingInfos, "\(configs)")
    }
}

/// A registration with everything that one may have.
private enum SampleRegistration {
    static func body(version release: Int32, compressed: Bool) -> [UInt8] {
        var fifo = TopicConfig(topicName: "Fifo", readQueueNums: 4, writeQueueNums: 4)
        fifo.attributes = ["message.type": "FIFO"]
        fifo.order = true
        return RegistrationBody.encode(
            topics: [TopicConfig(topicName: "TopicTest"), fifo],
            dataVersion: DataVersion(counter: 3, timestamp: 1_700_000_000_000), filterServers: ["f:1"],
            compressed: compressed, version: release,
            mappingInfos: [TopicQueueMapping(topic: "S", info: SampleRoute.mapping)])
    }
}
