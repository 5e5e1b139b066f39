// protocol.md §8, "Registration", third part: body layouts and what else a body carries (items 54 to 62).

import TestSupport
import Testing

@Suite struct RegistrationBodyTests {
    @Test func item054_bareWrapperOfOldVersions() throws {
        let connection = try fresh()
        try connection.register(
            Registration {
                $0.version = 36
                $0.explicitBody = $0.bareWrapper
            })
        #expect(try connection.topicList(206) == ["A", "B"])
        let newer = try fresh()
        let answer = try newer.register(
            Registration {
                $0.version = 37
                $0.explicitBody = $0.bareWrapper
            })
        #expect(answer.code == 0)
        #expect(try newer.topicList(206) == [])
    }

    @Test func item055_compressedSample() throws {
        let connection = try fresh()
        let answer = try connection.register(
            Registration {
                $0.explicitBody = SampleBodies.compressed
                $0.compressed = "true"
                $0.checksum = .text("718714941")
            })
        #expect(answer.code == 0)
        #expect(try connection.queues("TopicTest") == ["broker-a": RouteQueue()])
        #expect(try connection.queues("Fifo") == ["broker-a": RouteQueue(read: 4, write: 4)])
    }

    @Test func item056_jsonSample() throws {
        let connection = try fresh()
        let answer = try connection.register(
            Registration {
                $0.explicitBody = Array(SampleBodies.json.utf8)
                $0.checksum = .text("1003115195")
            })
        #expect(answer.code == 0)
        #expect(try connection.queues("Fifo") == ["broker-a": RouteQueue(read: 4, write: 4, sysFlag: 2)])
    }

    /// Two good entries, so that the single-topic guard stays out of it.
    private func compressed(
        _ entry: String = "T 8 8 6 SINGLE_TAG {}", filterServers: String = "[]", mappingEntries: [String]? = [],
        version: Int32 = 479
    ) -> Registration {
        Registration {
            $0.explicitBody = compressedRegistrationBody(
                topicEntries: [entry, "U 8 8 6 SINGLE_TAG {}"], filterServers: filterServers,
                mappingEntries: mappingEntries)
            $0.compressed = "true"
            $0.version = version
        }
    }

    @Test func item057_mappingCountByVersion() throws {
        let connection = try fresh()
        #expect(try connection.register(compressed(mappingEntries: nil)).code == 1)
        #expect(try connection.clusterInfo() == emptyClusterInfo)
        #expect(try connection.register(compressed(mappingEntries: nil, version: 409)).code == 0)
        #expect(try connection.topicList(206) == ["T", "U"])
    }

    @Test func item058_compressedEntriesThatFail() throws {
        let connection = try fresh()
        for entry in ["T 8 8 6", "T 8 8 6 XX", "T 8 8  SINGLE_TAG"] {
            #expect(try connection.register(compressed(entry)).code == 1, "\(entry)")
        }
        #expect(try connection.clusterInfo() == emptyClusterInfo)
        #expect(try connection.register(compressed("T 8 8 6 MULTI_TAG {oops")).code == 0)
        #expect(try connection.topicList(206) == ["T", "U"])
        let second = try fresh()
        #expect(try second.register(compressed(filterServers: "nope")).code == 0)
        #expect(try second.topicList(206) == ["T", "U"])
    }

    @Test func item059_staticTopicMapping() throws {
        let connection = try fresh()
        let mapping =
            #"{"bname":"broker-a","currIdMap":{0:0,1:1},"dirty":false,"epoch":1234567890123,"scope":"__global__","#
            + #""topic":"S","totalQueues":2}"#
        try connection.register(
            Registration {
                $0.topics.append(RegisteredTopic("S", read: 2, write: 2))
                $0.mappings = [(topic: "S", json: mapping)]
                $0.cluster = "DefaultCluster"
            })
        // The whole body of 3.4.
        let standard =
            #"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","#
            + #""enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"#
            + #""readQueueNums":2,"topicSysFlag":0,"writeQueueNums":2}],"topicQueueMappingByBroker":{"broker-a":"#
            + #"{"bname":"broker-a","currIdMap":{"0":0,"1":1},"dirty":false,"epoch":1234567890123,"#
            + #""scope":"__global__","topic":"S","totalQueues":2}}}"#
        #expect(try connection.route("S").bodyText == standard)
        #expect(try connection.route("S", version: 0).bodyText.contains(#""currIdMap":{0:0,1:1}"#))
    }

    @Test func item060_orderConfigurationForBrokers() throws {
        let connection = try fresh()
        try connection.call(100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1", "value": "broker-a:8"]).expectOK()
        #expect(try connection.register().bodyText == #"{"table":{"T1":"broker-a:8"}}"#)
        try connection.call(102, ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1"]).expectOK()
        #expect(try connection.register().bodyText == #"{"table":{}}"#)
        let silent = try fresh(["returnOrderTopicConfigToBroker": "false"])
        try silent.call(100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1", "value": "broker-a:8"]).expectOK()
        let answer = try silent.register()
        #expect(answer.code == 0)
        #expect(answer.body.isEmpty)
    }

    @Test func item061_filterServers() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.filterServers = ["f:1"] })
        #expect(try connection.route("A").bodyText.contains(#""filterServerTable":{"10.0.0.1:10911":["f:1"]}"#))
        try connection.register(Registration { $0.filterServers = [] })
        #expect(try connection.route("A").bodyText.contains(#""filterServerTable":{}"#))
    }

    @Test func item062_registrationDeletesMissingTopics() throws {
        let connection = try fresh(["deleteTopicWithBrokerRegistration": "true"])
        try connection.register()
        try connection.register(
            Registration {
                $0.topics = [.b, RegisteredTopic("D")]
                $0.dataVersion.counter = 2
            })
        #expect(try connection.topicList(206) == ["B", "D"])
    }
}

extension RawFrame {
    /// Records an issue unless the code is 0.
    func expectOK(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(code == 0, "\(headerText)", sourceLocation: sourceLocation)
    }
}

/// The registration of protocol.md 3.7 in both forms.
enum SampleBodies {
    static let json =
        #"{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,"stateVersion":0,"#
        + #""timestamp":1700000000000},"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":1700000000001},"#
        + #""topicConfigTable":{"TopicTest":{"attributes":{},"order":false,"perm":6,"readQueueNums":8,"#
        + #""topicFilterType":"SINGLE_TAG","topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":8},"#
        + #""Fifo":{"attributes":{"message.type":"FIFO"},"order":true,"perm":6,"readQueueNums":4,"#
        + #""topicFilterType":"SINGLE_TAG","topicName":"Fifo","topicSysFlag":2,"writeQueueNums":4}},"#
        + #""topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}}"#

    static let compressed = bytes(
        hex: """
            78da636060b0a8564ace2fcd2b492d52b232d6512a2e492c490d4b2d2acecccf53b232d0512ac9cc4d050ae616285919
            9a1b20402d0303031310cb86e41764268700d5285800a19942b0a79fbb8f6b7c88a3bb42354891ae5b665abe820910a2
            ca2901cd2d4e4c4fd52ba92c4855b25272f374f357029b1a1d0b2419002b44290b
            """)
}
