import Basics
import Remoting

/// What is sent, by name.
public enum Workload: String, CaseIterable, Codable, Sendable {
    /// Unchanged full registrations: what every broker sends every 30 s.
    case heartbeat
    /// Full registrations of which some topics have changed.
    case changed
    /// BROKER_HEARTBEAT (904), 5.x only.
    case light
    /// QUERY_DATA_VERSION (322).
    case version
    /// Routes of topics that exist.
    case hit
    /// Routes of a topic that nobody has.
    case miss
    /// GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206).
    case list
    /// 19 lookups to one heartbeat.
    case mix
    /// Brokers leave and register again.
    case churn
}

/// Numbers of a workload.
public struct WorkloadSettings: Hashable, Codable, Sendable {
    /// The brokers that send or are known.
    public var fleet: Fleet
    /// Topics that differ from one changed registration to the next; 0 changes only the DataVersion.
    public var changedTopics = 1
    /// Connections of clients that look up; brokers have one each.
    public var clients = 8
    /// Other brokers that the server knows meanwhile.
    public var bystanders: Fleet?

    /// The defaults above.
    public init(fleet: Fleet = Fleet()) { self.fleet = fleet }
}

extension Workload {
    /// Connections that register the brokers a lookup needs.
    private static let preparingConnections = 64
    /// Topics that lookups ask for in turn.
    private static let askedTopics = 64
    /// Bodies of a broker's states alternate between these DataVersions.
    private static let states = 2...3

    /// Everything that this workload sends. The pace is one request at a time on each connection; see `Plan.paced`.
    public func plan(_ settings: WorkloadSettings) -> Plan {
        let fleet = settings.fleet
        var builder = PlanBuilder(settings)
        let lanes: [[RequestBook.RequestID]]
        switch self {
        case .heartbeat:
            builder.registerFleet()
            lanes = (0..<fleet.brokers).map { [builder.registration(of: $0)] }
        case .changed:
            builder.registerFleet()
            lanes = (0..<fleet.brokers).map { broker in
                Self.states.map { builder.registration(of: broker, state: $0, changed: settings.changedTopics) }
            }
        case .light:
            builder.registerFleet()
            lanes = (0..<fleet.brokers).map { [builder.add(fleet.lightHeartbeat(of: $0), .code(0))] }
        case .version:
            builder.registerFleet()
            lanes = (0..<fleet.brokers).map { [builder.versionQuery(of: $0)] }
        case .hit:
            builder.registerFleet()
            lanes = builder.rotated(builder.lookups(Self.askedTopics), over: settings.clients)
        case .miss:
            builder.registerFleet()
            lanes = .init(repeating: [builder.missingLookup()], count: settings.clients)
        case .list:
            builder.registerFleet()
            lanes = .init(repeating: [builder.topicList()], count: settings.clients)
        case .mix:
            builder.registerFleet()
            let lookups = builder.lookups(19)
            lanes = (0..<fleet.brokers).map { broker in
                let asked = (0..<19).map { lookups[(broker + $0) % lookups.count] }
                return asked + [builder.registration(of: broker)]
            }
        case .churn:
            lanes = (0..<fleet.brokers).map { builder.firstRegistrations(of: $0) + [builder.unregistration(of: $0)] }
        }
        let traffic = Traffic(rawValue, lanes: lanes, pacing: .closed(depth: 1))
        return Plan(title(settings), book: builder.book, preparation: builder.preparation, traffics: [traffic])
    }

    /// For people: what is sent, by how many.
    public func title(_ settings: WorkloadSettings) -> String {
        let fleet = settings.fleet
        var form = fleet.isCompressed ? ", compressed" : ""
        if fleet.header == .binary { form += ", binary header" }
        if fleet.style == .v4 { form += ", 4.9" }
        let topics = "\(fleet.brokers) × \(fleet.topics) topics\(form)"
        let behind = settings.bystanders.map { ", beside \($0.brokers) × \($0.topics)" } ?? ""
        return switch self {
        case .heartbeat: "heartbeat, \(topics)\(behind)"
        case .changed: "registration, \(settings.changedTopics) changed, \(topics)\(behind)"
        case .light: "light heartbeat, \(topics)\(behind)"
        case .version: "version query, \(topics)\(behind)"
        case .hit: "route of \(min(fleet.spread, fleet.brokers)) brokers, \(topics)\(behind)"
        case .miss: "route of no topic, \(topics)\(behind)"
        case .list: "topic list, \(topics)\(behind)"
        case .mix: "95 % routes, 5 % heartbeats, \(topics)\(behind)"
        case .churn: "register and unregister, \(topics)\(behind)"
        }
    }
}

