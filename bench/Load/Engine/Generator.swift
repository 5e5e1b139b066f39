// The load generator: one thread, all connections, nanosecond pacing. It knows nothing of any server's inside.
//
// Generator.swift          the run: connecting, preparing, measuring, draining
// Generator+Sending.swift  what is due, and writing it
// Generator+Receiving.swift  answers, their check and their place in the results

import Basics
import CMachine
import Glibc
import Histogram
import Remoting

/// Sends one plan's requests to one server and counts what comes back.
public struct Generator: ~Copyable {
    /// Preparing stops when no answer has come for so long.
    static let preparationLimit: Int64 = 20_000_000_000
    /// Brokers that were registered before the run do so again after this time: servers forget them after 120 s.
    static let refreshInterval: Int64 = 60_000_000_000
    /// How long answers are awaited when everything has been sent.
    static let drainLimit: Int64 = 3_000_000_000
    /// Below this the generator asks again and again instead of sleeping: waking up takes longer.
    static let spinLimit: Int64 = 60_000
    /// How long reading or writing may go on before it is looked whether something is due.
    static let turn: Int64 = 200_000
    /// Requests of one connection that prepare at the same time.
    static let preparationDepth = 16

    /// A connection's requests in turn.
    struct Lane {
        let socket: Int32
        /// -1 prepares.
        let traffic: Int32
        let requests: [RequestBook.RequestID]
        let repeats: Bool
        var position = 0
        var answered = 0
    }

    /// Where a traffic stands.
    struct Course {
        let lanes: Range<Int>
        let pacing: Pacing
        let repeats: Bool
        var nextLane = 0
        /// Requests that were due since the start.
        var issued = 0
    }

    let endpoint: Endpoint
    let plan: Plan
    /// Of the book, in the generator's own memory: looking them up must not count references.
    let entries: [RequestBook.Entry]
    var checks: [BodyCheck]
    var poller: Poller
    var gather: GatherBuffer
    var header: CommandHeader
    let buffer: UnsafeMutableRawBufferPointer

    var sockets: [LoadSocket] = []
    /// Sockets with requests that were not offered to the kernel yet.
    var dirty: [Int32] = []
    /// Which of the sockets that have room is written first.
    var nextRoom = 0
    /// Each socket's lane.
    var lanes: [Lane] = []
    var courses: [Course] = []
    var inFlight = InFlight()

    var start: Int64 = 0
    /// When measuring begins, and the length of a repetition, in nanoseconds.
    var measuring: (begin: Int64, length: Int64, repetitions: Int) = (.max, 1, 1)
    var isSending = false
    /// The repetition that goes on; nil during the warm-up.
    var current: Int?
    var unfinishedLanes = 0
    var outcome: RunOutcome

    /// Prepares to send a plan; connects to nobody yet.
    public init(_ plan: Plan, to address: Address) throws(LoadError) {
        let endpoint = try Endpoint(address)
        // Nothing may fail any more: a value that cannot be copied is initialised at once or not at all.
        poller = try Poller()
        self.plan = plan
        self.endpoint = endpoint
        gather = GatherBuffer()
        header = CommandHeader()
        buffer = .allocate(byteCount: 256 << 10, alignment: 64)
        entries = plan.book.entries
        checks = plan.book.checks
        outcome = RunOutcome(intervals: [], lengths: [], usages: [])
        signal(SIGPIPE, SIG_IGN)
        machine_sharpen_timers()
        _ = DescriptorLimit.raised
    }

    deinit {
        for index in sockets.indices where sockets[index].isOpen { Glibc.close(sockets[index].descriptor) }
        buffer.deallocate()
    }

    /// Connects, prepares, warms up, measures, and waits for the last answers; once. The connections stay open as long as the
    /// generator lives, and so do the brokers that registered over them.
    ///
    /// - Parameter usage: reads what the server has used; called at the ends of repetitions.
    /// - Throws: when the server cannot be reached, answers the preparation wrongly, or leaves altogether.
    public mutating func run(_ phases: Phases, usage: () -> ServerUsage?) throws(LoadError) -> RunOutcome {
        precondition(sockets.isEmpty, "a generator runs once")
        try connectAll()
        try prepare()
        try measure(phases, usage)
        drain()
        return outcome
    }

    // MARK: Connecting and preparing

    private mutating func connectAll() throws(LoadError) {
        for requests in plan.preparation { try addLane(requests, traffic: -1, repeats: false) }
        for (index, traffic) in plan.traffics.enumerated() {
            let first = lanes.count
            for requests in traffic.lanes { try addLane(requests, traffic: Int32(index), repeats: traffic.repeats) }
            courses.append(
                Course(lanes: first..<lanes.count, pacing: traffic.pacing, repeats: traffic.repeats))
        }
    }

