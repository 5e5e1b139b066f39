import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import ClusterView

/// A node with a scripted life: it answers GET_NODE_STATUS, and can be silent or start over.
private final class ScriptedNode: RemotingServerHandler {
    var startedAt: Instant
    var events: [String] = []
    var isSilent = false
    private let platform: any Platform

    init(platform: any Platform) {
        self.platform = platform
        startedAt = platform.now
    }

    func restart() {
        // Far enough that no age can be mistaken for the old life's.
        startedAt = platform.now + .seconds(-3_600)
        events = []
    }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        if isSilent { return }
        let since = Int(command["sinceEvent"] ?? "0") ?? 0
        let told = events.enumerated().dropFirst(since).map { index, text in
            #"{"sequence":\#(index + 1),"wallMillis":\#(index),"kind":"registered","text":"\#(text)"}"#
        }
        let uptime = (platform.now - startedAt).wholeMilliseconds
        let body = """
            {"node":"ns-1","software":"test","uptimeMillis":\(uptime),"wallMillis":0,\
            "totals":{"brokers":0,"groups":0,"topics":0,"clusters":0},\
            "counters":{"requests":1,"registrations":2,"heartbeats":3,"lookups":4,"lookupMisses":5},\
            "brokers":[],"events":[\(told.joined(separator: ","))],"lastEventSequence":\(events.count)}
            """
        peer.send(.response(to: command, code: 0, body: Array(body.utf8)))
    }

    func closed(_ peer: RemotingPeer) {}
}

@Suite struct ClusterPollerTests {
    /// Events are told once each, however often the node falls silent, and all of a new life's are told.
    @Test func eventsAreToldOnce() throws {
        let loop = try EventLoop()
        let node = ScriptedNode(platform: loop)
        let server = try RemotingServer(platform: loop, address: Address(host: "127.0.0.1", port: 0), handler: node)
        let poller = ClusterPoller(
            platform: loop, cluster: "c", nodes: [("ns-1", server.address)], interval: .milliseconds(40))
        var told: [String] = []
        node.events = ["first", "second"]
        poller.onRound = { events in
            told += events.map { String($0.line.dropFirst(9)) }
            switch told.last {
            case "ns-1 second" where !node.isSilent && node.events.count == 2: node.isSilent = true
            case let line? where line.hasPrefix("ns-1 down") && node.events.count == 2:
                node.isSilent = false
                node.events.append("third")
            case "ns-1 third":
                node.restart()
                node.events = ["new life"]
            case "ns-1 new life":
                poller.stop()
                loop.stop()
            default: break
            }
        }
        poller.start()
        loop.run()
        #expect(
            told == [
                "ns-1 up", "ns-1 first", "ns-1 second", "ns-1 down: no answer in time", "ns-1 up", "ns-1 third",
                "ns-1 new life",
            ])
        withExtendedLifetime(server) {}
    }

    @Test func aPortWhereNobodyListensIsDown() throws {
        let loop = try EventLoop()
        let node = ScriptedNode(platform: loop)
        let server = try RemotingServer(platform: loop, address: Address(host: "127.0.0.1", port: 0), handler: node)
        let poller = ClusterPoller(
            platform: loop, cluster: "c", nodes: [("ns-1", server.address)], interval: .milliseconds(200))
        server.close()
        poller.onRound = { _ in
            poller.stop()
            loop.stop()
        }
        poller.start()
        loop.run()
        #expect(poller.model.nodes[0].status == nil)
        #expect(poller.model.nodes[0].error?.contains("ECONNREFUSED") == true)
    }
}
