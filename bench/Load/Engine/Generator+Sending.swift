import Basics
import Glibc

extension Generator {
    /// Requests of one traffic that are sent before answers are looked at again.
    private static let burst = 256

    mutating func beginClosedLanes() {
        for course in courses {
            guard case .closed(let depth) = course.pacing else { continue }
            for lane in course.lanes {
                let count = course.repeats ? depth : min(depth, lanes[lane].requests.count)
                for _ in 0..<count { issue(lane, due: start) }
            }
        }
    }

    /// Sends what is due; answers when the next request will be.
    mutating func issueDue(_ now: Int64) -> Int64 {
        var next = Int64.max
        for index in courses.indices {
            guard case .open(let perSecond) = courses[index].pacing else { continue }
            let interval = 1e9 / perSecond
            var sent = 0
            var due = start + Int64(Double(courses[index].issued) * interval)
            while due <= now, sent < Self.burst {
                let lane = courses[index].lanes.lowerBound + courses[index].nextLane
                courses[index].nextLane = (courses[index].nextLane + 1) % courses[index].lanes.count
                courses[index].issued += 1
                issue(lane, due: due)
                sent += 1
                due = start + Int64(Double(courses[index].issued) * interval)
            }
            next = min(next, due)
        }
        return next
    }

    /// Sends what was due before the end and is late: left out, it would be missing exactly where the machine was slow.
    mutating func issueRest(until end: Int64) {
        while issueDue(end) <= end { flushAll() }
    }

    /// Sends the next request of a lane, if it has one left.
    mutating func issue(_ lane: Int, due: Int64) {
        let requests = lanes[lane].requests
        var position = lanes[lane].position
        if position == requests.count {
            guard lanes[lane].repeats else { return }
            position = 0
        }
        lanes[lane].position = position + 1
        let traffic = Int(lanes[lane].traffic)
        if traffic >= 0, let repetition = repetition(at: due) {
            outcome.intervals[traffic][repetition].due += 1
            let lateness = monotonicTime() - due
            if lateness > outcome.intervals[traffic][repetition].lateness {
                outcome.intervals[traffic][repetition].lateness = lateness
            }
        }
        send(requests[position], lane: lane, due: due)
    }

    private mutating func send(_ request: RequestBook.RequestID, lane: Int, due: Int64) {
        let socket = lanes[lane].socket
        let traffic = lanes[lane].traffic
        guard sockets[Int(socket)].isOpen else {
            return count(.closed, "the connection was closed", traffic: traffic, at: due)
        }
        let entry = InFlight.Request(intended: due, request: request, socket: socket, traffic: traffic)
        guard let opaque = inFlight.begin(entry) else {
            outcome.isOverloaded = true
            return count(.noAnswer, "more than \(InFlight.limit) requests waited", traffic: traffic, at: due)
        }
        sockets[Int(socket)].enqueue(request, opaque: opaque)
        if !sockets[Int(socket)].isDirty {
            sockets[Int(socket)].isDirty = true
            dirty.append(socket)
        }
    }

    /// Brokers that were registered before the run heartbeat.
    mutating func refreshPreparation(_ now: Int64) {
        for lane in plan.preparation.indices {
            for request in lanes[lane].requests { send(request, lane: lane, due: now) }
        }
    }

    /// Writes what is new: first what is small, then large bodies for as long as a turn may last; the rest has its turn later.
    mutating func flushAll() {
        guard !dirty.isEmpty else { return }
        var large: [Int32] = []
        for socket in dirty {
            if sockets[Int(socket)].hasLargeRequest(entries) {
                large.append(socket)
            } else {
                flushDirty(socket)
            }
        }
        let end = monotonicTime() + Self.turn
        var done = 0
        while done < large.count {
            flushDirty(large[done])
            done += 1
            if done % 4 == 0, monotonicTime() > end { break }
        }
        large.removeFirst(done)
        swap(&dirty, &large)
    }

    private mutating func flushDirty(_ socket: Int32) {
        sockets[Int(socket)].isDirty = false
        if !sockets[Int(socket)].isBlocked { flush(Int(socket)) }
    }

    mutating func flush(_ index: Int) {
        guard sockets[index].isOpen else { return }
        let wasBlocked = sockets[index].isBlocked
        guard sockets[index].flush(entries, &gather) else {
            return lost(index, .closed, String(cString: strerror(errno)))
        }
        if sockets[index].isBlocked != wasBlocked {
            poller.change(sockets[index].descriptor, index: index, hearsRoom: sockets[index].isBlocked)
        }
    }
}
