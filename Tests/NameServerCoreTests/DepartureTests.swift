import Basics
import NameServerCore
import Remoting
import Testing

/// Unregistration, expiry and closed connections: protocol.md section 8, items 63 to 75, and the fences around them.
@Suite struct DepartureTests {
    private let nothing = #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#

    @Test("63: unregistering empties the tables") func unregisters() {
        let node = CoreNode()
        node.register()
        #expect(node.unregister().code == 0)
        #expect(node.clusterInfo() == nothing)
        #expect(node.topicList() == #"{"topicList":[]}"#)
        #expect(node.eventKinds == [.registered, .unregistered])
    }

    @Test("64, 65: the address decides") func decidesByAddress() {
        let node = CoreNode()
        node.register()
        node.unregister("10.0.0.99:10911")
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.unregister(id: 77)
        #expect(node.group() == [:])
    }

    @Test("66, 67: a group without its master stays, read-only if a slave may act", arguments: [nil, "true"])
    func keepsSlave(_ acting: String?) {
        let node = CoreNode()
        node.register(Registration().with { $0.actingMaster = acting })
        node.register(Registration.slave(acting: acting))
        node.unregister()
        #expect(node.group() == [1: "10.0.0.2:10911"])
        #expect(node.routeData("A")?.queueDatas[0].perm == (acting == nil ? 6 : 4))
    }

