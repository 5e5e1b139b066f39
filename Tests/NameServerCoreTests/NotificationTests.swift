import NameServerCore
import Remoting
import Testing

/// NOTIFY_MIN_BROKER_ID_CHANGE, protocol.md section 8, items 88 to 91.
@Suite struct NotificationTests {
    private func node() -> CoreNode {
        var properties = NamesrvProperties()
        properties.notifyMinBrokerIdChanged = true
        return CoreNode(properties: properties)
    }

    private func register(_ node: CoreNode, _ id: Int64, acting: String? = "true") {
        node.register(
            Registration.slave(id, "10.0.0.\(id + 1):10911", acting: acting).with {
                $0.haAddress = "10.0.0.\(id + 1):1"
            },
            from: UInt64(id + 1))
    }

    @Test("88, 89: the master leaves and comes back") func notifiesGroup() throws {
        let node = node()
        for id in [0, 1, 2] as [Int64] { register(node, id) }
        #expect(node.notifications.isEmpty, "91: neither the first registration nor a larger id counts")
        node.unregister(from: 1)
        let departure = try #require(node.notifications.first)
        #expect(departure.addresses == ["10.0.0.2:10911", "10.0.0.3:10911"])
        #expect(departure.command.code == 905)
        #expect(departure.command.isOneway)
        #expect(departure.command["minBrokerId"] == "1")
        #expect(departure.command["minBrokerAddr"] == "10.0.0.2:10911")
        #expect(departure.command["offlineBrokerAddr"] == "10.0.0.1:10911")
        #expect(departure.command["haBrokerAddr"] == nil)
        #expect(departure.command["brokerName"] == nil)
        _ = node.takeDirectives()
        register(node, 0)
        let arrival = try #require(node.notifications.first)
        #expect(node.notifications.count == 1)
        #expect(arrival.addresses == ["10.0.0.2:10911", "10.0.0.3:10911"])
        #expect(arrival.command["minBrokerId"] == "0")
        #expect(arrival.command["haBrokerAddr"] == "10.0.0.1:1")
        #expect(arrival.command["offlineBrokerAddr"] == nil)
    }

    @Test("90: only registrations notify a group without acting master") func ignoresPlainGroups() {
        let node = node()
        register(node, 1, acting: nil)
        register(node, 0, acting: nil)
        #expect(node.notifications.map(\.addresses) == [["10.0.0.2:10911"]])
        _ = node.takeDirectives()
        node.unregister(from: 1)
        #expect(node.notifications.isEmpty)
    }

    @Test("An expired or disconnected smallest id is told as well") func notifiesWithoutRequest() {
        let node = node()
        for id in [0, 1] as [Int64] { register(node, id) }
        node.close(1)
        #expect(node.notifications.map(\.addresses) == [["10.0.0.2:10911"]])
    }

    @Test("Off by default") func isOffByDefault() {
        let node = CoreNode()
        for id in [1, 0] as [Int64] { register(node, id) }
        node.unregister(from: 1)
        #expect(node.notifications.isEmpty)
    }
}
