// protocol.md §8, "Minimum broker id notification": items 88 to 91. The brokers are ports of this test, where the node
// connects to.

import TestSupport
import Testing

@Suite struct MinBrokerNotificationTests {
    /// Long enough for a notification sent in the same tick as one that has arrived.
    private let moment = Duration.milliseconds(300)

    /// One replica group on three listening ports.
    private struct Group {
        let connection: RawConnection
        let brokers = [StandInListener(), StandInListener(), StandInListener()]

        init() throws {
            connection = try fresh(["notifyMinBrokerIdChanged": "true", "supportActingMaster": "true"])
        }

        func register(_ id: Int, acting: String? = "true") throws {
            try connection.register(
                .replica(id, brokers[id].address) {
                    $0.enableActingMaster = acting
                    $0.haAddress = "127.0.0.1:1000\(id)"
                }
            ).expectOK()
        }

        func unregisterMaster() throws {
            try connection.unregister(address: brokers[0].address).expectOK()
            try #require(try poll { try connection.group()["0"] == nil })
        }
    }

    private func expect(_ frame: RawFrame, has fields: [String: String]) {
        #expect(frame.code == 905)
        #expect(frame.flag == 2)
        #expect(frame.fields == fields)
        #expect(frame.body.isEmpty)
    }

    @Test func item088_slavesHearThatTheMasterLeft() throws {
        let group = try Group()
        for id in 0...2 { try group.register(id) }
        try group.unregisterMaster()
        for slave in group.brokers[1...] {
            // Neither brokerName nor haBrokerAddr.
            expect(
                try slave.receiveFrame(),
                has: [
                    "minBrokerId": "1", "minBrokerAddr": group.brokers[1].address,
                    "offlineBrokerAddr": group.brokers[0].address,
                ])
        }
        try group.brokers[0].expectSilence(for: moment)
    }

    @Test func item089_slavesHearThatTheMasterReturned() throws {
        let group = try Group()
        for id in 0...2 { try group.register(id) }
        try group.unregisterMaster()
        for slave in group.brokers[1...] { _ = try slave.receiveFrame() }
        try group.register(0)
        for slave in group.brokers[1...] {
            expect(
                try slave.receiveFrame(),
                has: [
                    "minBrokerId": "0", "minBrokerAddr": group.brokers[0].address, "haBrokerAddr": "127.0.0.1:10000",
                ])
        }
        try group.brokers[0].expectSilence(for: moment)
    }

    @Test func item090_plainGroupHearsOfRegistrationsOnly() throws {
        let group = try Group()
        try group.register(1, acting: nil)
        try group.register(0, acting: nil)
        let notification = try group.brokers[1].receiveFrame()
        expect(
            notification,
            has: ["minBrokerId": "0", "minBrokerAddr": group.brokers[0].address, "haBrokerAddr": "127.0.0.1:10000"])
        try group.unregisterMaster()
        try group.brokers[1].expectSilence(for: moment)
        try group.brokers[0].expectSilence(for: .zero)
    }

    @Test func item091_firstRegistrationIsNoChange() throws {
        let group = try Group()
        try group.register(1)
        try group.brokers[1].expectSilence(for: moment)
    }
}
