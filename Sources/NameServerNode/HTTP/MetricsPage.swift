// `/metrics`. Names that begin with rocketmq_namesrv_ are those of rocketmq-rust's NameServer for the same meaning, so that
// its dashboards show our nodes, too; what only Hearsay has begins with hearsay_. There is no series for each topic, and
// for each broker only when asked for, so that the page costs the same whatever the tables hold.

import Basics
import GossipCore
import HTTPServer
import NameServerCore
import Platform
import Remoting

extension HTTPShell {
    /// Everything but the series of each broker.
    func appendMetrics(to text: inout MetricsText) {
        appendNode(&text)
        appendRequests(&text)
        appendTables(&text)
        appendConnections(&text)
        appendAccess(&text)
        if let gossip = node.gossip {
            appendGossip(gossip, &text)
            appendPeers(gossip.core.pointee.figures(now: node.platform.now).peers, &text)
        }
        appendProcess(&text)
    }

    private func appendNode(_ text: inout MetricsText) {
        let readiness = ReadinessReport(node)
        text.single("rocketmq_nameserver_up", .gauge, 1, "The NameServer is up.")
        text.family("hearsay_build_info", .gauge, "The node and its software.")
        text.sample(1, ["node": node.options.name, "version": node.options.software])
        text.single(
            "hearsay_ready", .gauge, readiness.isReady, "Whether clients should ask this node; /readyz says why not.")
        text.family("hearsay_loop_lag_seconds", .histogram, "How late the event loop comes to what is due.")
        text.histogram(lag.counts, bounds: LoopLag.bounds, sum: lag.total)
    }

    // MARK: Requests

    private func appendRequests(_ text: inout MetricsText) {
        let (counters, counts) = node.inspectTables { ($0.counters, $0.requestCounts) }
        text.family("rocketmq_namesrv_requests_total", .counter, "Requests by class and result.")
        for (type, codes) in Self.requestClasses {
            let ofClass = counts.filter { $0.code.map(codes.contains) ?? codes.isEmpty }
            text.sample(ofClass.reduce(0) { $0 + $1.succeeded }, ["request_type": type, "result": "success"])
            text.sample(ofClass.reduce(0) { $0 + $1.failed }, ["request_type": type, "result": "error"])
        }
        text.family("hearsay_requests_total", .counter, "Requests by RocketMQ's request code and result.")
        for count in counts {
            let code = count.code.map { "\($0)" } ?? "other"
            text.sample(count.succeeded, ["code": code, "result": "success"])
            text.sample(count.failed, ["code": code, "result": "error"])
        }
        text.single("rocketmq_namesrv_route_request_total", .counter, counters.lookups, "Route requests.")
        text.family("rocketmq_namesrv_route_errors_total", .counter, "Route requests that got no route, by cause.")
        text.sample(counters.lookupMisses, ["result": "not_found"])
        text.sample(counters.refusedLookups, ["result": "rejected"])
        text.family(
            "rocketmq_namesrv_route_cache_events_total", .counter, "Routes answered from the cache and encoded anew.")
        text.sample(counters.cachedRoutes, ["result": "hit"])
        text.sample(counters.encodedRoutes, ["result": "miss"])
        text.single(
            "rocketmq_namesrv_broker_registrations_total", .counter, counters.registrations,
            "Accepted registrations, heartbeats among them.")
        text.family(
            "hearsay_registrations_total", .counter, "Accepted registrations that repeated the last one, and others.")
        text.sample(counters.heartbeats, ["kind": "repeated"])
        text.sample(counters.changedRegistrations, ["kind": "changed"])
        text.single(
            "hearsay_light_heartbeats_total", .counter, counters.lightHeartbeats,
            "Signs of life without content: BROKER_HEARTBEAT and QUERY_DATA_VERSION.")
        text.single("hearsay_decoded_bodies_total", .counter, counters.decodedBodies, "Registration bodies parsed.")
    }

    /// rocketmq-rust's classes, and a place for what is none of them.
    private static let requestClasses: [(type: String, codes: Set<Int32>)] = [
        ("route-read", [RequestCode.getRouteInfoByTopic]),
        (
            "broker-control",
            [
                RequestCode.registerBroker, RequestCode.unregisterBroker, RequestCode.queryDataVersion,
                RequestCode.brokerHeartbeat, RequestCode.getBrokerMemberGroup,
            ]
        ),
        (
            "admin",
            [
                RequestCode.putKVConfig, RequestCode.getKVConfig, RequestCode.deleteKVConfig,
                RequestCode.getBrokerClusterInfo, RequestCode.wipeWritePermOfBroker,
                RequestCode.getAllTopicListFromNameServer, RequestCode.deleteTopicInNameServer,
                RequestCode.registerTopicInNameServer, RequestCode.getKVListByNamespace,
                RequestCode.getTopicsByCluster, RequestCode.getSystemTopicListFromNameServer,
                RequestCode.getUnitTopicList, RequestCode.getHasUnitSubTopicList,
                RequestCode.getHasUnitSubUnunitTopicList, RequestCode.updateNameServerConfig,
                RequestCode.getNameServerConfig, RequestCode.addWritePermOfBroker, RequestCode.getNodeStatus,
            ]
        ), ("unknown", []),
    ]

