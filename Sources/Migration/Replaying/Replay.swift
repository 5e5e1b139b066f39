// Tells a recording again to a NameServer. Events are gone through in the order of the file, over as many connections:
//
//   a request ── sent when it is due
//   an answer ── waited for, so that nothing is sent before what had been answered before it is answered again
//
// So at any speed, a route that was asked for after a registration was answered is asked for after that again.

import Basics
import Platform
import Remoting
import RemotingTransport

/// How to replay.
public struct ReplayOptions: Sendable {
    /// How many times as fast as recorded; nil as fast as answers come.
    public var speed: Double? = 1
    /// How long an answer is waited for. Default 3 s, as RocketMQ's clients.
    public var timeout = Duration.seconds(3)
    /// Answers that were recorded earlier than this are not compared: the recorded server knew brokers that had registered
    /// before.
    public var skip = Duration.zero
    /// Called for each request before it leaves, in place of the recorded signature; nil sends what was recorded.
    public var sign: RequestSigner?

    /// The defaults above.
    public init() {}
}

/// The telling side of `hearsay replay`, over any platform.
public final class Replay {
    /// How far it is.
    public struct Progress: Sendable {
        /// Requests sent.
        public var sent = 0
        /// Answers that say something else, or did not come.
        public var mismatches = 0
        /// Where in the recording, in microseconds.
        public var microseconds: UInt64 = 0
    }

    /// Events gone through in one turn of the loop.
    private static let turnLimit = 256
    /// After a connection was closed, for the server to hear of it before other connections go on: nothing tells us.
    private static let closePause = Duration.milliseconds(20)

    /// How far it is.
    public private(set) var progress = Progress()

