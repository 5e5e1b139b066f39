// The bodies of protocol.md 3.4 to 3.6 and 5.5, byte for byte, and the input rules of 3.3.

import Basics
import Remoting
import Testing

@Suite struct BodyTests {
    private let group = BrokerData(
        cluster: "DefaultCluster", brokerName: "broker-a", brokerAddrs: [0: "10.0.0.1:10911", 1: "10.0.0.2:10911"])

    private func check<Body: RemotingBody>(
        _ body: Body, _ text: String, _ dialect: JSONDialect, count: Int? = nil
    ) throws {
        #expect(String(decoding: body.encoded(dialect), as: UTF8.self) == text)
        #expect(try Body.decode(Array(text.utf8)) == body)
        if let count { #expect(text.utf8.count == count) }
    }

    // MARK: Routes (3.4)

    @Test func route() throws {
        var route = TopicRouteData()
        route.brokerDatas = [group]
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 8, writeQueueNums: 8, perm: 6)]
        let start = #"{"brokerDatas":[{"brokerAddrs":"#
        let end =
            #","brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"#
            + #""queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#
        let standard = start + #"{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"}"# + end
        let legacy = start + #"{0:"10.0.0.1:10911",1:"10.0.0.2:10911"}"# + end
        try check(route, standard, .standard, count: 282)
        try check(route, legacy, .legacy, count: 278)
        // v4 lacks one member.
        route.brokerDatas[0].enableActingMaster = nil
        let v4 = legacy.replacing(#","enableActingMaster":false"#, with: "")
        try check(route, v4, .legacy)
    }

