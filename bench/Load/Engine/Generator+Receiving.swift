import Basics
import Glibc
import Histogram
import Remoting

extension Generator {
    /// Wrong answers that are described in words.
    private static let complaintLimit = 5
    /// The largest answer that is waited for: a topic list may be larger than the 16 MiB that a request may have.
    private static let answerLimit = 64 << 20

    /// Waits for events, but not beyond an instant. All answers are taken, then large bodies are written on for as long as a turn
    /// may last, those that had no time in the turn before first: epoll tells the events in the same order again and again.
    mutating func poll(until instant: Int64) {
        let wait = !dirty.isEmpty ? 0 : instant == .max ? 1_000_000_000 : instant - monotonicTime()
        poller.wait(nanoseconds: wait < Self.spinLimit ? 0 : wait)
        let count = poller.count
        for number in 0..<count {
            let event = poller.event(number)
            if event.isReadable { receive(event.index) }
        }
        let end = monotonicTime() + Self.turn
        for step in 0..<count {
            let event = poller.event((nextRoom + step) % count)
            guard event.hasRoom else { continue }
            flush(event.index)
            if monotonicTime() > end {
                nextRoom = (nextRoom + step + 1) % count
                break
            }
        }
    }

    private mutating func receive(_ index: Int) {
        guard sockets[index].isOpen else { return }
        let count = recv(sockets[index].descriptor, buffer.baseAddress, buffer.count, 0)
        if count == 0 { return lost(index, .closed, "the server closed the connection") }
        if count < 0 {
            if errno != EAGAIN { lost(index, .closed, String(cString: strerror(errno))) }
            return
        }
        let now = monotonicTime()
        let received = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if sockets[index].partial.isEmpty {
            let used = answers(in: received, index, now)
            if used < received.count { sockets[index].partial = [UInt8](received[used...]) }
        } else {
            var whole: [UInt8] = []
            swap(&whole, &sockets[index].partial)
            whole.append(contentsOf: received)
            let used = whole.withUnsafeBytes { answers(in: $0, index, now) }
            if used > 0 { whole.removeFirst(min(used, whole.count)) }
            swap(&whole, &sockets[index].partial)
        }
        if !sockets[index].isOpen { sockets[index].partial = [] }
    }

    /// Handles all whole answers; says how many bytes they have.
    private mutating func answers(in bytes: UnsafeRawBufferPointer, _ index: Int, _ now: Int64) -> Int {
        var used = 0
        while used < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
            do throws(RemotingError) {
                guard case .frame(let frame) = try Frame.first(in: rest, limit: Self.answerLimit) else { return used }
                used += frame.length
                try header.decode(frame)
                answered(frame, index, now)
            } catch {
                lost(index, .garbage, "what it sent is no RocketMQ frame: \(error)")
                return bytes.count
            }
        }
        return used
    }

    private mutating func answered(_ frame: Frame, _ index: Int, _ now: Int64) {
        // NOTIFY_MIN_BROKER_ID_CHANGE and other requests of the server's own.
        guard header.isResponse else { return }
        guard let request = inFlight.end(header.opaque, socket: Int32(index)) else {
            return count(.wrongAnswer, "an answer that nobody waits for", traffic: lanes[index].traffic, at: now)
        }
        let isRight = check(frame, entries[Int(request.request)].expectation)
        if !isRight { complain(frame, request, now) }
        let traffic = Int(request.traffic)
        if traffic >= 0 {
            if let current { outcome.intervals[traffic][current].answered += 1 }
            if let repetition = repetition(at: request.intended) { record(now - request.intended, traffic, repetition) }
        }
        advance(index, now)
    }

    /// An answered lane goes on: at once in a closed loop, not at all in an open one.
    private mutating func advance(_ lane: Int, _ now: Int64) {
        let traffic = Int(lanes[lane].traffic)
        if traffic < 0 {
            if !isSending { issue(lane, due: now) }
            return
        }
        guard isSending else { return }
        lanes[lane].answered += 1
        if !lanes[lane].repeats, lanes[lane].answered == lanes[lane].requests.count { unfinishedLanes -= 1 }
        if case .closed = courses[traffic].pacing { issue(lane, due: now) }
    }

    private mutating func check(_ frame: Frame, _ expectation: Expectation) -> Bool {
        switch expectation {
        case .code(let code): header.code == code
        case .body(let check): header.code == 0 && checks[check].accepts(frame.body)
        case .changed(let changed): header.code == 0 && header.boolean("changed") == changed
        }
    }

    private mutating func complain(_ frame: Frame, _ request: InFlight.Request, _ now: Int64) {
        var words = "code \(header.code)"
        if let remark = header.remark { words += " '\(String(decoding: remark.prefix(120), as: UTF8.self))'" }
        if header.code == 0 { words += " with an unexpected body of \(frame.body.count) bytes" }
        count(.wrongAnswer, words, traffic: request.traffic, at: now)
    }

    /// A connection is gone; what was on its way counts as wrong.
    mutating func lost(_ index: Int, _ kind: LoadError.Kind, _ why: String) {
        guard sockets[index].isOpen else { return }
        sockets[index].close()
        outcome.closedConnections += 1
        let abandoned = inFlight.abandon(socket: Int32(index))
        if abandoned.isEmpty { count(kind, why, traffic: -1, at: 0) }
        for request in abandoned { count(kind, why, traffic: request.traffic, at: request.intended) }
        if isSending, lanes[index].traffic >= 0, !lanes[index].repeats { unfinishedLanes -= 1 }
    }

    /// Notes something wrong; in a repetition it counts there.
    mutating func count(_ kind: LoadError.Kind, _ words: String, traffic: Int32, at instant: Int64) {
        if outcome.complaints.count < Self.complaintLimit { outcome.complaints.append(LoadError(kind, words)) }
        guard traffic >= 0, let repetition = repetition(at: instant) else { return }
        outcome.intervals[Int(traffic)][repetition].wrong += 1
    }
}
