import Basics
import Remoting
import Testing

@testable import Load

@Suite("Brokers as data")
struct FleetTests {
    @Test("sets share topics; the last one may be smaller")
    func sets() {
        let fleet = Fleet(brokers: 7, topics: 3, spread: 3)
        #expect(fleet.sets == 3)
        #expect(fleet.members(of: 2) == 6..<7)
        #expect(fleet.queueEntries == 21)
        #expect(fleet.topic(0, of: 1) != fleet.topic(0, of: 2))
    }

    /// Style, compressed: what a body decodes to must not depend on either.
    @Test("bodies of all forms decode to the same topics", arguments: BrokerStyle.allCases, [false, true])
    func forms(style: BrokerStyle, isCompressed: Bool) throws {
        var fleet = Fleet(brokers: 1, topics: 5)
        fleet.style = style
        fleet.isCompressed = isCompressed
        let body = fleet.body(ofSet: 0, state: 3, changed: 2)
        let decoded = try body.withUnsafeBytes {
            try RegistrationBody.decode(
                $0, version: style.version, compressed: isCompressed, receivedAt: WallTime(milliseconds: 0))
        }
        #expect(decoded.topicConfigs.map(\.topicName) == (0..<5).map { fleet.topic($0, of: 0) })
        #expect(decoded.topicConfigs.map(\.readQueueNums) == [9, 9, 8, 8, 8])
        #expect(decoded.dataVersion.counter == 3)
    }

    @Test("a 4.9 broker knows no acting master")
    func fields() {
        var fleet = Fleet()
        #expect(fleet.registration(of: 0, bodyCRC32: 1)["enableActingMaster"] == "false")
        fleet.style = .v4
        let old = fleet.registration(of: 0, bodyCRC32: 1)
        #expect(old["enableActingMaster"] == nil)
        #expect(old.version == RemotingVersion.v4_9_8)
    }

    @Test("what is beyond a limit is named")
    func limits() {
        for fleet in [
            Fleet(brokers: 0), Fleet(brokers: 10_001), Fleet(topics: 60_001), Fleet(topics: -1), Fleet(spread: 0),
        ] {
            #expect(throws: LoadError.self) { try fleet.check() }
        }
        #expect(throws: Never.self) { try Fleet(brokers: 10_000, topics: 60_000).check() }
    }
}