    // MARK: Tables

    private func appendTables(_ text: inout MetricsText) {
        let now = node.platform.now
        let (figures, events) = node.inspectTables { ($0.figures(now: now), $0.eventCounts) }
        text.single(
            "rocketmq_namesrv_active_brokers", .gauge, figures.brokers, "Brokers heard first-hand, slaves among them.")
        text.single("hearsay_groups", .gauge, figures.groups, "Broker groups heard first-hand.")
        text.single("hearsay_topics", .gauge, figures.topics, "Topics heard first-hand.")
        text.single("hearsay_clusters", .gauge, figures.clusters, "Clusters heard first-hand.")
        text.single(
            "hearsay_learned_brokers", .gauge, figures.learned, "Brokers served although only other nodes hear them.")
        text.single(
            "hearsay_protected_brokers", .gauge, figures.held,
            "Brokers that are silent here for too long and kept because another node hears them.")
        text.single(
            "hearsay_longest_hold_seconds", .gauge, figures.longestHold,
            "For how long the first of the protected brokers would be gone.")
        text.single(
            "hearsay_closing_brokers", .gauge, figures.closing,
            "Brokers whose connection closed, kept for a moment to ask the other nodes.")
        text.single(
            "hearsay_pending_registrations", .gauge, figures.pendingRegistrations,
            "Large registrations that are being decoded.")
        text.single(
            "rocketmq_namesrv_route_cache_bytes", .gauge, figures.routeCacheBytes,
            "Bytes of encoded routes in the cache.")
        text.single(
            "hearsay_route_cache_limit_bytes", .gauge, figures.routeCacheLimit, "Bytes that the cache may hold.")
        text.single("hearsay_key_value_bytes", .gauge, figures.keyValueBytes, "Bytes of the key-value configuration.")
        text.family("hearsay_table_events_total", .counter, "Changes of the tables by kind.")
        for (kind, count) in events { text.sample(count, ["kind": kind.rawValue]) }
        text.family("hearsay_evictions_total", .counter, "Brokers that left the tables, by cause.")
        let causes: [TableEvent.Kind] = [.expired, .connectionClosed, .unregistered, .conflict]
        for (kind, count) in events where causes.contains(kind) { text.sample(count, ["cause": kind.rawValue]) }
    }

