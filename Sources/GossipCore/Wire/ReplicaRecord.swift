import Basics

/// A replica as its node heard it first-hand: who, what and when, without topics.
///
/// | bytes | meaning |
/// |---|---|
/// | text, 0 to 1,024 | cluster |
/// | text, 0 to 1,024 | broker name |
/// | zigzag | broker id |
/// | text, 0 to 1,024 | address |
/// | 0, or 1 and text | address for slaves, 0 to 1,024 |
/// | 0, or 1 and text | zone, 0 to 1,024 |
/// | 1 | acting master: 0 not given, 1 false, 2 true |
/// | zigzag | timeout, milliseconds |
/// | zigzag, zigzag | DataVersion: state version, timestamp |
/// | 0, or 1 and zigzag | DataVersion: counter |
/// | 8 | registration hash |
/// | varint, varint | topics in the image, topics of the residue; at most 2^24 each |
/// | 2 varints | `ReportedHearing` |
///
/// Whether its connection is open stands before the record, in a byte with other things.
public struct ReplicaRecord: Hashable, Sendable {
    /// What it registered.
    public var summary: RegistrationSummary
    /// When it was heard.
    public var hearing: ReportedHearing

    /// Puts the parts together.
    public init(summary: RegistrationSummary, hearing: ReportedHearing) {
        self.summary = summary
        self.hearing = hearing
    }

    /// Bytes of the shortest record.
    static let leastBytes = 23

    /// Bytes of this record, exactly.
    var encodedSize: Int { summary.encodedSize + hearing.agesSize }

    func encode(into output: inout ByteWriter) {
        summary.encode(into: &output)
        hearing.encodeAges(into: &output)
    }

    init(decoding reader: inout ByteReader, isConnected: Bool) throws(GossipFormatError) {
        summary = try RegistrationSummary(decoding: &reader)
        hearing = try ReportedHearing(decodingAges: &reader, isConnected: isConnected)
    }
}

extension RegistrationSummary {
    /// Whether it may travel: its texts and counts are within `WireLimits`. Encoding one that may not traps.
    ///
    /// The default limits of the tables are the same; where an operator raised them, such a replica is not compared.
    public var isCarriable: Bool {
        let texts = [identity.cluster, identity.name, identity.address, haAddress ?? "", zone ?? ""]
        let counts = 0...WireLimits.topicCount
        return texts.allSatisfy { $0.utf8.count <= WireLimits.nameBytes } && counts.contains(topicCount)
            && counts.contains(residueCount)
    }

    /// Bytes on the wire, exactly.
    var encodedSize: Int {
        let texts = WireSize.text(identity.cluster) + WireSize.text(identity.name) + WireSize.text(identity.address)
        let optionals = WireSize.optionalText(haAddress) + WireSize.optionalText(zone) + 1
        let versions =
            WireSize.zigzag(version.stateVersion) + WireSize.zigzag(version.timestamp) + 1
            + (version.counter.map(WireSize.zigzag) ?? 0)
        let counts = WireSize.varint(UInt64(topicCount)) + WireSize.varint(UInt64(residueCount))
        return texts + optionals + versions + counts + WireSize.zigzag(identity.id) + WireSize.zigzag(timeoutMillis) + 8
    }

    func encode(into output: inout ByteWriter) {
        output.append(text: identity.cluster, atMost: WireLimits.nameBytes, "cluster")
        output.append(text: identity.name, atMost: WireLimits.nameBytes, "broker")
        output.append(zigzag: identity.id)
        output.append(text: identity.address, atMost: WireLimits.nameBytes, "address")
        output.append(optionalText: haAddress, atMost: WireLimits.nameBytes, "address for slaves")
        output.append(optionalText: zone, atMost: WireLimits.nameBytes, "zone")
        output.append(actingMaster.map { $0 ? 2 : 1 } ?? 0 as UInt8)
        output.append(zigzag: timeoutMillis)
        output.append(zigzag: version.stateVersion)
        output.append(zigzag: version.timestamp)
        output.append(flag: version.counter != nil)
        if let counter = version.counter { output.append(zigzag: counter) }
        output.append(bigEndian: registrationHash)
        output.append(count: topicCount, atMost: WireLimits.topicCount, "topics")
        output.append(count: residueCount, atMost: WireLimits.topicCount, "residue")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        let identity = ReplicaIdentity(
            cluster: try reader.readText(atMost: WireLimits.nameBytes, "cluster"),
            name: try reader.readText(atMost: WireLimits.nameBytes, "broker"), id: try reader.readSigned("broker id"),
            address: try reader.readText(atMost: WireLimits.nameBytes, "address"))
        let haAddress = try reader.readOptionalText(atMost: WireLimits.nameBytes, "address for slaves")
        let zone = try reader.readOptionalText(atMost: WireLimits.nameBytes, "zone")
        let acting = try reader.readByte("acting master")
        guard acting <= 2 else { throw GossipFormatError(.value, "acting master") }
        let timeout = try reader.readSigned("timeout")
        let version = RegistrationVersion(
            stateVersion: try reader.readSigned("state version"), timestamp: try reader.readSigned("timestamp"),
            counter: try reader.readFlag("counter") ? try reader.readSigned("counter") : nil)
        self.init(
            identity: identity, haAddress: haAddress, zone: zone, actingMaster: acting == 0 ? nil : acting == 2,
            timeoutMillis: timeout, version: version, registrationHash: try reader.readWord("registration hash"),
            topicCount: try reader.readCount(atMost: WireLimits.topicCount, "topics"),
            residueCount: try reader.readCount(atMost: WireLimits.topicCount, "residue"))
    }
}
