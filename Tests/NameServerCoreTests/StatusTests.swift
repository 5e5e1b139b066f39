import Basics
import NameServerCore
import Remoting
import Testing

/// GET_NODE_STATUS, the request of ours, and the events in it.
@Suite struct StatusTests {
    private func status(_ node: CoreNode, since: String? = nil) -> String {
        guard let since else { return node.call(RequestCode.getNodeStatus).text }
        return node.call(RequestCode.getNodeStatus, ["sinceEvent": since]).text
    }

    @Test("Byte for byte") func describesNode() {
        let node = CoreNode()
        node.register(from: 3)
        node.pass(.milliseconds(400))
        #expect(
            status(node) == """
                {"node":"ns-1","software":"hearsay test","uptimeMillis":400,"wallMillis":1800000000400,\
                "totals":{"brokers":1,"groups":1,"topics":2,"clusters":1,"learned":0},\
                "counters":{"requests":2,"registrations":1,"heartbeats":0,"changedRegistrations":1,"lookups":0,\
                "lookupMisses":0,"errors":0,"decodedBodies":1,"encodedRoutes":0,"expirations":0,"closedConnections":0,\
                "unregistrations":0,"lightHeartbeats":0,"unknownRequests":0},\
                "brokers":[{"cluster":"C","name":"broker-a","id":0,"address":"10.0.0.1:10911",\
                "haAddress":"10.0.0.1:10912","ageMillis":400,"registrationAgeMillis":400,"timeoutMillis":120000,\
                "topics":2,"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1700000000000},"connected":true}],\
                "events":[{"sequence":1,"wallMillis":1800000000000,"kind":"registered","broker":"broker-a","id":0,\
                "cluster":"C","address":"10.0.0.1:10911","text":"broker-a:0 at 10.0.0.1:10911 registered, 2 topics"}],\
                "lastEventSequence":1}
                """)
    }

    @Test("A light heartbeat makes the broker younger, not its registration") func separatesAges() {
        let node = CoreNode()
        node.register()
        node.pass(.milliseconds(300))
        _ = node.call(RequestCode.brokerHeartbeat, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"])
        #expect(status(node).contains(#""ageMillis":0,"registrationAgeMillis":300"#))
        node.register()
        #expect(status(node).contains(#""ageMillis":0,"registrationAgeMillis":0"#))
    }

    @Test("Brokers come by cluster, name and id") func sortsBrokers() {
        let node = CoreNode()
        for (cluster, name, id) in [("D", "a", 0), ("C", "b", 1), ("C", "b", 0), ("C", "a", 2)] {
            node.register(
                Registration().with {
                    ($0.cluster, $0.name, $0.id, $0.address) = (cluster, name, "\(id)", "\(cluster)\(name)\(id)")
                })
        }
        let addresses = status(node).split(separator: #""address":""#).dropFirst().prefix(4).map { $0.prefix(3) }
        #expect(addresses == ["Ca2", "Cb0", "Cb1", "Da0"])
    }

    @Test("Events are numbered, the last 64 are kept, and only newer ones are sent") func keepsEvents() {
        let node = CoreNode()
        #expect(status(node).hasSuffix(#""events":[],"lastEventSequence":0}"#))
        for round in 0..<50 {
            node.register(Registration().with { $0.name = "b\(round)" })
            node.unregister(name: "b\(round)")
        }
        #expect(status(node).hasSuffix(#""lastEventSequence":100}"#))
        #expect(status(node).split(separator: #"{"sequence":"#).count == 65)
        #expect(status(node).contains(#"{"sequence":37,"#))
        #expect(status(node, since: "99").split(separator: #"{"sequence":"#).count == 2)
        #expect(status(node, since: "100").contains(#""events":[]"#))
        #expect(status(node, since: "\(Int64.max)").contains(#""events":[]"#))
        #expect(status(node, since: "-1").split(separator: #"{"sequence":"#).count == 65)
    }

    @Test("Each state change has one event with its cause, and a heartbeat none") func recordsCauses() {
        let node = CoreNode()
        node.register()
        node.register()
        node.register(
            Registration().with {
                $0.topics.append(Registration.topic("C"))
                $0.topics[0].perm = 4
                $0.version.counter = 2
            })
        let texts = node.directives.map { if case .event(let event) = $0 { event.text } else { "" } }
        #expect(
            texts == [
                "broker-a:0 at 10.0.0.1:10911 registered, 2 topics",
                "broker-a:0 at 10.0.0.1:10911 registered again: 1 topics added, 1 topics changed",
            ])
        _ = node.takeDirectives()
        node.pass(.seconds(121))
        node.scan()
        guard case .event(let event) = node.directives.first else { return #expect(Bool(false)) }
        #expect(event.text == "broker-a:0 at 10.0.0.1:10911 removed: silent for 121000 ms")
        #expect(event.broker == ReplicaIdentity(cluster: "C", name: "broker-a", id: 0, address: "10.0.0.1:10911"))
    }
}
