import Basics

/// What the nodes' HTTP ports may be asked, for those that have one (`NodeConfiguration.http`).
public struct HTTPConfiguration: Hashable, Sendable {
    /// Connections of one node at the same time. 4 to 10,000, default 256.
    public var connections = 256
    /// Event streams among them. 1 to 1,000, default 64; not more than `connections`.
    public var eventStreams = 64
    /// Requests a second that one host may go on asking. 1 to 100,000, default 50; at once it may ask four times as many.
    public var requestsPerSecond = 50
    /// Whether `/metrics` has the age of each broker. Default false.
    public var brokerMetrics = false

    /// Names besides those in `nodes` under which the ports may be asked; `*` is every name. At most 64, default none.
    public var hosts: [String] = []

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case connections, eventStreams, requestsPerSecond, brokerMetrics, hosts
        static let section = "http"
    }
}

extension HTTPConfiguration {
    init(_ reader: MappingReader<Key>) {
        self.init()
        connections = reader.integer(.connections, in: 4...10_000, default: connections)
        eventStreams = reader.integer(.eventStreams, in: 1...1_000, default: min(eventStreams, connections))
        requestsPerSecond = reader.integer(.requestsPerSecond, in: 1...100_000, default: requestsPerSecond)
        brokerMetrics = reader.boolean(.brokerMetrics, default: brokerMetrics)
        hosts = reader.values(.hosts, limit: 64) { (text) throws(ValueFault) in
            let isName = !text.contains(":") && Address(host: text, port: 80).listeningFault == nil
            guard text == "*" || isName else {
                throw ValueFault("is no host name; write one without port, as in ns1.example, or * for every name")
            }
            return text
        }
        if eventStreams > connections {
            reader.report(
                .eventStreams,
                "\(eventStreams) must not be more than http.connections (\(connections)), among which they count")
        }
    }
}
