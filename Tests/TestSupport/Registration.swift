// REG{}, UNREG{} and their parts in the notation of protocol.md §8, as JSON text written by hand.

/// A topic of a registration.
public struct RegisteredTopic: Hashable, Sendable {
    /// `topicName`, and the key in the map unless `key` says otherwise.
    public var name: String
    /// `readQueueNums`.
    public var read: Int
    /// `writeQueueNums`.
    public var write: Int
    /// The permission bits.
    public var perm: Int
    /// `topicSysFlag`.
    public var sysFlag: Int
    /// The key in `topicConfigTable`.
    public var key: String

    /// Makes a topic; 8/8/6 unless told otherwise.
    public init(_ name: String, read: Int = 8, write: Int = 8, perm: Int = 6, sysFlag: Int = 0, key: String? = nil) {
        self.name = name
        self.read = read
        self.write = write
        self.perm = perm
        self.sysFlag = sysFlag
        self.key = key ?? name
    }

    /// A(8/8/6) of §8.
    public static let a = RegisteredTopic("A")
    /// B(4/4/6) of §8.
    public static let b = RegisteredTopic("B", read: 4, write: 4)

    var json: String {
        "{\"attributes\":{},\"order\":false,\"perm\":\(perm),\"readQueueNums\":\(read),\"topicFilterType\":\"SINGLE_TAG\","
            + "\"topicName\":\(quoted(name)),\"topicSysFlag\":\(sysFlag),\"writeQueueNums\":\(write)}"
    }
}

/// `dv(counter, stateVersion, timestamp)` of §8.
public struct RegisteredDataVersion: Hashable, Sendable {
    /// Changes with the topics.
    public var counter: Int64
    /// Decides between two claimants of one id (protocol.md 2.5 step 6).
    public var stateVersion: Int64
    /// Milliseconds since 1970.
    public var timestamp: Int64

    /// The version of §8's defaults, or another.
    public init(_ counter: Int64 = 1, _ stateVersion: Int64 = 0, _ timestamp: Int64 = 1_700_000_000_000) {
        self.counter = counter
        self.stateVersion = stateVersion
        self.timestamp = timestamp
    }

    /// The 56-byte form of protocol.md 3.6.
    public var json: String {
        "{\"counter\":\(counter),\"stateVersion\":\(stateVersion),\"timestamp\":\(timestamp)}"
    }
}

/// REG{...}: a REGISTER_BROKER with the defaults of §8. A nil field is left out.
public struct Registration: Sendable {
    /// What `bodyCrc32` says.
    public enum Checksum: Sendable {
        case correct
        case absent
        case text(String)
    }

    /// `clusterName`.
    public var cluster: String? = "C"
    /// `brokerName`.
    public var broker: String? = "broker-a"
    /// `brokerId`.
    public var id: String? = "0"
    /// `brokerAddr`.
    public var address: String? = "10.0.0.1:10911"
    /// `haServerAddr`.
    public var haAddress: String? = "10.0.0.1:10912"
    /// `enableActingMaster`; nil marks a 4.x broker.
    public var enableActingMaster: String?
    /// `heartbeatTimeoutMillis`.
    public var heartbeatTimeoutMillis: String?
    /// `__ZONE_NAME`.
    public var zone: String?
    /// `compressed`, whatever the body is.
    public var compressed = "false"
    /// `bodyCrc32`.
    public var checksum = Checksum.correct
    /// The broker's version ordinal.
    public var version: Int32 = 479
    /// `topicConfigTable`.
    public var topics: [RegisteredTopic] = [.a, .b]
    /// `dataVersion`.
    public var dataVersion = RegisteredDataVersion()
    /// `filterServerList`.
    public var filterServers: [String] = []
    /// Topic and TopicQueueMappingInfo JSON.
    public var mappings: [(topic: String, json: String)] = []
    /// Overrides the body made of the members above; empty is no body.
    public var explicitBody: [UInt8]?

    /// REG{} with what `change` changes.
    public init(_ change: (inout Registration) -> Void = { _ in }) {
        change(&self)
    }

    /// REG{id, address}: another replica, with a replication address beside it.
    public static func replica(
        _ id: Int, _ address: String, _ change: (inout Registration) -> Void = { _ in }
    ) -> Registration {
        Registration {
            $0.id = "\(id)"
            $0.address = address
            $0.haAddress = address.replacing("10911", with: "10912")
            change(&$0)
        }
    }

    /// The bare TopicConfigSerializeWrapper of request versions below 37 (protocol.md 3.7).
    public var bareWrapper: [UInt8] {
        Array("{\"dataVersion\":\(dataVersion.json),\"topicConfigTable\":\(topicTable)}".utf8)
    }

    private var topicTable: String {
        "{" + topics.map { quoted($0.key) + ":" + $0.json }.joined(separator: ",") + "}"
    }

    /// The body: RegisterBrokerBody JSON, or the explicit one.
    public var body: [UInt8] {
        if let explicitBody { return explicitBody }
        let wrapper =
            "{\"dataVersion\":\(dataVersion.json),"
            + "\"mappingDataVersion\":{\"counter\":0,\"stateVersion\":0,\"timestamp\":1700000000001},"
            + "\"topicConfigTable\":\(topicTable),\"topicQueueMappingDetailMap\":{},\"topicQueueMappingInfoMap\":{"
            + mappings.map { quoted($0.topic) + ":" + $0.json }.joined(separator: ",") + "}}"
        let filters = filterServers.map(quoted).joined(separator: ",")
        return Array("{\"filterServerList\":[\(filters)],\"topicConfigSerializeWrapper\":\(wrapper)}".utf8)
    }

    /// The request.
    public var request: RawRequest {
        let body = body
        let crc: String? =
            switch checksum {
            case .correct: "\(plainCRC32(body) & 0x7fff_ffff)"
            case .absent: nil
            case .text(let text): text
            }
        let request = RawRequest(
            103,
            [
                "brokerId": id, "bodyCrc32": crc, "clusterName": cluster,
                "heartbeatTimeoutMillis": heartbeatTimeoutMillis, "brokerAddr": address,
                "enableActingMaster": enableActingMaster, "haServerAddr": haAddress, "compressed": compressed,
                "__ZONE_NAME": zone, "brokerName": broker,
            ], body: body)
        return request.with(version: version)
    }
}

/// The inflated form of a compressed registration (protocol.md 2.4); `mappingEntries` nil leaves the count out.
public func compressedRegistrationBody(
    topicEntries: [String], filterServers: String = "[]", mappingEntries: [String]? = [],
    dataVersion: RegisteredDataVersion = RegisteredDataVersion()
) -> [UInt8] {
    func sized(_ text: String) -> [UInt8] { bigEndian(UInt32(text.utf8.count)) + Array(text.utf8) }
    var content = sized(dataVersion.json) + bigEndian(UInt32(topicEntries.count))
    for entry in topicEntries { content += sized(entry) }
    content += sized(filterServers)
    if let mappingEntries {
        content += bigEndian(UInt32(mappingEntries.count))
        for entry in mappingEntries { content += sized(entry) }
    }
    return storedZlibStream(content)
}