    private mutating func addLane(
        _ requests: [RequestBook.RequestID], traffic: Int32, repeats: Bool
    ) throws(LoadError) {
        let index = sockets.count
        let descriptor = try endpoint.connect(index)
        sockets.append(LoadSocket(descriptor))
        poller.add(descriptor, index: index)
        lanes.append(Lane(socket: Int32(index), traffic: traffic, requests: requests, repeats: repeats))
    }

    private mutating func prepare() throws(LoadError) {
        start = monotonicTime()
        let preparing = plan.preparation.indices
        for lane in preparing {
            for _ in 0..<min(Self.preparationDepth, lanes[lane].requests.count) { issue(lane, due: start) }
        }
        var (progress, waiting) = (start, inFlight.count)
        while inFlight.count > 0 {
            flushAll()
            poll(until: monotonicTime() + 100_000_000)
            let now = monotonicTime()
            if let complaint = outcome.complaints.first {
                throw LoadError(complaint.kind, "\(endpoint.address): prepare '\(plan.name)': \(complaint)")
            }
            if inFlight.count != waiting { (progress, waiting) = (now, inFlight.count) }
            guard now - progress < Self.preparationLimit else {
                throw LoadError(
                    .noAnswer,
                    "\(endpoint.address): no answer for \(Self.preparationLimit / 1_000_000_000) s while preparing '\(plan.name)'"
                )
            }
        }
    }

    // MARK: Measuring

    private mutating func measure(_ phases: Phases, _ usage: () -> ServerUsage?) throws(LoadError) {
        start = monotonicTime()
        measuring = (start + phases.warmUp.wholeNanoseconds, phases.length.wholeNanoseconds, phases.repetitions)
        outcome.intervals = .init(
            repeating: .init(repeating: Interval(), count: phases.repetitions), count: courses.count)
        unfinishedLanes = courses.reduce(0) { $0 + ($1.repeats ? 0 : $1.lanes.count) }
        let endsWhenDone = unfinishedLanes > 0
        isSending = true
        beginClosedLanes()
        var (boundary, reached, before) = (measuring.begin, 0, start)
        var refresh = start + Self.refreshInterval
        while true {
            let now = monotonicTime()
            if now >= boundary || (endsWhenDone && unfinishedLanes == 0 && reached > 0) {
                outcome.usages.append(usage())
                if reached > 0 { outcome.lengths.append(now - before) }
                if reached == phases.repetitions {
                    if now >= boundary { issueRest(until: boundary - 1) }
                    break
                }
                current = reached
                (boundary, reached, before) = (boundary + measuring.length, reached + 1, now)
            }
            if now >= refresh {
                refreshPreparation(now)
                refresh += Self.refreshInterval
            }
            let nextDue = issueDue(now)
            flushAll()
            poll(until: min(boundary, nextDue))
            try checkReachable()
        }
        isSending = false
        current = nil
        outcome.isComplete = unfinishedLanes == 0
    }

    /// A server that has left altogether answers nothing any more: the figures would say nothing.
    private func checkReachable() throws(LoadError) {
        let sending = plan.preparation.count..<lanes.count
        guard outcome.closedConnections >= sending.count, !sending.contains(where: { sockets[$0].isOpen }) else {
            return
        }
        let why = outcome.complaints.first
        throw LoadError(
            why?.kind ?? .closed,
            "\(endpoint.address): all connections ended during '\(plan.name)'\(why.map { ": \($0)" } ?? "")")
    }

    private mutating func drain() {
        let end = monotonicTime() + Self.drainLimit
        while inFlight.count > 0, monotonicTime() < end {
            flushAll()
            poll(until: min(end, monotonicTime() + 50_000_000))
        }
        let now = monotonicTime()
        for request in inFlight.waiting where request.traffic >= 0 {
            guard let repetition = repetition(at: request.intended) else { continue }
            outcome.intervals[Int(request.traffic)][repetition].unanswered += 1
            record(now - request.intended, Int(request.traffic), repetition)
        }
    }

    /// The repetition that an instant lies in; nil during the warm-up and afterwards.
    @inline(__always)
    func repetition(at instant: Int64) -> Int? {
        guard instant >= measuring.begin else { return nil }
        let index = Int((instant - measuring.begin) / measuring.length)
        return index < measuring.repetitions ? index : nil
    }

    @inline(__always)
    mutating func record(_ nanoseconds: Int64, _ traffic: Int, _ repetition: Int) {
        outcome.intervals[traffic][repetition].latencies.record(min(latencyLimit, UInt64(max(1, nanoseconds))))
    }
}