    private func appendConnections(_ text: inout MetricsText) {
        let counts = node.connectionCounts
        text.single(
            "rocketmq_namesrv_active_connections", .gauge, node.connectionCount,
            "Connections of brokers, clients and tools.")
        text.family("rocketmq_namesrv_connection_events_total", .counter, "Connections that came and went.")
        text.sample(counts.accepted, ["event": "admitted"])
        text.sample(counts.endings.values.reduce(0, +), ["event": "closed"])
        text.family("hearsay_connections_closed_total", .counter, "Connections that ended, by cause.")
        for ending in ConnectionCounts.Ending.allCases {
            text.sample(counts.endings[ending, default: 0], ["cause": ending.rawValue])
        }
        let served = server.counters
        text.family("hearsay_http_requests_total", .counter, "Answers of this port by status.")
        for status in served.answers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            text.sample(served.answers[status, default: 0], ["code": "\(status.rawValue)"])
        }
        text.single("hearsay_http_connections", .gauge, server.openConnections, "Connections at this port.")
        text.single("hearsay_http_event_streams", .gauge, server.openEventStreams, "Event streams among them.")
        text.single(
            "hearsay_http_dropped_event_streams_total", .counter, served.droppedEventStreams,
            "Event streams whose readers did not keep up.")
        text.single(
            "hearsay_http_displaced_connections_total", .counter, served.displacedConnections,
            "Connections that came when all places were taken, so that another one had to go or they got 503.")
    }

    // MARK: Gossip

    private func appendGossip(_ gossip: GossipShell, _ text: inout MetricsText) {
        let figures = gossip.core.pointee.figures(now: node.platform.now)
        let counters = gossip.core.pointee.counters
        text.family("hearsay_gossip_info", .gauge, "How the node gossips.")
        text.sample(1, ["mode": gossip.options.settings.mode.name, "label": gossip.options.settings.label])
        text.family("hearsay_gossip_state", .gauge, "1 for the state that the node is in.")
        for state in NodeState.allCases { text.sample(figures.state == state, ["state": state.name]) }
        text.single(
            "hearsay_gossip_local_health", .gauge, figures.localHealth,
            "0 is well, 8 is worst: exchanges that fail here.")
        text.single(
            "hearsay_gossip_late_brokers", .gauge, figures.late,
            "Brokers that have been silent here for unusually long.")
        text.single("hearsay_gossip_tombstones", .gauge, figures.tombstones, "Goodbyes remembered.")
        text.single("hearsay_gossip_exchanges_total", .counter, counters.exchanges, "Exchanges with peers completed.")
        text.single(
            "hearsay_gossip_missed_exchanges_total", .counter, counters.missedExchanges,
            "Exchanges that got no answer in time.")
        text.family("hearsay_gossip_frames_total", .counter, "Frames to and from peers.")
        text.sample(counters.framesSent, ["direction": "sent"])
        text.sample(counters.framesReceived, ["direction": "received"])
        text.family("hearsay_gossip_bytes_total", .counter, "Bytes of frames to and from peers.")
        text.sample(counters.bytesSent, ["direction": "sent"])
        text.sample(counters.bytesReceived, ["direction": "received"])
        text.family("hearsay_gossip_refusals_total", .counter, "What was turned down, by kind.")
        text.sample(counters.malformedFrames, ["kind": "malformed_frame"])
        text.sample(counters.unsolicitedAnswers, ["kind": "unsolicited_answer"])
        text.sample(counters.refusedLinks, ["kind": "link"])
        text.sample(counters.refusedOperations, ["kind": "operation"])
        text.sample(counters.busyAnswers, ["kind": "busy"])
        text.single(
            "hearsay_gossip_dropped_sends_total", .counter, gossip.droppedSends, "Sends to peers that did not read.")
        text.single(
            "hearsay_gossip_reconciliations_total", .counter, counters.reconciliations, "Differences worked out.")
        text.single("hearsay_gossip_holds_total", .counter, counters.holds, "Removals put off.")
        text.single("hearsay_gossip_learned_total", .counter, counters.learned, "Registrations learned from peers.")
        text.single(
            "hearsay_gossip_operations_total", .counter, counters.operations,
            "Operators' writes at other nodes taken over.")
        text.single(
            "hearsay_gossip_stall_seconds_total", .counter, figures.stalled, "Time that this node's clock has lost.")
        text.single(
            "hearsay_gossip_uncounted_divergences_total", .counter, figures.uncountedDivergences,
            "Divergences that found no room in the table.")
    }

    private func appendPeers(_ peers: [GossipFigures.Peer], _ text: inout MetricsText) {
        text.family("hearsay_divergences", .gauge, "How this node's first-hand tables differ from a peer's, by kind.")
        for peer in peers {
            for kind in DivergenceKind.allCases {
                text.sample(peer.divergences[kind, default: 0], ["kind": kind.name, "peer": peer.name])
            }
        }
        text.family("hearsay_gossip_peer_connected", .gauge, "Whether the peer takes part now.")
        for peer in peers { text.sample(peer.isConnected, ["peer": peer.name]) }
        text.family("hearsay_gossip_peer_ready", .gauge, "Whether the peer says that it is ready.")
        for peer in peers { text.sample(peer.state == .ready, ["peer": peer.name]) }
        text.family("hearsay_gossip_peer_exchanges_total", .counter, "Exchanges with the peer completed.")
        for peer in peers { text.sample(peer.exchanges, ["peer": peer.name]) }
        text.family("hearsay_gossip_peer_silence_seconds", .gauge, "Since the last exchange with the peer.")
        for peer in peers { if let time = peer.sinceExchange { text.sample(time, ["peer": peer.name]) } }
        text.family("hearsay_gossip_peer_round_trip_seconds", .gauge, "How long the last exchange with the peer took.")
        for peer in peers where peer.sinceExchange != nil { text.sample(peer.roundTrip, ["peer": peer.name]) }
        text.family(
            "hearsay_gossip_peer_stall_seconds_total", .counter, "Time that the peer's clock has lost, as seen here.")
        for peer in peers { text.sample(peer.stalled, ["peer": peer.name]) }
    }

    private func appendProcess(_ text: inout MetricsText) {
        text.single(
            "process_start_time_seconds", .gauge, Duration.milliseconds(startedAt.milliseconds),
            "When the node started, in seconds since 1970.")
        guard let figures = options.processFigures?() else { return }
        text.single("process_resident_memory_bytes", .gauge, figures.residentBytes, "Memory of the process.")
        text.single("process_cpu_seconds_total", .counter, figures.cpuTime, "Processor time of the process.")
    }
}