    @Test("68: another cluster's name leaves the cluster list alone") func leavesClusterListed() {
        let node = CoreNode()
        node.register()
        node.unregister(cluster: "Z")
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{"C":["broker-a"]}}"#)
        #expect(node.topicList() == #"{"topicList":[]}"#)
        node.register()
        node.unregister()
        #expect(node.clusterInfo() == nothing)
    }

    @Test("68 goes on: the listing ends with the live entry") func dropsListingOnExpiry() {
        let node = CoreNode()
        node.register()
        node.unregister(cluster: "Z")
        node.pass(.seconds(121))
        node.scan()
        #expect(node.clusterInfo() == nothing)
    }

    @Test(
        "2.24: a request without a field has no effect",
        arguments: ["brokerName", "brokerAddr", "clusterName", "brokerId"])
    func refusesIncompleteRequest(_ missing: String) {
        let node = CoreNode()
        node.register()
        var command = RemotingCommand(
            request: RequestCode.unregisterBroker,
            fields: ["brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911", "clusterName": "C", "brokerId": "0"])
        command.fields?.removeAll { $0.name == missing }
        #expect(node.send(command)?.code == 1)
        #expect(node.group() == [0: "10.0.0.1:10911"])
    }

    @Test("69: silence beyond the timeout, strictly, and the connection is closed") func expires() {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 1_200 }, from: 7)
        #expect(node.core.nextDeadline == node.now + .milliseconds(1_200))
        node.pass(.milliseconds(1_200))
        node.scan()
        #expect(node.closed.isEmpty)
        node.pass(.milliseconds(1))
        node.scan()
        #expect(node.clusterInfo() == nothing)
        #expect(node.closed == [7])
        #expect(node.eventKinds == [.registered, .expired])
        #expect(node.core.nextDeadline == nil)
    }

    @Test(
        "70, 71: both light heartbeats refresh", arguments: [RequestCode.brokerHeartbeat, RequestCode.queryDataVersion])
    func refreshes(_ code: Int32) {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 1_000 }, from: 1)
        for _ in 0..<10 {
            node.pass(.milliseconds(999))
            let answer = node.call(
                code, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"], body: #"{"counter":99}"#, from: 2)
            #expect(answer.code == 0)
            node.scan()
        }
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.close(2)
        #expect(node.group() == [0: "10.0.0.1:10911"], "light heartbeats do not move the binding")
    }

    @Test("72, 73: only the connection of the last registration counts") func closes() {
        let node = CoreNode()
        node.register(from: 1)
        node.register(from: 2)
        node.close(1)
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.close(2)
        #expect(node.group() == [:])
        #expect(node.eventKinds == [.registered, .reregistered, .connectionClosed])
    }

    @Test("74: 120 seconds by default") func defaultTimeout() {
        let node = CoreNode()
        node.register()
        node.pass(.seconds(120))
        node.scan()
        #expect(node.group() == [0: "10.0.0.1:10911"])
        node.pass(.milliseconds(1))
        node.scan()
        #expect(node.group() == [:])
    }

    @Test("A timeout of 0 or less ends at the next scan", arguments: [0, -5, .min] as [Int64])
    func acceptsOddTimeouts(_ timeout: Int64) {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = timeout })
        node.pass(.milliseconds(1))
        node.scan()
        #expect(node.group() == [:])
        node.register(Registration().with { $0.timeoutMillis = .max })
        node.pass(.seconds(1_000_000))
        node.scan()
        #expect(node.group() == [0: "10.0.0.1:10911"])
    }

    @Test("75: 904 for an unknown broker is fine, without its fields it is not") func heartbeatOfUnknown() {
        let node = CoreNode()
        #expect(node.call(RequestCode.brokerHeartbeat, ["clusterName": "C", "brokerAddr": "x:1"]).code == 0)
        #expect(node.call(RequestCode.brokerHeartbeat).code == 1)
        #expect(node.group() == [:])
    }

    @Test("All replicas on a connection leave with it (2.24)") func closesAllOfConnection() {
        let node = CoreNode()
        node.register(from: 5)
        node.register(Registration().with { ($0.name, $0.address) = ("broker-b", "10.0.1.1:1") }, from: 5)
        node.register(Registration().with { ($0.name, $0.address) = ("broker-c", "10.0.2.1:1") }, from: 6)
        node.close(5)
        #expect(node.clusterInfo().contains(#""clusterAddrTable":{"C":["broker-c"]}"#))
    }

    @Test("An expiry does not take the connection from replicas that are not silent") func sparesSharedConnection() {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 1_000 }, from: 5)
        node.register(Registration().with { ($0.name, $0.address) = ("broker-b", "10.0.1.1:1") }, from: 5)
        node.pass(.seconds(2))
        node.scan()
        #expect(node.group("broker-a") == [:])
        #expect(node.group("broker-b") == [0: "10.0.1.1:1"])
        #expect(node.closed.isEmpty)
    }

    // MARK: Fences

    @Test("Issue 5374: the old master's late farewell does not remove the new master") func lateFarewellOfOldMaster() {
        let node = CoreNode()
        node.register(Registration().with { $0.actingMaster = "true" }, from: 1)
        node.register(Registration().with { ($0.address, $0.actingMaster) = ("10.0.0.2:10911", "true") }, from: 2)
        let before = node.route("A").text
        _ = node.takeDirectives()
        node.unregister("10.0.0.1:10911", id: 0, from: 1)
        #expect(node.group() == [0: "10.0.0.2:10911"])
        #expect(node.route("A").text == before, "nor does it wipe permissions")
        #expect(node.notifications.isEmpty)
        node.close(1)
        node.pass(.seconds(60))
        node.scan()
        #expect(node.group() == [0: "10.0.0.2:10911"])
    }

    @Test("Issue 11043: a farewell over the connection of an earlier life removes nothing")
    func lateFarewellOfEarlierLife() {
        let node = CoreNode()
        node.register(from: 1)
        node.register(Registration().with { $0.id = "1" }, from: 2)
        _ = node.takeDirectives()
        #expect(node.unregister(id: 0, from: 1).code == 0)
        #expect(node.group() == [1: "10.0.0.1:10911"])
        #expect(node.eventKinds == [.lateUnregister])
        node.unregister(id: 1, from: 3)
        #expect(node.group() == [:], "any other connection may say farewell, a tool's for example")
    }

    @Test("Issue 11043: an expiry or close of the earlier life does not reach the newer one") func staleExpiry() {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 1_000 }, from: 1)
        node.pass(.milliseconds(1_001))
        node.register(Registration().with { $0.timeoutMillis = 5_000 }, from: 2)
        node.scan()
        node.close(1)
        #expect(node.group() == [0: "10.0.0.1:10911"])
        #expect(node.closed.isEmpty)
    }

    @Test("A shorter timeout takes effect at once") func shortensTimeout() {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 100_000 })
        node.register(Registration().with { $0.timeoutMillis = 1_000 })
        node.pass(.milliseconds(1_001))
        node.scan()
        #expect(node.group() == [:])
    }

    @Test("2.24: the live entry of a replaced address goes on expiry, its successor stays")
    func expiresReplacedAddress() {
        let node = CoreNode()
        node.register(Registration().with { $0.timeoutMillis = 1_000 }, from: 1)
        node.register(Registration().with { $0.address = "10.0.0.2:10911" }, from: 2)
        node.pass(.milliseconds(1_001))
        node.scan()
        #expect(node.group() == [0: "10.0.0.2:10911"])
        #expect(node.closed == [1])
        let version = node.call(
            RequestCode.queryDataVersion, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"], body: "{}")
        #expect(version.body.isEmpty)
    }

    @Test("An address that took another broker name leaves no zombie under the old one") func removesBothNames() {
        let node = CoreNode()
        node.register()
        node.register(Registration().with { $0.name = "broker-b" })
        #expect(node.group("broker-a") == [0: "10.0.0.1:10911"])
        node.pass(.seconds(121))
        node.scan()
        #expect(node.clusterInfo() == nothing)
    }

    @Test("Entries expire in the order of their deadlines, and only those that are due") func ordersExpiry() {
        let node = CoreNode()
        let timeouts: [Int64] = [500, 100, 900, 300, 700, 200]
        for timeout in timeouts {
            node.register(
                Registration().with {
                    $0.name = "b\(timeout)"
                    $0.address = "h:\(timeout)"
                    $0.timeoutMillis = timeout
                }, from: UInt64(timeout))
        }
        _ = node.takeDirectives()
        node.pass(.milliseconds(501))
        node.scan()
        #expect(node.closed == [100, 200, 300, 500])
        node.pass(.milliseconds(500))
        node.scan()
        #expect(node.closed == [100, 200, 300, 500, 700, 900])
    }
}