    private let platform: any Platform
    private let target: Address
    private let options: ReplayOptions
    private let completion: (ReplayReport) -> Void
    private var reader: RecordingReader
    private var current: RecordedEvent?
    private var connections: [UInt32: ReplayConnection] = [:]
    private var report: ReplayReport
    private var tallies: [Int32: ReplayTally] = [:]
    private var startedAt: Instant
    private var notBefore = Instant.zero
    private var waitsUntil: Instant?
    private var hasReached = false
    private var isEnded = false
    private var isAdvancing = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.advance() }

    /// Prepares it; nothing is sent before `start`.
    ///
    /// - Parameter completion: called once, at the end.
    public init(
        platform: any Platform, target: Address, reader: RecordingReader, options: ReplayOptions,
        completion: @escaping (ReplayReport) -> Void
    ) {
        self.platform = platform
        self.target = target
        self.reader = reader
        self.options = options
        self.completion = completion
        report = ReplayReport(target: target.description)
        startedAt = platform.now
    }

    /// Begins.
    public func start() {
        startedAt = platform.now
        advance()
    }

    /// Ends it with what is known.
    public func stop() {
        guard !isEnded else { return }
        isEnded = true
        timer.cancel()
        for connection in connections.values { connection.close() }
        report.elapsedMicroseconds = UInt64(max(0, (platform.now - startedAt).wholeNanoseconds / 1_000))
        report.recordedMicroseconds = progress.microseconds
        report.kinds = tallies.values.sorted { $0.code < $1.code }
        completion(report)
    }

    // MARK: Going through the events

    private func advance() {
        // Closing a connection calls back at once on some platforms.
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        for _ in 0..<Self.turnLimit {
            guard !isEnded, let event = event() else { return }
            let now = platform.now
            let due = max(dueTime(of: event), notBefore)
            if due > now { return timer.start(at: due) }
            guard take(event, now) else { return }
            current = nil
            waitsUntil = nil
        }
        timer.start(at: platform.now)
    }

    /// The event to look at; ends the replay when there is none.
    private func event() -> RecordedEvent? {
        if let current { return current }
        do {
            current = try reader.next()
            if current == nil, !reader.hasEnded {
                report.note("the recording does not say that it ended: its recorder still runs, or was killed")
            }
        } catch {
            report.note("the recording is \(error)")
        }
        if let current {
            progress.microseconds = max(progress.microseconds, current.microseconds)
        } else {
            stop()
        }
        return current
    }

    private func dueTime(of event: RecordedEvent) -> Instant {
        guard let speed = options.speed else { return .zero }
        return startedAt + .microseconds(Double(event.microseconds) / speed)
    }

    /// Does what an event says; false when it must be looked at again later.
    private func take(_ event: RecordedEvent, _ now: Instant) -> Bool {
        switch event.kind {
        case .began(let time, let server): report.began(time, server)
        case .opened: open(event.connection)
        case .toServer(let frame): send(frame, event, now)
        case .toClient(let frame): return expect(frame, event, now)
        case .closedByClient, .closedByServer:
            guard let connection = connections.removeValue(forKey: event.connection) else { break }
            forgetUnanswered(connection)
            connection.close()
            notBefore = now + Self.closePause
        case .unreadable(let reason): report.note("connection \(event.connection) was not recorded: \(reason)")
        case .skipped(let count): report.note("\(count) records are missing, the recorder's disk was too slow")
        case .ended: break
        }
        return true
    }

    private func open(_ id: UInt32) {
        let connection = ReplayConnection(id: id)
        connections[id] = connection
        connection.onReached = { [weak self] in self?.hasReached = true }
        connection.onAnswer = { [weak self] in self?.advance() }
        connection.onClosed = { [weak self] reason in self?.closed(reason) }
        connection.connect(platform, to: target, timeout: options.timeout)
    }

    private func closed(_ reason: CloseReason) {
        if !hasReached, !isEnded {
            report.failure = RemotingCallError.closed(reason).description
            stop()
        } else {
            advance()
        }
    }

    // MARK: Requests and answers

    private func send(_ frame: [UInt8], _ event: RecordedEvent, _ now: Instant) {
        guard let command = RemotingCommand(frame: frame), !command.isResponse else {
            return report.note("a frame on connection \(event.connection) cannot be read")
        }
        if connections[event.connection] == nil { open(event.connection) }
        tallies[command.code, default: ReplayTally(code: command.code)].sent += 1
        progress.sent += 1
        connections[event.connection]?.send(signed(frame, command), command, recordedAt: event.microseconds, now: now)
    }

    /// The frame as it leaves: as it was recorded, or signed anew.
    private func signed(_ frame: [UInt8], _ command: RemotingCommand) -> [UInt8] {
        guard let sign = options.sign, let type = SerializeType(rawValue: frame[4]) else { return frame }
        var command = command
        sign(&command)
        return command.encoded(as: type)
    }

    /// Compares an answer with the recorded one; false when it has not come yet and may still.
    private func expect(_ frame: [UInt8], _ event: RecordedEvent, _ now: Instant) -> Bool {
        guard let recorded = RemotingCommand(frame: frame) else { return true }
        guard recorded.isResponse else {
            report.notifications += 1
            return true
        }
        // The answer to a request from before the recording began.
        guard let connection = connections[event.connection],
            let request = connection.request(recorded.opaque)
        else { return true }
        if let answer = request.answer {
            connection.forget(recorded.opaque)
            compare(request, recorded, answer, event)
            return true
        }
        if connection.isOpen {
            let deadline = waitsUntil ?? request.sentAt + options.timeout
            waitsUntil = deadline
            if now < deadline {
                timer.start(at: deadline)
                return false
            }
        }
        connection.forget(recorded.opaque)
        missing(request, event, connection.isOpen ? "no answer in time" : "the connection was closed")
        return true
    }

    private func compare(
        _ request: ReplayConnection.Request, _ recorded: RemotingCommand, _ answer: RemotingCommand,
        _ event: RecordedEvent
    ) {
        let code = request.command.code
        var tally = tallies[code] ?? ReplayTally(code: code)
        tally.latencies.append(UInt32(clamping: request.microseconds ?? 0))
        if event.microseconds < UInt64(max(0, options.skip.wholeNanoseconds / 1_000)) {
            tally.uncompared += 1
        } else if let difference = AnswerComparison.difference(code, recorded: recorded, replayed: answer) {
            tally.different += 1
            tally.add(.init(request: request.words, recorded: difference.recorded, replayed: difference.replayed))
            progress.mismatches += 1
        } else if AnswerComparison.isComparable(code) {
            tally.same += 1
        } else {
            tally.uncompared += 1
        }
        tallies[code] = tally
    }

    private func missing(_ request: ReplayConnection.Request, _ event: RecordedEvent, _ reason: String) {
        let code = request.command.code
        tallies[code]?.unanswered += 1
        tallies[code]?.add(.init(request: request.words, recorded: "an answer", replayed: reason))
        progress.mismatches += 1
    }

    /// Requests that were not answered in the recording, and are now.
    private func forgetUnanswered(_ connection: ReplayConnection) {
        for request in connection.requests where request.answer != nil {
            tallies[request.command.code]?.unexpected += 1
        }
    }
}
