// protocol.md §8, "Registration", second part: replicas, masters and slaves of one group (items 43 to 53).

import TestSupport
import Testing

@Suite struct ReplicaRegistrationTests {
    /// The slave of items 43, 47, 48, 66: id 1 at 10.0.0.2.
    private let slave = Registration.replica(1, "10.0.0.2:10911")

    @Test func item043_slaveLearnsItsMaster() throws {
        let connection = try fresh()
        try connection.register()
        let answer = try connection.register(slave)
        #expect(answer.code == 0)
        // The order of the two is fixed (1.9).
        #expect(
            answer.headerText.contains(
                #""extFields":{"haServerAddr":"10.0.0.1:10912","masterAddr":"10.0.0.1:10911"}"#))
    }

    @Test func item044_oldSlaveBringsNoTopics() throws {
        let connection = try fresh()
        let answer = try connection.register(Registration { $0.id = "1" })
        #expect(answer.code == 0)
        #expect(answer.fields == [:])
        #expect(try connection.clusterInfo().contains(#""brokerAddrs":{1:"10.0.0.1:10911"}"#))
        #expect(try connection.route("A").code == 17)
    }

    @Test func item045_loneSlaveBringsItsTopics() throws {
        let connection = try fresh()
        try connection.register(
            Registration {
                $0.id = "1"
                $0.enableActingMaster = "false"
            })
        let route = try connection.route("A")
        #expect(route.code == 0)
        #expect(RouteQueue.addresses(try route.json()) == ["broker-a": ["1": "10.0.0.1:10911"]])
        #expect(try connection.queues("A") == ["broker-a": RouteQueue()])
    }

    @Test func item046_loneActingMasterBringsReadableTopics() throws {
        let connection = try fresh()
        try connection.register(
            Registration {
                $0.id = "1"
                $0.enableActingMaster = "true"
            })
        let route = try connection.route("A")
        #expect(RouteQueue.addresses(try route.json()) == ["broker-a": ["1": "10.0.0.1:10911"]])
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 4)])
    }

    @Test func item047_otherSlavesBringNoTopics() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(slave)
        let answer = try connection.register(
            .replica(2, "10.0.0.3:10911") {
                $0.enableActingMaster = "true"
                $0.topics.append(RegisteredTopic("D"))
                $0.dataVersion.counter = 2
            })
        #expect(answer.code == 0)
        #expect(try connection.route("D").code == 17)
    }

    @Test func item048_oneAddressHasOneID() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(slave)
        try connection.register(.replica(0, "10.0.0.2:10911") { $0.dataVersion = RegisteredDataVersion(2, 0, 5) })
        #expect(try connection.group() == ["0": "10.0.0.2:10911"])
    }

    @Test func item049_lowerStateVersionLoses() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.dataVersion = RegisteredDataVersion(1, 5, 5) })
        let answer = try connection.register(
            .replica(0, "10.0.0.9:10911") { $0.dataVersion = RegisteredDataVersion(9, 4, 9) })
        #expect(answer.code == 0)
        #expect(answer.fields == [:])
        #expect(try connection.group() == ["0": "10.0.0.1:10911"])
        let query = try connection.queryDataVersion(
            RegisteredDataVersion(9, 4, 9).json, address: "10.0.0.9:10911")
        #expect(query.body.isEmpty)
    }

    @Test func item050_equalStateVersionWins() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.dataVersion = RegisteredDataVersion(1, 5, 5) })
        try connection.register(.replica(0, "10.0.0.9:10911") { $0.dataVersion = RegisteredDataVersion(9, 5, 9) })
        #expect(try connection.group() == ["0": "10.0.0.9:10911"])
    }

    @Test func item051_actingMasterFlagFollowsTheLastRegistration() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.enableActingMaster = "TRUE" })
        #expect(try connection.clusterInfo().contains(#""enableActingMaster":true"#))
        try connection.register()
        #expect(try connection.clusterInfo().contains(#""enableActingMaster":false"#))
    }

    @Test func item052_zoneFollowsTheLastRegistration() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.zone = "z1" })
        #expect(try connection.clusterInfo().contains(#""zoneName":"z1""#))
        try connection.register()
        #expect(try !connection.clusterInfo().contains("zoneName"))
    }

    @Test func item053_brokerNamesAreGlobal() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.cluster = "C1" })
        try connection.register(.replica(1, "10.0.0.2:1") { $0.cluster = "C2" })
        let info = try JSONMeaning(try connection.clusterInfo())
        let expected = try JSONMeaning(
            #"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:1"},"brokerName":"broker-a","#
                + #""cluster":"C1","enableActingMaster":false}},"clusterAddrTable":{"C1":["broker-a"],"C2":["broker-a"]}}"#
        )
        #expect(info == expected)
    }
}
