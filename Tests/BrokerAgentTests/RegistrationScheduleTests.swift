import Basics
import Testing

@testable import BrokerAgent

/// Plays events with virtual time against a schedule; every step's directives become one line of text.
struct ScheduleScript {
    var schedule: RegistrationSchedule
    var random = SeededGenerator(seed: 7)
    var now = Instant.zero

    init(servers: Int = 2, timings: RegistrationTimings = RegistrationTimings()) {
        schedule = RegistrationSchedule(serverCount: servers, timings: timings)
    }

    /// Directives of one event, in a short notation: `full 0#1`, `topics 0#3 A,B`, `state 0 starting>registered`.
    mutating func play(_ event: RegistrationSchedule.Event, at milliseconds: Int64? = nil) -> [String] {
        if let milliseconds { now = Instant.zero + .milliseconds(milliseconds) }
        var directives: [RegistrationSchedule.Directive] = []
        schedule.handle(event, now: now, random: &random, directives: &directives)
        return directives.map { directive in
            switch directive {
            case .register(let server, let attempt, .full): "full \(server)#\(attempt)"
            case .register(let server, let attempt, .incremental(let topics)):
                "topics \(server)#\(attempt) \(topics.joined(separator: ","))"
            case .heartbeat(let server): "heartbeat \(server)"
            case .unregister(let server): "unregister \(server)"
            case .changed(let server, let from, let to): "state \(server) \(from)>\(to)"
            case .masterChanged(let address): "master \(address ?? "none")"
            case .finished: "finished"
            }
        }
    }

    mutating func accept(_ server: Int, _ attempt: UInt64, master: String? = nil, at ms: Int64? = nil) -> [String] {
        play(.answered(server: server, attempt: attempt, .success(.init(masterAddress: master))), at: ms)
    }

    mutating func refuse(_ server: Int, _ attempt: UInt64, code: Int32 = 1, at ms: Int64? = nil) -> [String] {
        let failure = RegistrationFailure.refused(code: code, remark: "no")
        return play(.answered(server: server, attempt: attempt, .failure(failure)), at: ms)
    }

    mutating func silence(_ server: Int, _ attempt: UInt64, at ms: Int64? = nil) -> [String] {
        play(.answered(server: server, attempt: attempt, .failure(.unreachable("timeout"))), at: ms)
    }

    /// When the next deadline is, in whole milliseconds.
    var due: Int64 { schedule.nextDeadline.milliseconds(since: .zero) }
}

@Suite("Registration schedule") struct RegistrationScheduleTests {
    @Test("registers with all at once, and again a period after the start of the last one")
    func rhythm() {
        var script = ScheduleScript()
        #expect(script.play(.started, at: 0) == ["full 0#1", "full 1#2"])
        #expect(script.accept(0, 1, at: 100) == ["state 0 starting>registered"])
        #expect(script.accept(1, 2, at: 400) == ["state 1 starting>registered"])
        #expect(script.due == 30_000)
        #expect(script.play(.tick, at: 29_999) == [])
        #expect(script.play(.tick, at: 30_000) == ["full 0#3", "full 1#4"])
    }

    @Test("a silent NameServer delays nobody and is retried on its own")
    func deadServer() {
        var script = ScheduleScript()
        _ = script.play(.started, at: 0)
        #expect(script.accept(1, 2, at: 5) == ["state 1 starting>registered"])
        #expect(script.silence(0, 1, at: 6_000) == ["state 0 starting>unreachable"])
        #expect((6_500...7_000).contains(script.due))
        let retry = script.due
        #expect(script.play(.tick, at: retry + 1) == ["full 0#3"])
        #expect(script.accept(0, 3, at: retry + 2) == ["state 0 unreachable>registered"])
        #expect(script.schedule.states[0].consecutiveFailures == 0)
        #expect(script.schedule.states[0].lastError == .unreachable("timeout"))
    }

    @Test("retries double up to the limit, with chance only in the second half", arguments: 0..<20 as Range<UInt64>)
    func backoff(seed: UInt64) {
        var script = ScheduleScript(servers: 1)
        script.random = SeededGenerator(seed: seed)
        _ = script.play(.started, at: 0)
        var at: Int64 = 0
        let steps: [Int64] = [1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]
        for (failure, step) in steps.enumerated() {
            _ = script.silence(0, UInt64(failure + 1), at: at)
            let wait = script.due - at
            #expect((step / 2 - 1...step).contains(wait), "seed \(seed), failure \(failure + 1)")
            at = script.due + 1
            #expect(script.play(.tick, at: at) == ["full 0#\(failure + 2)"])
        }
    }

