import Basics
import GossipCore

/// The tables of a node in virtual time: brokers that beat for ever, each at its own phase, without an event for each beat.
struct BenchTables: FirstHandTables {
    struct Row {
        var summary: RegistrationSummary
        /// When its heartbeats come: nanoseconds from the start of time.
        var phase: Int64
        /// No heartbeat arrives after this instant.
        var cutAt = Instant.distantFuture
        /// The first heartbeat this node heard.
        var since: Instant
    }

    /// The clock of the node: what it has heard depends on it.
    var now: Instant
    let interval: Duration
    let timeout: Duration
    private let beat: Int64
    /// Heartbeats come up to this much later than their beat, each by a share of its own.
    var jitter = Duration.zero
    private(set) var rows: ContiguousArray<Row?> = []
    /// Those whose heartbeats end: all others are on time.
    private var cut: Set<Int> = []

    init(now: Instant, interval: Duration, timeout: Duration) {
        self.now = now
        self.interval = interval
        self.timeout = timeout
        beat = interval.wholeNanoseconds
    }

    subscript(broker: Int) -> Row? {
        get { broker < rows.count ? rows[broker] : nil }
        set {
            while rows.count <= broker { rows.append(nil) }
            rows[broker] = newValue
            if newValue.map({ $0.cutAt < .distantFuture }) ?? false { cut.insert(broker) } else { cut.remove(broker) }
        }
    }

    func hearing(of replica: ReplicaToken) -> Hearing? {
        guard let row = self[Int(replica.number)] else { return nil }
        let heard = max(row.since, lastBeat(Int(replica.number), row.phase, before: min(now, row.cutAt)))
        return Hearing(lastHeard: heard, registeredAt: heard, isConnected: true, interval: interval, timeout: timeout)
    }

    func lateReplicas(at now: Instant) -> [ReplicaToken] {
        let tolerance = Silence.unusual(interval: beat, timeout: timeout.wholeNanoseconds)
        let mayBeLate = beat + jitter.wholeNanoseconds < tolerance ? Array(cut) : Array(rows.indices)
        return mayBeLate.map { ReplicaToken(number: UInt32($0)) }.filter { token in
            hearing(of: token).map { (now - $0.lastHeard).wholeNanoseconds >= tolerance } ?? false
        }
    }

    func summary(of replica: ReplicaToken) -> RegistrationSummary? { self[Int(replica.number)]?.summary }
    func permissionBasis(ofGroup name: String) -> UInt64? { nil }
    func imageSize(of replica: ReplicaToken) -> Int { 8 }
    func encodeImages(of replicas: [ReplicaToken], into output: inout ByteWriter) {
        for replica in replicas { output.append(bigEndian: summary(of: replica)?.registrationHash ?? 0) }
    }

    private func lastBeat(_ broker: Int, _ phase: Int64, before instant: Instant) -> Instant {
        let number = max(0, (instant.nanoseconds - phase) / beat)
        let arrival = arrival(of: number, broker, phase)
        return arrival <= instant ? arrival : self.arrival(of: max(0, number - 1), broker, phase)
    }

    private func arrival(of number: Int64, _ broker: Int, _ phase: Int64) -> Instant {
        let due = Instant(nanoseconds: phase + number * beat)
        guard jitter > .zero else { return due }
        let key = UInt64(truncatingIfNeeded: number) << 32 | UInt64(broker)
        var random = SeededGenerator(seed: key)
        return due + .nanoseconds(Int64.random(in: 0...jitter.wholeNanoseconds, using: &random))
    }
}

extension RegistrationSummary {
    /// The registration of benchmark broker number `broker`.
    static func benchmark(_ broker: Int, content: UInt64, timeout: Duration) -> RegistrationSummary {
        RegistrationSummary(
            identity: ReplicaIdentity(
                cluster: "DefaultCluster", name: "broker-\(broker)", id: 0,
                address: "10.\(broker >> 16 & 255).\(broker >> 8 & 255).\(broker & 255):10911"),
            timeoutMillis: timeout.wholeMilliseconds,
            version: RegistrationVersion(stateVersion: 0, timestamp: 1_700_000_000_000, counter: 1),
            registrationHash: content, topicCount: 80)
    }
}
