import Basics
import Glibc
import TestSupport
import Testing

@testable import Load

/// Every workload for some milliseconds against a real node: what is not run rots.
@Suite("Workloads against a real node", .serialized)
struct RealServerTests {
    private func node(_ gossip: String? = nil) throws -> ServerUnderTest {
        try ServerUnderTest.node(Program(ProductsDirectory.executable("hearsay")), gossip: gossip)
    }

    private func limitServer() throws -> Program { try Program(ProductsDirectory.executable("limit-server")) }

    private var short: Phases { Phases(warmUp: .milliseconds(10), repetitions: 2, length: .milliseconds(30)) }

    /// The forms in which a broker may speak.
    private var forms: [Fleet] {
        var fleets = [Fleet](repeating: Fleet(brokers: 3, topics: 6, spread: 2), count: 4)
        fleets[3].topics = 1
        fleets[1].header = .binary
        fleets[1].isCompressed = true
        fleets[2].style = .v4
        fleets[2].isCompressed = true
        return fleets
    }

    @Test("all are answered rightly, in every form, in both loops", arguments: Workload.allCases)
    func workload(_ workload: Workload) throws {
        let server = try node()
        defer { server.stop() }
        for fleet in forms {
            var settings = WorkloadSettings(fleet: fleet)
            settings.clients = 2
            settings.bystanders = Fleet(brokers: 4, topics: 2, label: "other")
            let plan = workload.plan(settings)
            let session = Session(server: server, phases: short)
            for pace in [Session.Pace.rate(500), .closed(depth: workload == .churn ? 1 : 3)] {
                let measured = try session.measure(plan, pace)
                let measurement = measured.measurement
                #expect(measurement.wrong == 0, "\(plan.name): \(measurement.notes)")
                #expect(measurement.repetitions.count == 2)
                // A machine that stands still for some milliseconds may answer all of it later, but it answers.
                #expect(measurement.repetitions.reduce(0) { $0 + $1.due } > 0, "\(plan.name)")
                #expect(measurement.latency(50).highest > 0)
                #expect(measurement.cpuMicroseconds.values.allSatisfy { $0 > 0 })
                #expect((measurement.residentBytes ?? 0) > 1 << 20)
                #expect(measured.hgrm().contains("#[Max"))
            }
        }
    }

    @Test("an open loop sends what is due, no more and no less")
    func openLoop() throws {
        let server = try node()
        defer { server.stop() }
        let plan = Workload.miss.plan(WorkloadSettings(fleet: Fleet(brokers: 1, topics: 2)))
        let measured = try Session(server: server, phases: short).measure(plan, .rate(1_000)).measurement
        // Two repetitions of 30 ms at 1,000 a second, give or take one at each edge.
        let due = measured.repetitions.reduce(0) { $0 + $1.due }
        #expect((58...62).contains(due), "\(due)")
    }

    @Test("capacity, ceiling and knee")
    func knee() throws {
        let server = try node()
        defer { server.stop() }
        var session = Session(server: server, phases: short)
        session.limitServer = try limitServer()
        let plan = Workload.hit.plan(WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2)))
        let half = try session.measure(plan, .share(0.1)).measurement
        #expect((half.capacityPerSecond ?? 0) > half.pace)
        #expect((half.ceilingPerSecond ?? 0) > 0)
        // Any p99 of less than a minute is good: the search must end near the capacity, and well above nothing.
        let knee = try session.measure(plan, .knee(bound: .seconds(60))).measurement
        #expect(knee.pace > 0 && knee.notes.contains { $0.hasPrefix("knee") })
        #expect(throws: LoadError.self) { try session.measure(plan, .knee(bound: .nanoseconds(1))) }
    }

    @Test("a storm on a cold node ends with every broker routable")
    func storm() throws {
        let server = try node()
        defer { server.stop() }
        let fleet = Fleet(brokers: 12, topics: 20, spread: 5)
        let reading = try Storm(fleet).run(server)
        #expect(reading.wrong == 0)
        #expect(reading.registeredSeconds > 0 && reading.routableSeconds >= reading.registeredSeconds)
        #expect(reading.bodyBytes > 12 * 20 * 100)
        #expect(reading.cpuSeconds ?? 0 > 0)
        #expect(Storm.figures(fleet, [reading]).count == 3)
    }

    @Test("idle connections are counted in the server's memory, and lookups go on")
    func idle() throws {
        let server = try node()
        defer { server.stop() }
        var connections = IdleConnections(count: 400)
        connections.length = .milliseconds(50)
        let reading = try connections.run(server)
        #expect(reading.wrong == 0)
        #expect(reading.bytesPerConnection != nil)
        #expect(reading.figures[1].value.median > 0)
        #expect(reading.figures.count == 2)
    }

    @Test("a node with gossip beside its peer", arguments: ["off", "observe"])
    func gossip(mode: String) throws {
        let server = try node(mode)
        defer { server.stop() }
        let plan = Workload.heartbeat.plan(WorkloadSettings(fleet: Fleet(brokers: 2, topics: 3)))
        let measurement = try Session(server: server, phases: short).measure(plan, .closed(depth: 1)).measurement
        #expect(measurement.wrong == 0, "\(measurement.notes)")
        #expect(measurement.perSecond.median > 0)
    }

    @Test("every part of the limits, in small", arguments: Limits.Part.allCases)
    func limits(part: Limits.Part) throws {
        var limits = Limits(
            node: try Program(ProductsDirectory.executable("hearsay")), limitServer: try limitServer())
        limits.rounds = 1
        limits.length = .milliseconds(100)
        limits.scale = 0.005
        var figures = try limits.measure(part)
        // On a machine with much else to do a tenth of a second may pass without a single answer.
        while figures.contains(where: { !$0.value.median.isFinite }), limits.length < .seconds(10) {
            limits.length *= 4
            figures = try limits.measure(part)
        }
        #expect(!figures.isEmpty)
        for figure in figures {
            #expect(figure.value.median.isFinite, "\(figure.name)")
            #expect(!figure.detail.contains("WRONG"), "\(figure.line)")
        }
    }

    @Test("a server told by address and pid is measured like one of ours")
    func byAddress() throws {
        let own = try node()
        defer { own.stop() }
        let other = try ServerUnderTest.running(at: own.address.description, process: own.process)
        #expect(other.usage() != nil)
        let plan = Workload.miss.plan(WorkloadSettings(fleet: Fleet(brokers: 1, topics: 2)))
        #expect(try Session(server: other, phases: short).measure(plan, .closed(depth: 1)).measurement.wrong == 0)
        #expect(throws: LoadError.self) { try ServerUnderTest.running(at: own.address.description, process: -5) }
        #expect(throws: LoadError.self) { try ServerUnderTest.running(at: "nonsense", process: nil) }
    }
}