/// Makes requests of a fleet, each body once for all brokers that share it.
struct PlanBuilder {
    private struct State: Hashable {
        let set: Int
        let state: Int
        let changed: Int
    }

    let settings: WorkloadSettings
    let book: RequestBook
    private(set) var preparation: [[RequestBook.RequestID]] = []
    private var bodies: [State: RequestBook.Body] = [:]
    private var fleet: Fleet { settings.fleet }

    /// Begins with the bystanders' registrations.
    init(_ settings: WorkloadSettings) {
        self.settings = settings
        book = RequestBook(header: settings.fleet.header)
        guard let bystanders = settings.bystanders else { return }
        var others = PlanBuilder(WorkloadSettings(fleet: bystanders), book: book)
        others.registerFleet()
        preparation = others.preparation
    }

    /// Adds to a book that others fill too.
    init(_ settings: WorkloadSettings, book: RequestBook) {
        self.settings = settings
        self.book = book
    }

    /// The same with headers and registrations of another fleet's form.
    init(_ settings: WorkloadSettings, form: Fleet) {
        var settings = settings
        settings.fleet.header = form.header
        settings.fleet.style = form.style
        settings.fleet.isCompressed = form.isCompressed
        self.init(settings)
    }

    mutating func add(
        _ command: RemotingCommand, _ expectation: Expectation, body: RequestBook.Body = RequestBook.noBody
    ) -> RequestBook.RequestID { book.add(command, body: body, expecting: expectation) }

    /// All brokers register before anything is measured.
    mutating func registerFleet() {
        let registrations = (0..<fleet.brokers).map { firstRegistrations(of: $0) }
        let count = min(64, registrations.count)
        preparation += (0..<count).map { lane in
            stride(from: lane, to: registrations.count, by: count).flatMap { registrations[$0] }
        }
    }

    /// What makes an unknown broker known: a server refuses exactly one topic from it (protocol.md 2.5), so that one comes
    /// after none.
    mutating func firstRegistrations(of broker: Int) -> [RequestBook.RequestID] {
        guard fleet.topics == 1 else { return [registration(of: broker)] }
        var empty = fleet
        empty.topics = 0
        let body = book.keep(empty.body(ofSet: broker / fleet.spread, state: 0))
        return [
            add(fleet.registration(of: broker, bodyCRC32: body.crc32), .code(0), body: body), registration(of: broker),
        ]
    }

    mutating func registration(of broker: Int, state: Int = 1, changed: Int = 0) -> RequestBook.RequestID {
        let key = State(set: broker / fleet.spread, state: state, changed: state % 2 == 0 ? 0 : changed)
        let body = bodies[key] ?? book.keep(fleet.body(ofSet: key.set, state: state, changed: key.changed))
        bodies[key] = body
        return add(fleet.registration(of: broker, bodyCRC32: body.crc32), .code(0), body: body)
    }

    mutating func unregistration(of broker: Int) -> RequestBook.RequestID {
        add(fleet.command(RequestCode.unregisterBroker, fleet.identity(of: broker)), .code(0))
    }

    mutating func versionQuery(of broker: Int) -> RequestBook.RequestID {
        var output = ByteWriter()
        fleet.dataVersion(1).encode(hasStateVersion: fleet.style == .v5, into: &output)
        return add(
            fleet.command(RequestCode.queryDataVersion, fleet.identity(of: broker)), .changed(false),
            body: book.keep(output.array()))
    }

    /// Lookups of up to so many topics, spread over all sets.
    mutating func lookups(_ count: Int) -> [RequestBook.RequestID] {
        (0..<min(count, fleet.sets * fleet.topics)).map { number in
            lookup(number / fleet.sets, of: number % fleet.sets)
        }
    }

    mutating func lookup(_ topic: Int, of set: Int) -> RequestBook.RequestID {
        let brokers = fleet.members(of: set).map(fleet.name(of:)).sorted()
        let check = book.keep(BodyCheck(.route(brokers)))
        return add(fleet.lookup(fleet.topic(topic, of: set)), .body(check: check))
    }

    mutating func missingLookup() -> RequestBook.RequestID {
        add(fleet.lookup("nobody-has-this-topic"), .code(ResponseCode.topicNotExist))
    }

    mutating func topicList() -> RequestBook.RequestID {
        let check = book.keep(BodyCheck(.topics(fleet.sets * fleet.topics)))
        return add(fleet.command(RequestCode.getAllTopicListFromNameServer), .body(check: check))
    }

    /// The same requests for each of `count` lanes, each beginning elsewhere.
    func rotated(_ requests: [RequestBook.RequestID], over count: Int) -> [[RequestBook.RequestID]] {
        (0..<count).map { lane in
            let cut = lane * requests.count / count
            return Array(requests[cut...] + requests[..<cut])
        }
    }
}
