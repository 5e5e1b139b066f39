import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import ClusterView

/// A node with a scripted life: it answers GET_NODE_STATUS and, if told to, GET_GOSSIP_STATUS, and can be silent or start
/// over.
private final class ScriptedNode: RemotingServerHandler {
    var startedAt: Instant
    var events: [String] = []
    var isSilent = false
    /// Its answer to GET_GOSSIP_STATUS; nil refuses it, as nodes without gossip do.
    var gossip: String?
    private(set) var gossipRequests = 0
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
        if command.code == RequestCode.getGossipStatus {
            gossipRequests += 1
            let code = gossip == nil ? ResponseCode.requestCodeNotSupported : 0
            return peer.send(.response(to: command, code: code, body: Array((gossip ?? "").utf8)))
        }
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

    /// What the nodes report of each other appears, with what to do, and its end is told.
    @Test func divergencesAppearAndHeal() throws {
        let loop = try EventLoop()
        let node = ScriptedNode(platform: loop)
        let server = try RemotingServer(platform: loop, address: Address(host: "127.0.0.1", port: 0), handler: node)
        let poller = ClusterPoller(
            platform: loop, cluster: "c", nodes: [("ns-1", server.address)], interval: .milliseconds(20))
        let told =
            #"{"kind":"content","peer":"ns-1","broker":"a","id":0,"sinceMillis":7000,"text":"differs","advice":"look"}"#
        node.gossip = #"{"mode":"observe","divergences":[\#(told)]}"#
        var lines: [String] = []
        poller.onRound = { events in
            lines += events.map { String($0.line.dropFirst(9)) }
            if lines.last?.hasPrefix("DIVERGENCE") == true, node.gossip?.contains("content") == true {
                #expect(poller.model.differences.map(\.sinceMillis) == [7_000])
                #expect(poller.model.nodes[0].gossip?.mode == "observe")
                node.gossip = #"{"mode":"protect"}"#
            }
            if lines.last?.hasPrefix("HEALED") == true {
                poller.stop()
                loop.stop()
            }
        }
        poller.start()
        loop.run()
        #expect(lines.prefix(2) == ["ns-1 up", "DIVERGENCE content a:0: differs: look"])
        #expect(lines.last?.hasPrefix("HEALED content a:0, seen for 0.") == true)
        #expect(poller.model.differences == [] && poller.model.nodes[0].gossip?.mode == "protect")
        withExtendedLifetime(server) {}
    }

    /// A node that refuses to speak of gossip is asked again only after it was away, or has started over.
    @Test func aNodeWithoutGossipIsAskedForItOnce() throws {
        let loop = try EventLoop()
        let node = ScriptedNode(platform: loop)
        let server = try RemotingServer(platform: loop, address: Address(host: "127.0.0.1", port: 0), handler: node)
        let poller = ClusterPoller(
            platform: loop, cluster: "c", nodes: [("ns-1", server.address)], interval: .milliseconds(10))
        // On a busy machine the node may be away in between: the rounds are counted from its return.
        var (rounds, asked) = (0, 0)
        poller.onRound = { events in
            rounds = events.contains { $0.line.contains(" down") } ? 0 : rounds + 1
            if rounds == 1 { asked = node.gossipRequests }
            if rounds == 5, node.gossip == nil {
                #expect(node.gossipRequests == asked && asked > 0 && poller.model.nodes[0].gossip == nil)
                node.restart()
                node.gossip = #"{"mode":"observe"}"#
            }
            if poller.model.nodes[0].gossip?.mode == "observe" {
                poller.stop()
                loop.stop()
            }
        }
        poller.start()
        loop.run()
        #expect(node.gossipRequests > asked)
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