    @Test func orderedRouteInZone() throws {
        var route = TopicRouteData()
        route.brokerDatas = [
            BrokerData(
                cluster: "DefaultCluster", brokerName: "broker-a", brokerAddrs: [0: "10.0.0.1:10911"], zoneName: "z1")
        ]
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 8, writeQueueNums: 8, perm: 6)]
        route.orderTopicConf = "broker-a:4;broker-b:2"
        try check(
            route,
            #"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"DefaultCluster","#
                + #""enableActingMaster":false,"zoneName":"z1"}],"filterServerTable":{},"#
                + #""orderTopicConf":"broker-a:4;broker-b:2","queueDatas":[{"brokerName":"broker-a","perm":6,"#
                + #""readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#, .standard)
    }

    @Test func staticTopic() throws {
        var info = TopicQueueMappingInfo()
        info.bname = "broker-a"
        info.currIdMap = [1: 1, 0: 0]
        info.epoch = 1_234_567_890_123
        info.topic = "S"
        info.totalQueues = 2
        var route = TopicRouteData()
        route.topicQueueMappingByBroker = ["broker-a": info]
        let standard =
            #"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[],"topicQueueMappingByBroker":{"broker-a":"#
            + #"{"bname":"broker-a","currIdMap":{"0":0,"1":1},"dirty":false,"epoch":1234567890123,"#
            + #""scope":"__global__","topic":"S","totalQueues":2}}}"#
        try check(route, standard, .standard)
        try check(route, standard.replacing(#"{"0":0,"1":1}"#, with: "{0:0,1:1}"), .legacy)
        info.epoch = 9_007_199_254_740_993
        #expect(String(decoding: info.encoded(.standard), as: UTF8.self).contains(#""epoch":"9007199254740993""#))
        #expect(try TopicQueueMappingInfo.decode(info.encoded(.standard)) == info)
    }

    @Test func filterServers() throws {
        var route = TopicRouteData()
        route.filterServerTable = ["10.0.0.1:10911": ["f:1", "f:2"], "10.0.0.0:1": []]
        try check(
            route,
            #"{"brokerDatas":[],"filterServerTable":{"10.0.0.0:1":[],"10.0.0.1:10911":["f:1","f:2"]},"queueDatas":[]}"#,
            .standard)
    }

    // MARK: Cluster, lists, KV (3.5)

    @Test func clusterInfo() throws {
        try check(ClusterInfo(), #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#, .legacy)
        var info = ClusterInfo()
        info.brokerAddrTable = ["broker-a": group]
        info.clusterAddrTable = ["DefaultCluster": ["broker-a"]]
        try check(
            info,
            #"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"#
                + #""brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}},"#
                + #""clusterAddrTable":{"DefaultCluster":["broker-a"]}}"#, .legacy, count: 217)
    }

    @Test func memberGroup() throws {
        try check(
            BrokerMemberGroup(cluster: "DefaultCluster", brokerName: "broker-a", brokerAddrs: group.brokerAddrs),
            #"{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a","#
                + #""cluster":"DefaultCluster"}}"#, .legacy, count: 128)
        try check(
            BrokerMemberGroup(cluster: nil, brokerName: nil), #"{"brokerMemberGroup":{"brokerAddrs":{}}}"#, .legacy)
    }

    @Test func lists() throws {
        try check(TopicList(topicList: ["T1", "T2"]), #"{"topicList":["T1","T2"]}"#, .legacy)
        try check(TopicList(), #"{"topicList":[]}"#, .legacy)
        try check(
            TopicList(topicList: ["broker-a", "DefaultCluster"], brokerAddr: "10.0.0.1:10911"),
            #"{"brokerAddr":"10.0.0.1:10911","topicList":["broker-a","DefaultCluster"]}"#, .legacy)
        try check(KVTable(table: ["T1": "broker-a:8"]), #"{"table":{"T1":"broker-a:8"}}"#, .legacy)
        try check(KVTable(), #"{"table":{}}"#, .legacy)
    }

    // MARK: Data version (3.6)

    private func version(_ text: String) throws -> DataVersion? {
        try Array(text.utf8).withUnsafeBytes { try DataVersion.decode($0, receivedAt: WallTime(milliseconds: 42)) }
    }

    @Test func dataVersion() throws {
        let text = #"{"counter":1,"stateVersion":0,"timestamp":1700000000000}"#
        let expected = DataVersion(counter: 1, timestamp: 1_700_000_000_000)
        #expect(try version(text) == expected)
        #expect(String(decoding: expected.encoded(), as: UTF8.self) == text)
        #expect(text.utf8.count == 56)
        #expect(
            ByteWriter.text { expected.encode(hasStateVersion: false, into: &$0) }
                == #"{"counter":1,"timestamp":1700000000000}"#)
        #expect(
            String(decoding: DataVersion(counter: nil, timestamp: 1).encoded(), as: UTF8.self)
                == #"{"stateVersion":0,"timestamp":1}"#)
    }

    /// Defaults and conversions (3.3); nil is "no object".
    @Test(
        arguments: [
            ("{}", DataVersion(counter: 0, timestamp: 42)),
            (#"{"counter":null,"timestamp":null,"stateVersion":null}"#, DataVersion(counter: nil, timestamp: 42)),
            (
                #"{"counter":"5","timestamp":"7","stateVersion":"9"}"#,
                DataVersion(counter: 5, timestamp: 7, stateVersion: 9)
            ),
            (#"{"counter":9223372036854775807,"x":[{}]}"#, DataVersion(counter: .max, timestamp: 42)),
            ("", nil), (" \n", nil), ("null", nil), ("[]", nil), ("[1,{}]", nil), ("\u{FEFF}", nil),
        ] as [(String, DataVersion?)])
    func dataVersionInput(_ text: String, _ expected: DataVersion?) throws {
        #expect(try version(text) == expected)
    }

    @Test(arguments: [
        "{", "xx", "{}x", "null x", "[", "[1 2]", #"{"counter":9223372036854775808}"#, #"{"counter":{}}"#,
    ])
    func dataVersionSyntax(_ text: String) {
        #expect(code { try version(text) } == .body)
    }

    @Test func invalidUTF8() throws {
        let bytes = Array(#"{"counter":1,"x":""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        #expect(try bytes.withUnsafeBytes { try DataVersion.decode($0, receivedAt: WallTime(milliseconds: 1)) } == nil)
        #expect(try TopicRouteData.decode(bytes) == nil)
    }

    /// What only fastjson takes, in a body of every kind of member.
    @Test func leniency() throws {
        let text = """
            // a route
            {BrokerDatas:[{'brokerAddrs':{0:"a:1","1":'b:2',-2:null,},broker_name:"b",cluster:5,"enableActingMaster":"TRUE",
             "zone-name":null},null,],/* none */"filterServerTable":null,"orderTopicConf":null,
             "queueDatas":[{"brokerName":"b","perm":"4","readQueueNums":8.0,"writeQueueNums":true,"topicSysFlag":null}],
             "topicQueueMappingByBroker":{"b":{"currIdMap":{0:"3",'1':4}},"c":null}}
            """
        var expected = TopicRouteData()
        expected.brokerDatas = [
            BrokerData(cluster: "5", brokerName: "b", brokerAddrs: [0: "a:1", 1: "b:2"], enableActingMaster: true)
        ]
        expected.queueDatas = [QueueData(brokerName: "b", readQueueNums: 8, writeQueueNums: 1, perm: 4)]
        var info = TopicQueueMappingInfo()
        info.currIdMap = [0: 3, 1: 4]
        expected.topicQueueMappingByBroker = ["b": info]
        #expect(try TopicRouteData.decode(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        #"{"brokerDatas":{}}"#, #"{"brokerDatas":[1]}"#, #"{"brokerDatas":[{"brokerAddrs":{"x":"a"}}]}"#,
        #"{"queueDatas":[{"perm":"x"}]}"#, #"{"queueDatas":[{"perm":2147483648}]}"#, #"{"filterServerTable":[]}"#,
        #"{"filterServerTable":{"a":"b"}}"#, #"{"orderTopicConf":{}}"#,
        #"{"brokerDatas":[{"enableActingMaster":"maybe"}]}"#,
    ])
    func wrongKind(_ text: String) {
        #expect(code { try TopicRouteData.decode(Array(text.utf8)) } == .body)
    }

    // MARK: KV file (5.5)

    @Test func kvConfigFile() throws {
        let text = #"{"configTable":{"N2":{},"ORDER_TOPIC_CONFIG":{"T1":"broker-a:8"}}}"#
        let file = KVConfigFile(configTable: ["ORDER_TOPIC_CONFIG": ["T1": "broker-a:8"], "N2": [:]])
        #expect(String(decoding: file.encoded(), as: UTF8.self) == text)
        #expect(try KVConfigFile(decoding: Array(text.utf8)) == file)
        // Null values go, their namespace stays.
        let withNull = #"{"configTable":{"N2":{"k":null},"ORDER_TOPIC_CONFIG":{"T1":"broker-a:8"},"N3":null},"x":1}"#
        #expect(try KVConfigFile(decoding: Array(withNull.utf8)) == file)
    }

    /// What must stop the start instead of losing the store.
    @Test(arguments: [
        ("", RemotingError.Code.missingValue), ("{}", .missingValue), ("null", .missingValue), ("[]", .missingValue),
        (#"{"configTable":null}"#, .missingValue), (#"{"configTable":{"a":{"b":"c"}}"#, .body), ("x", .body),
        (#"{"configTable":[]}"#, .body), (#"{"configTable":{"a":{"b":"c"}}}}"#, .body),
    ])
    func brokenKVConfigFile(_ text: String, _ expected: RemotingError.Code) {
        #expect(code { try KVConfigFile(decoding: Array(text.utf8)) } == expected)
    }
}
