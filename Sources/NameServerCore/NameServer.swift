// The NameServer's decisions, without sockets, files or clocks.
//
//     request bytes ──CommandHeader──▶ handle ──▶ one answer frame, in the caller's buffer
//     closed connection ─────────────▶ connectionClosed     │
//     timer ─────────────────────────▶ scan                 └──▶ directives: close, notify, persist, log
//
// One file per kind of request; the tables they work on are in RouteTables.swift and its neighbours.

import Basics
import Remoting

/// One node's tables and its answer to every request (protocol.md section 2, behaviour of 5.3.3).
///
/// Not thread-safe, never blocks, reads no clock. Requests take effect in the order in which they are handed in, so what
/// belongs to an older registration can never undo a newer one that was handed in before it.
public struct NameServer: ~Copyable {
    /// RocketMQ's settings, as changed by 318 since the start.
    public internal(set) var properties: NamesrvProperties
    /// The bounds in force.
    public internal(set) var limits: NameServerLimits
    /// What was served.
    public internal(set) var counters = Counters()

    var requests = RequestCounts()
    let name: String
    let software: String
    let startedAt: Instant
    /// The black list as it was at the start; 318 cannot change it.
    let refusedKeys: Set<String>

    var tables = RouteTables()
    var keyValues: KeyValueStore
    var cache: RouteCache
    var events = EventLog()
    /// What is served without having been heard first-hand; usually nothing.
    var hearsay = LearnedTable()
    /// Kept for the gossip layer; nil without it.
    var firstHand: FirstHandTracking?
    var readiness = Readiness()

    /// For how long a replica whose connection closed is kept, so that peers can be asked about it; nil removes it at
    /// once, as RocketMQ does. A change concerns connections that close from then on.
    public var closeGrace: Duration?

    /// Registrations that are being decoded elsewhere and still count; see `PendingRegistration`.
    var pending: [PendingRegistration.Ticket] = []
    var lastTicket: UInt64 = 0
    /// What the bodies of `pending` count for; see `NameServerLimits.pendingBytes`.
    var pendingBytes = 0
    /// Memory of bodies that were decoded, for the next ones.
    var spareBodies: [[UInt8]] = []
    /// The one registration whose topics are entering the tables in several steps.
    var steps = RegistrationSteps.none

    /// An empty node.
    ///
    /// - Parameters:
    ///   - name: the node's label in its status.
    ///   - software: program and version in its status.
    ///   - kv: the key-value configuration read at start.
    ///   - startedAt: from which `waitSecondsForService` counts.
    public init(
        name: String = "namesrv", software: String = "hearsay", properties: NamesrvProperties,
        limits: NameServerLimits = NameServerLimits(), kv: KVConfigFile = KVConfigFile(), startedAt: Instant
    ) {
        self.name = name
        self.software = software
        self.properties = properties
        self.limits = limits
        self.startedAt = startedAt
        refusedKeys = properties.refusedKeys
        keyValues = KeyValueStore(kv)
        cache = RouteCache(limit: limits.routeCacheBytes)
    }

    /// Serves one command and writes at most one answer frame to `output`.
    ///
    /// A response gets no answer, nor does a oneway request. Directives are appended, in the order in which they are to
    /// be carried out.
    ///
    /// - Parameters:
    ///   - body: the frame's body; empty is no body.
    ///   - connection: a number that the shell gives to one connection only; 0 binds nothing.
    public mutating func handle(
        _ header: borrowing CommandHeader, body: UnsafeRawBufferPointer, from connection: UInt64, now: Instant,
        wallTime: WallTime, output: inout ByteWriter, directives: inout [Directive]
    ) -> Handled {
        if header.isResponse { return .done }
        counters.requests += 1
        let arrival = Arrival(
            connection: connection, now: now, wallTime: wallTime, opaque: header.opaque, isOneway: header.isOneway)
        let start = output.count
        let errors = counters.errors
        let handled = dispatch(header, body, arrival, &output, &directives)
        if case .wait = handled { counters.requests -= 1 }
        if case .done = handled { requests.add(header.code, hasFailed: counters.errors != errors) }
        checkAnswer(from: start, arrival, &output)
        return handled
    }

    /// A oneway request is processed like any other and its answer cut off; so is an answer that no peer could read.
    mutating func checkAnswer(from start: Int, _ arrival: Arrival, _ output: inout ByteWriter) {
        let length = output.count - start
        if arrival.isOneway {
            output.truncate(to: start)
        } else if length > limits.answerBytes {
            output.truncate(to: start)
            fail("the answer of \(length) bytes is longer than the \(limits.answerBytes) of a frame", arrival, &output)
        }
    }

    private mutating func dispatch(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer, _ arrival: Arrival,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) -> Handled {
        switch header.code {
        case RequestCode.getRouteInfoByTopic: routeInfo(header, arrival, &output)
        case RequestCode.registerBroker: return registerBroker(header, body, arrival, &output, &directives)
        case RequestCode.brokerHeartbeat: brokerHeartbeat(header, arrival, &output)
        case RequestCode.queryDataVersion: queryDataVersion(header, body, arrival, &output, &directives)
        case RequestCode.getBrokerMemberGroup: brokerMemberGroup(header, arrival, &output)
        case RequestCode.unregisterBroker: unregisterBroker(header, arrival, &output, &directives)
        case RequestCode.getBrokerClusterInfo: clusterInfo(arrival, &output)
        case RequestCode.wipeWritePermOfBroker: wipeWritePermission(header, arrival, &output, &directives)
        case RequestCode.addWritePermOfBroker: addWritePermission(header, arrival, &output, &directives)
        case RequestCode.deleteTopicInNameServer: deleteTopic(header, arrival, &output, &directives)
        case RequestCode.registerTopicInNameServer: registerTopic(header, body, arrival, &output, &directives)
        case RequestCode.getAllTopicListFromNameServer: allTopics(arrival, &output)
        case RequestCode.getTopicsByCluster: topicsByCluster(header, arrival, &output)
        case RequestCode.getSystemTopicListFromNameServer: systemTopics(arrival, &output)
        case RequestCode.getUnitTopicList: unitTopics(arrival, &output) { $0 & 1 == 1 }
        case RequestCode.getHasUnitSubTopicList: unitTopics(arrival, &output) { $0 & 2 == 2 }
        case RequestCode.getHasUnitSubUnunitTopicList: unitTopics(arrival, &output) { $0 & 3 == 2 }
        case RequestCode.putKVConfig: putKeyValue(header, arrival, &output, &directives)
        case RequestCode.getKVConfig: getKeyValue(header, arrival, &output)
        case RequestCode.deleteKVConfig: deleteKeyValue(header, arrival, &output, &directives)
        case RequestCode.getKVListByNamespace: keyValueList(header, arrival, &output)
        case RequestCode.updateNameServerConfig: updateProperties(body, arrival, &output, &directives)
        case RequestCode.getNameServerConfig: printProperties(arrival, &output)
        case RequestCode.getNodeStatus: nodeStatus(header, arrival, &output)
        default:
            counters.unknownRequests += 1
            counters.errors += 1
            output.answer(
                arrival, code: ResponseCode.requestCodeNotSupported,
                remark: " request type \(header.code) not supported")
        }
        return .done
    }
}
