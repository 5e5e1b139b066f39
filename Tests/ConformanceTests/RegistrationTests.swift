// protocol.md §8, "Registration", first part: which topics a registration brings (items 29 to 42).

import TestSupport
import Testing

@Suite struct RegistrationTests {
    @Test func item029_registrationThenRoute() throws {
        let connection = try fresh()
        let answer = try connection.register()
        #expect(answer.code == 0)
        #expect(answer.fields == [:])
        #expect(answer.body.isEmpty)
        #expect(
            try connection.route("A").bodyText
                == #"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"C","#
                + #""enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"#
                + #""readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#)
    }

    @Test func item030_wrongChecksum() throws {
        let connection = try fresh()
        let answer = try connection.register(Registration { $0.checksum = .text("123") })
        #expect(answer.code == 1)
        #expect(answer.remark == "crc32 not match")
        #expect(answer.fields == [:])
        #expect(try connection.clusterInfo() == emptyClusterInfo)
    }

    @Test func item031_uncheckedBody() throws {
        let connection = try fresh()
        #expect(try connection.register(Registration { $0.checksum = .absent }).code == 0)
        #expect(try another(connection).register(Registration { $0.checksum = .text("zz") }).code == 0)
        let second = try fresh()
        #expect(try second.register(Registration { $0.checksum = .text("zz") }).code == 0)
        #expect(try second.queues("A") == ["broker-a": RouteQueue()])
    }

    @Test func item032_noBody() throws {
        let connection = try fresh()
        let refused = try connection.register(
            Registration {
                $0.explicitBody = []
                $0.checksum = .text("5")
            })
        #expect(refused.code == 1)
        #expect(refused.remark == "crc32 not match")
        let accepted = try connection.register(
            Registration {
                $0.explicitBody = []
                $0.checksum = .absent
            })
        #expect(accepted.code == 0)
        #expect(try connection.group() == ["0": "10.0.0.1:10911"])
        #expect(try connection.topicList(206) == [])
        let query = try connection.queryDataVersion(#"{"counter":0,"timestamp":0,"stateVersion":0}"#)
        #expect(query.fields == ["changed": "false"])
    }

    @Test func item033_bodyThatIsNoJSON() throws {
        let connection = try fresh()
        #expect(try connection.register(Registration { $0.explicitBody = Array("{nope".utf8) }).code == 1)
        #expect(try connection.clusterInfo() == emptyClusterInfo)
    }

    @Test func item034_brokerIDMissingOrNoNumber() throws {
        let connection = try fresh()
        #expect(try connection.register(Registration { $0.id = nil }).code == 1)
        #expect(try connection.register(Registration { $0.id = "x" }).code == 1)
        #expect(try connection.clusterInfo() == emptyClusterInfo)
    }

    @Test func item035_negativeVersion() throws {
        let connection = try fresh()
        #expect(try connection.register(Registration { $0.version = -1 }).code == 1)
        #expect(try connection.clusterInfo() == emptyClusterInfo)
    }

    /// Better than the reference (2.24): the refused registration is rolled back, so 106 shows no group with
    /// `"brokerAddrs":{}` meanwhile.
    @Test func item036_singleTopicOfAnUnknownReplica() throws {
        let connection = try fresh()
        let refused = try connection.register(Registration { $0.topics = [.a] })
        #expect(refused.code == 1)
        #expect(refused.remark == "register broker failed")
        #expect(refused.fields == [:])
        #expect(try connection.clusterInfo() == emptyClusterInfo)
        #expect(try connection.register().code == 0)
        #expect(try connection.queues("B") == ["broker-a": RouteQueue(read: 4, write: 4)])
    }

    @Test func item037_singleTopicOfAKnownReplica() throws {
        let connection = try fresh()
        try connection.register()
        #expect(try connection.register(Registration { $0.topics = [RegisteredTopic("X")] }).code == 0)
        #expect(try connection.route("X").code == 0)
        #expect(try connection.route("A").code == 0)
    }

    @Test func item038_noTopics() throws {
        let connection = try fresh()
        #expect(try connection.register(Registration { $0.topics = [] }).code == 0)
        #expect(try connection.group() == ["0": "10.0.0.1:10911"])
    }

    @Test func item039_sameDataVersionChangesNothing() throws {
        let connection = try fresh()
        let wide = [RegisteredTopic("A", read: 16, write: 16), .b]
        try connection.register()
        #expect(try connection.register(Registration { $0.topics = wide }).code == 0)
        #expect(try connection.queues("A") == ["broker-a": RouteQueue()])
        try connection.register(
            Registration {
                $0.topics = wide
                $0.dataVersion = RegisteredDataVersion(2, 0, 1_700_000_000_001)
            })
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(read: 16, write: 16)])
    }

    @Test func item040_sameDataVersionBringsMissingTopics() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(Registration { $0.topics = [.a, .b, RegisteredTopic("Z")] })
        #expect(try connection.queues("Z") == ["broker-a": RouteQueue()])
    }

    /// The second registration is the first one's very bytes: a heartbeat that must not be taken for one.
    @Test func item041_deletedTopicComesBack() throws {
        let connection = try fresh()
        try connection.register()
        #expect(try connection.call(216, ["topic": "B"]).code == 0)
        #expect(try connection.route("B").code == 17)
        try connection.register()
        #expect(try connection.queues("B") == ["broker-a": RouteQueue(read: 4, write: 4)])
    }

    @Test func item042_topicNameBeatsTheMapKey() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.topics = [RegisteredTopic("N1", key: "k1"), .b] })
        #expect(try connection.topicList(206) == ["B", "N1"])
        #expect(try connection.route("k1").code == 17)
    }
}
