import Basics
import GossipCore
import NameServerCore
import Remoting

/// One good input for each target, from which mutations start.
enum Seeds {
    static func all() -> [[UInt8]] {
        bodies() + headers() + gossip() + [seed(.conversation, conversation()), seed(.images, images())]
    }

    /// What nodes say to each other: one frame of each kind that carries more than numbers.
    private static func gossip() -> [[UInt8]] {
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
                    images: images())),
            .bye(.init(reason: "this node stops")),
        ]
        return messages.map { message in
            var frame = ByteWriter()
            message.encode(into: &frame)
            return seed(.gossipFrame, frame.array())
        }
    }

    private static func images() -> [UInt8] {
        let topic = ImageTopic(readQueues: 8, writeQueues: 8, permission: 6, systemFlag: 0, isOrdered: false)
        var bytes = ByteWriter()
        RegistrationImages([[("A", topic), ("B", topic)], [("A", topic)]]).encode(into: &bytes)
        return bytes.array()
    }

    private static func seed(_ target: FuzzTarget, _ bytes: [UInt8]) -> [UInt8] { [target.rawValue] + bytes }

    private static func headers() -> [[UInt8]] {
        var command = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: ["brokerName": "broker-a", "brokerId": "0", "clusterName": "c集\"\\/\u{1}", "compressed": "false"])
        command.remark = "r\u{E9}"
        let json = command.encoded()
        let binary = command.encoded(as: .rocketMQ)
        return [
            seed(.frame, json), seed(.frame, binary), seed(.jsonHeader, Array(json[8...])),
            seed(.binaryHeader, Array(binary[8...])),
            seed(
                .jsonHeader,
                Array(
                    "{/*a*/code:'105','opaque':\"1,000\",\"Flag\":1.5,\"extFields\":{\"a\":1.50,\"b\":{\"x\" : [1,]},},}\n"
                        .utf8)),
        ]
    }

    /// One request of each kind that changes or reads the tables.
    private static func conversation() -> [UInt8] {
        let broker: KeyValuePairs = [
            "brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911", "clusterName": "c", "brokerId": "0",
            "haServerAddr": "10.0.0.1:10912", "enableActingMaster": "true", "namespace": "ORDER_TOPIC_CONFIG",
            "key": "A",
            "value": "broker-a:2", "topic": "A", "cluster": "c",
        ]
        let version = DataVersion(counter: 1, timestamp: 1_700_000_000_000)
        let registration = RegistrationBody.encode(
            topics: [TopicConfig(topicName: "A"), TopicConfig(topicName: "B")], dataVersion: version)
        var route = TopicRouteData()
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 1, writeQueueNums: 1, perm: 6)]
        let requests: [(Int32, [UInt8])] = [
            (RequestCode.putKVConfig, []), (RequestCode.registerBroker, registration),
            (RequestCode.registerBroker, registration), (RequestCode.getRouteInfoByTopic, []),
            (RequestCode.getBrokerClusterInfo, []), (RequestCode.getAllTopicListFromNameServer, []),
            (RequestCode.queryDataVersion, version.encoded()), (RequestCode.wipeWritePermOfBroker, []),
            (RequestCode.registerTopicInNameServer, route.encoded()), (RequestCode.getTopicsByCluster, []),
            (RequestCode.updateNameServerConfig, Array("orderMessageEnable=true\n".utf8)),
            (RequestCode.getNameServerConfig, []), (RequestCode.getKVListByNamespace, []),
            (RequestCode.getBrokerMemberGroup, []), (RequestCode.deleteTopicInNameServer, []),
            (RequestCode.getNodeStatus, []), (RequestCode.unregisterBroker, []), (RequestCode.deleteKVConfig, []),
        ]
        return requests.flatMap { RemotingCommand(request: $0, fields: broker, body: $1).encoded() }
    }

    private static func bodies() -> [[UInt8]] {
        let version = DataVersion(counter: 3, timestamp: 1_700_000_000_000)
        var fifo = TopicConfig(topicName: "Fifo", readQueueNums: 4, writeQueueNums: 4)
        fifo.attributes = ["message.type": "FIFO"]
        fifo.order = true
        var info = TopicQueueMappingInfo()
        info.topic = "S"
        info.currIdMap = [0: 0, 1: 1]
        let mapping = TopicQueueMapping(topic: "S", info: info)
        func registration(version release: Int32, compressed: Bool) -> [UInt8] {
            RegistrationBody.encode(
                topics: [TopicConfig(topicName: "TopicTest"), fifo], dataVersion: version, filterServers: ["f:1"],
                compressed: compressed, version: release, mappingInfos: [mapping])
        }
        let compressed = registration(version: RemotingVersion.v5_3_3, compressed: true)
        let inflated = compressed.withUnsafeBytes { (try? Zlib.inflate($0)) ?? [] }
        var route = TopicRouteData()
        let group = BrokerData(cluster: "c集", brokerName: "broker-a", brokerAddrs: [0: "10.0.0.1:10911"], zoneName: "z")
        route.brokerDatas = [group]
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 8, writeQueueNums: 8, perm: 6)]
        route.filterServerTable = ["10.0.0.1:10911": ["f:1"]]
        route.topicQueueMappingByBroker = ["broker-a": info]
        var cluster = ClusterInfo()
        cluster.brokerAddrTable = ["broker-a": group]
        cluster.clusterAddrTable = ["c": ["broker-a"]]
        let proxyLine = Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".utf8)
        let proxyBinary: [UInt8] =
            [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 12]
            + [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 4, 1, 0xBB]
        return [
            seed(.registration, registration(version: RemotingVersion.v5_3_3, compressed: false)),
            seed(.oldRegistration, registration(version: 0, compressed: false)),
            seed(.compressedRegistration, compressed), seed(.inflatedRegistration, inflated),
            seed(.dataVersion, version.encoded()), seed(.route, route.encoded(.legacy)),
            seed(.route, route.encoded(.standard)), seed(.clusterInfo, cluster.encoded()),
            seed(
                .keyValues, KVConfigFile(configTable: ["ORDER_TOPIC_CONFIG": ["T1": "broker-a:8"], "N": [:]]).encoded()),
            seed(.properties, Array("# c\nlistenPort=9876\na : x\\u0041y\\\n   z\r\nb\\ c=d\n".utf8)),
            seed(.proxy, proxyLine), seed(.proxy, proxyBinary),
        ]
    }
}