    @Test("a retry never waits longer than the period")
    func backoffBelowPeriod() {
        var script = ScheduleScript(servers: 1, timings: RegistrationTimings(period: .milliseconds(300)))
        _ = script.play(.started, at: 0)
        _ = script.silence(0, 1, at: 0)
        #expect((149...300).contains(script.due))
    }

    @Test("a refusing NameServer is retried like a dead one, and its code is kept")
    func refusing() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        #expect(script.refuse(0, 1, code: 2, at: 10) == ["state 0 starting>refused"])
        #expect(script.schedule.states[0].lastError == .refused(code: 2, remark: "no"))
        #expect((510...1_010).contains(script.due))
    }

    @Test("a changed topic goes out at once, alone; the rhythm of full registrations stays")
    func topicChange() {
        var script = ScheduleScript()
        _ = script.play(.started, at: 0)
        _ = script.accept(0, 1, at: 1)
        _ = script.accept(1, 2, at: 1)
        #expect(script.play(.topicsChanged(["B", "A"]), at: 500) == ["topics 0#3 A,B", "topics 1#4 A,B"])
        _ = script.accept(0, 3, at: 501)
        _ = script.accept(1, 4, at: 501)
        #expect(script.due == 30_000)
    }

    @Test("changes during a registration are gathered and follow its answer")
    func changeInFlight() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        #expect(script.play(.topicsChanged(["A"]), at: 1) == [])
        #expect(script.play(.topicsChanged(["B", "A"]), at: 2) == [])
        #expect(script.accept(0, 1, at: 3) == ["state 0 starting>registered", "topics 0#2 A,B"])
        #expect(script.accept(0, 2, at: 4) == [])
    }

    @Test("an incremental registration that is refused becomes a full one at once, without counting as a failure")
    func guardOfStepSeven() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        _ = script.accept(0, 1, at: 1)
        #expect(script.play(.topicsChanged(["A"]), at: 2) == ["topics 0#2 A"])
        #expect(script.refuse(0, 2, at: 3) == ["full 0#3"])
        #expect(script.schedule.states[0].consecutiveFailures == 0)
        #expect(script.refuse(0, 3, at: 4) == ["state 0 registered>refused"])
        #expect(script.schedule.states[0].consecutiveFailures == 1)
    }

    @Test("a NameServer that accepted nothing yet gets no incremental registration")
    func changeBeforeFirst() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        _ = script.silence(0, 1, at: 1)
        #expect(script.play(.topicsChanged(["A"]), at: 2) == [])
        #expect(script.play(.tick, at: script.due + 1) == ["full 0#2"])
        #expect(script.accept(0, 2) == ["state 0 unreachable>registered"], "the full one carried A")
    }

    @Test("more changed topics than the limit become a full registration")
    func manyTopics() {
        var script = ScheduleScript(servers: 1, timings: RegistrationTimings(incrementalTopicLimit: 2))
        _ = script.play(.started, at: 0)
        _ = script.accept(0, 1, at: 1)
        #expect(script.play(.topicsChanged(["A", "B", "C"]), at: 2) == ["full 0#2"])
    }

    @Test("a closed connection means a full registration soon: the NameServer dropped the broker with it")
    func closedConnection() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        #expect(script.play(.connectionClosed(server: 0, reason: "x"), at: 1) == [], "the call itself will fail")
        _ = script.accept(0, 1, at: 2)
        #expect(
            script.play(.connectionClosed(server: 0, reason: "end of stream"), at: 100)
                == ["state 0 registered>unreachable"])
        #expect((600...1_100).contains(script.due))
        #expect(script.play(.connectionClosed(server: 0, reason: "again"), at: 101) == [])
        #expect(script.play(.tick, at: script.due + 1) == ["full 0#2"])
    }

    @Test("light heartbeats go to registered NameServers only")
    func heartbeats() {
        var script = ScheduleScript(timings: RegistrationTimings(heartbeatPeriod: .seconds(1)))
        _ = script.play(.started, at: 0)
        _ = script.accept(0, 1, at: 0)
        #expect(script.play(.tick, at: 1_000) == ["heartbeat 0"])
        #expect(script.play(.tick, at: 5_500) == ["heartbeat 0"], "missed ones are not made up for")
        #expect(script.due == 6_500)
        _ = script.play(.connectionClosed(server: 0, reason: "x"), at: 6_000)
        #expect(script.play(.tick, at: 6_500).contains("heartbeat 0") == false)
    }

    @Test("late answers of an attempt that is over change nothing")
    func staleAnswer() {
        var script = ScheduleScript(servers: 1)
        _ = script.play(.started, at: 0)
        _ = script.silence(0, 1, at: 1)
        #expect(script.accept(0, 1, at: 2) == [])
        #expect(script.schedule.states[0].phase == .unreachable)
    }

    @Test("a slave keeps its master while one NameServer names it")
    func master() {
        var script = ScheduleScript()
        _ = script.play(.started, at: 0)
        #expect(script.accept(0, 1, master: "m:1", at: 1) == ["state 0 starting>registered", "master m:1"])
        #expect(script.accept(1, 2, master: nil, at: 1) == ["state 1 starting>registered"])
        _ = script.play(.tick, at: 30_000)
        #expect(script.accept(1, 4, master: "m:2", at: 30_001) == [])
        #expect(script.accept(0, 3, master: nil, at: 30_002) == ["master m:2"])
        _ = script.play(.tick, at: 60_000)
        #expect(script.accept(1, 6, master: nil, at: 60_001) == ["master none"])
    }

    @Test("shutdown unregisters everywhere in parallel and waits for all")
    func shutdown() {
        var script = ScheduleScript()
        _ = script.play(.started, at: 0)
        _ = script.accept(0, 1, at: 1)
        #expect(script.play(.stopRequested, at: 10) == ["unregister 0", "unregister 1"])
        #expect(script.accept(1, 2, at: 11) == [], "an answer to an old registration starts nothing new")
        #expect(script.play(.topicsChanged(["A"]), at: 12) == [])
        #expect(
            script.play(.unregistered(server: 0, succeeded: true), at: 13) == ["state 0 registered>unregistered"])
        #expect(script.play(.unregistered(server: 1, succeeded: false), at: 14) == ["finished"])
        #expect(script.schedule.nextDeadline == .distantFuture)
    }

    @Test("shutdown has a limit in time")
    func shutdownDeadline() {
        var script = ScheduleScript()
        _ = script.play(.started, at: 0)
        _ = script.play(.stopRequested, at: 10)
        #expect(script.due == 3_010)
        #expect(script.play(.tick, at: 3_009) == [])
        #expect(script.play(.tick, at: 3_010) == ["finished"])
        #expect(script.play(.unregistered(server: 0, succeeded: true), at: 3_011) == [])
    }

    @Test("shutdown of a broker without NameServers is over at once")
    func shutdownAlone() {
        var script = ScheduleScript(servers: 0)
        #expect(script.play(.started, at: 0) == [])
        #expect(script.play(.stopRequested, at: 1) == ["finished"])
    }

    @Test("under random answers every NameServer keeps being tried", arguments: 0..<50 as Range<UInt64>)
    func liveness(seed: UInt64) {
        var script = ScheduleScript(servers: 3)
        script.random = SeededGenerator(seed: seed)
        var chance = SeededGenerator(seed: seed &+ 1_000)
        var open: [Int: UInt64] = [0: 1, 1: 2, 2: 3]
        var lastAttempt = [Int64](repeating: 0, count: 3)
        _ = script.play(.started, at: 0)
        var at: Int64 = 0
        func note(_ lines: [String]) {
            for line in lines where line.hasPrefix("full") || line.hasPrefix("topics") {
                let parts = line.split(separator: " ")[1].split(separator: "#")
                open[Int(parts[0])!] = UInt64(parts[1])!
                lastAttempt[Int(parts[0])!] = at
            }
        }
        for _ in 0..<400 {
            at += Int64.random(in: 1...3_000, using: &chance)
            note(script.play(.tick, at: at))
            let server = Int.random(in: 0..<3, using: &chance)
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: note(script.play(.topicsChanged(["T\(at % 7)"]), at: at))
            case 1: note(script.play(.connectionClosed(server: server, reason: "x"), at: at))
            default:
                guard let attempt = open.removeValue(forKey: server) else { continue }
                switch Int.random(in: 0..<3, using: &chance) {
                case 0: note(script.accept(server, attempt, at: at))
                case 1: note(script.refuse(server, attempt, at: at))
                default: note(script.silence(server, attempt, at: at))
                }
            }
            for server in 0..<3 where open[server] == nil {
                // Neither in flight nor due within a period: it would be forgotten.
                let next = script.schedule.states[server].nextAttempt
                #expect(next != nil && next! <= script.now + .seconds(30), "seed \(seed) at \(at) server \(server)")
            }
        }
    }
}
