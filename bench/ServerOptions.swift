import ArgumentParser
import Load

/// The server that is measured: one that runs already, or our node.
struct ServerOptions: ParsableArguments {
    @Option(help: "A running NameServer, host:port, instead of a node started here.") var server: String?
    @Option(help: "The running server's process on this machine: for its CPU time and memory.") var pid: Int32?
    @Option(help: "Start our node with this mode of gossip beside a peer: off, observe, protect, replicate.")
    var gossip: String?
    @OptionGroup var programs: Programs

    /// Starts the node, or looks at the server that runs.
    func open() throws(LoadError) -> ServerUnderTest {
        guard let server else {
            if pid != nil { throw LoadError(.usage, "--pid needs --server") }
            return try .node(try programs.node, gossip: gossip, pinning: try programs.pinning)
        }
        if gossip != nil {
            throw LoadError(.usage, "--gossip is for a node that is started here, --server for one that runs")
        }
        return try .running(at: server, process: pid, pinning: try programs.pinning)
    }
}

/// How long and at which pace.
struct PaceOptions: ParsableArguments {
    @Option(help: "Requests per second, sent whether or not answers come.") var rate: Double?
    @Option(help: "Without --rate: the share of what a closed loop reaches.") var share = 0.5
    @Option(help: "Closed loop instead: so many requests of each connection are always on their way.") var closed: Int?
    @Flag(help: "Look for the highest rate whose p99 stays within --bound, and measure there.") var knee = false
    @Option(help: "Milliseconds, for --knee.") var bound = 5.0
    @Option(help: "Repetitions.") var repetitions = 5
    @Option(help: "Seconds of one repetition.") var seconds = 1.0
    @Option(help: "Seconds before the first one.") var warmUp = 0.5

    var phases: Phases {
        get throws(LoadError) {
            guard repetitions > 0, repetitions <= 1_000, seconds > 0, seconds <= 3_600, warmUp >= 0, warmUp <= 3_600
            else {
                throw LoadError(.usage, "\(repetitions) repetitions of \(seconds) s after \(warmUp) s")
            }
            return Phases(warmUp: .seconds(warmUp), repetitions: repetitions, length: .seconds(seconds))
        }
    }

    var pace: Session.Pace {
        get throws(LoadError) {
            if [rate != nil, closed != nil, knee].filter({ $0 }).count > 1 {
                throw LoadError(.usage, "--rate, --closed and --knee exclude each other")
            }
            if knee {
                guard bound > 0 else { throw LoadError(.usage, "--bound \(bound)") }
                return .knee(bound: .milliseconds(bound))
            }
            if let closed {
                guard (1...1_000).contains(closed) else { throw LoadError(.usage, "--closed \(closed): 1 to 1,000") }
                return .closed(depth: closed)
            }
            guard let rate else {
                guard share > 0, share <= 2 else { throw LoadError(.usage, "--share \(share)") }
                return .share(share)
            }
            guard rate > 0, rate <= 10_000_000 else { throw LoadError(.usage, "--rate \(rate)") }
            return .rate(rate)
        }
    }
}
