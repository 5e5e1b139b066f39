/// The rhythm of the cluster (protocol.md 4.2 and 4.10).
public struct Timings: Hashable, Sendable {
    /// How often our brokers register with every node. 10 ms to 1 h, default 30 s.
    public var heartbeat: Duration = .seconds(30)
    /// How often a node looks for silent brokers. 10 ms to 1 h, default 10 s.
    public var scan: Duration = .seconds(10)
    /// How long a broker may be silent, unless it registered its own timeout. 20 ms to 1 d, default 120 s.
    ///
    /// Longer than `heartbeat`, at least `scan`.
    public var expiry: Duration = .seconds(120)
    /// How often our clients pull their routes. 10 ms to 1 h, default 30 s.
    public var routePoll: Duration = .seconds(30)

    /// The defaults above.
    public init() {}

    /// The keys of the section.
    package enum Key: String, SectionKey {
        /// As the property of that name.
        case heartbeat, scan, expiry, routePoll
        /// Its name in files.
        package static let section = "timings"
    }
}

extension Timings {
    /// Reads and checks the section.
    package init(_ reader: MappingReader<Key>) {
        self.init()
        let period = Duration.milliseconds(10)...Duration.seconds(3600)
        heartbeat = reader.duration(.heartbeat, in: period, default: heartbeat)
        scan = reader.duration(.scan, in: period, default: scan)
        expiry = reader.duration(.expiry, in: .milliseconds(20) ... .seconds(86_400), default: expiry)
        routePoll = reader.duration(.routePoll, in: period, default: routePoll)
        if expiry <= heartbeat {
            reader.report(.expiry, "\(expiry.text) must be longer than timings.heartbeat (\(heartbeat.text))")
        }
        if expiry < scan {
            reader.report(.expiry, "\(expiry.text) must not be shorter than timings.scan (\(scan.text))")
        }
    }
}
