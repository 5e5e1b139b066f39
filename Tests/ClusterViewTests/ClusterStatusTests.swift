import FoundationEssentials
import Testing

@testable import ClusterView

@Suite struct ClusterStatusTests {
    private static func peers(_ names: [(String, Bool)]) -> String {
        let list = names.map { name, agrees in
            #"{"name":"\#(name)","connected":true,"mode":"observe","state":"ready","agrees":\#(agrees),"#
                + #""roundTripMicros":210,"lastExchangeMillis":800}"#
        }
        return #"{"mode":"observe","state":"ready","peers":[\#(list.joined(separator: ","))]}"#
    }

    @Test func everythingAtOnce() {
        let heard = [broker("a", 0, age: 400)]
        var third = ours(3, heard, gossip: #"{"mode":"off"}"#)
        third.software = "hearsay 0.1.0"
        let status = ClusterStatus(
            cluster: "c",
            [
                ours(1, heard, gossip: Self.peers([("ns-2", false), ("ns-3", true)])),
                ours(
                    2, [],
                    gossip:
                        #"{"mode":"protect","state":"warming","peers":[{"address":"10.0.1.1:9877","problem":"another label"}]}"#
                ),
                third, apache(4, [("a", 0, "127.0.0.1:10911", "C")]), silent(5),
            ])
        #expect(
            status.lines(colour: false) == [
                "NODE  ADDRESS        SOFTWARE        GOSSIP   STATE          UP  BROKERS  TOPICS  AGREEMENT",
                "ns-1  10.0.1.1:9876  hearsay test    observe  ready    60 m 0 s        1       7  differs from ns-2",
                "ns-2  10.0.1.2:9876  hearsay test    protect  warming  60 m 0 s        0       7  differs from ns-1, ns-3, ns-4",
                "ns-3  10.0.1.3:9876  hearsay 0.1.0   off      up       60 m 0 s        1       7  differs from ns-2",
                "ns-4  10.0.1.4:9876  RocketMQ 5.3.3  -        up              -        1       -  differs from ns-2",
                "ns-5  10.0.1.5:9876  down: no answer in time",
                "",
                "NODE  PEER           SESSION  ROUND TRIP  LAST EXCHANGE  GOSSIP   STATE  AGREES  PROBLEM",
                "ns-1  ns-2           up          0.21 ms      0.8 s ago  observe  ready  no",
                "ns-1  ns-3           up          0.21 ms      0.8 s ago  observe  ready  yes",
                "ns-2  10.0.1.1:9877  down              -              -  -        -      -       another label",
                "",
                "BROKER  ID  ROLE    ADDRESS          TOPICS   ns-1     ns-2   ns-3    ns-4  ns-5",
                "a        0  master  127.0.0.1:10911       3  0.4 s  missing  0.4 s  listed     ?",
                "  listed: this NameServer tells no ages",
                "",
                "1 difference; hearsay diff says what to do:",
                "  missing a:0: ns-2 has not heard it since its start 60 m 0 s ago while ns-1 heard it 0.4 s ago",
            ])
        #expect(status.exitStatus == 1)
    }

    private static let outcomes: [([NodeReading], Int32)] = [
        ([ours(1, [broker("a", 0, age: 1)]), ours(2, [broker("a", 0, age: 1)])], 0),
        ([ours(1, [broker("a", 0, age: 1)]), ours(2, [])], 1), ([ours(1, []), silent(2)], 1), ([silent(1)], 2),
        ([ours(1, [])], 0),
        // What nodes say of each other counts though both list the same.
        ([ours(1, [], gossip: peers([("ns-2", false)])), ours(2, [])], 1),
    ]

    @Test(arguments: outcomes)
    func exitStatus(_ nodes: [NodeReading], _ status: Int32) {
        #expect(ClusterStatus(cluster: "c", nodes).exitStatus == status)
    }

    @Test func json() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let data = try encoder.encode(ClusterStatus(cluster: "c", [ours(1, [broker("a", 0, age: 50_000)]), silent(2)]))
        #expect(
            String(decoding: data, as: UTF8.self)
                == #"{"brokers":[{"address":"127.0.0.1:10911","cluster":"C","id":0,"name":"a","nodes":{"ns-1":{"ageMillis":50000,"#
                + #""isLate":true,"kind":"heard","timeoutMillis":120000},"ns-2":{"kind":"unknown"}}}],"cluster":"c","#
                + #""isHealthy":false,"nodes":[{"address":"10.0.1.1:9876","brokers":1,"differsFrom":[],"isUp":true,"#
                + #""name":"ns-1","peers":[],"software":"hearsay test","topics":7,"uptimeMillis":3600000},"#
                + #"{"address":"10.0.1.2:9876","error":"no answer in time","isUp":false,"name":"ns-2","peers":[]}]}"#)
    }
}
