import Basics
import Platform

/// One direction of one connection: bytes on their way, in order, and what TCP does when the way is barred.
///
/// The other end's kernel acknowledges at once when packets get through; when they do not, the sender's kernel tries
/// again with growing gaps and gives up after `Retransmission.limit`.
final class Pipe: EventTarget {
    enum Kind { case handshake, data, end }

    struct Segment {
        var arrival: Int64
        var kind: Kind
        var bytes: [UInt8]
    }

    let from: SimulatedStream
    let to: SimulatedStream
    let link: Link
    /// Nothing gets through and nobody is told: a middlebox has forgotten the connection.
    var isBlackHole = false
    /// Whether whole frames may be lost, doubled and reordered.
    let carriesGossip: Bool

    private let back: Link
    private let world: World
    private var segments: [Segment] = []
    private var head = 0
    /// Bytes sent and not yet read by the other end's process.
    private var bytesInside = 0
    private var lastArrival: Int64 = 0
    private var scheduledAt = Int64.max
    private var blockedSince: Int64?

    init(from: SimulatedStream, to: SimulatedStream, carriesGossip: Bool) {
        self.from = from
        self.to = to
        self.carriesGossip = carriesGossip
        world = from.platform.world
        link = world.link(from: from.platform.host, to: to.platform.host)
        back = world.link(from: to.platform.host, to: from.platform.host)
    }

    /// Whether nothing gets back to the sender at the moment.
    var isAnswerBarred: Bool { back.cuts > 0 || isBlackHole || !from.platform.host.answersPackets }

    /// How many more bytes the kernels take.
    var space: Int { world.pipeCapacity - bytesInside }

    func send(_ kind: Kind) {
        append(Segment(arrival: orderedArrival(of: 60), kind: kind, bytes: []))
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        bytesInside += bytes.count
        if carriesGossip, world.onGossipFrame != nil { show(bytes) }
        let conditions = link.conditions
        let isPlain =
            conditions.frameDropPerMille == 0 && conditions.frameDoublePerMille == 0
            && conditions.frameDelayPerMille == 0
        if !carriesGossip || isPlain {
            let arrival = orderedArrival(of: bytes.count + 60)
            return append(Segment(arrival: arrival, kind: .data, bytes: [UInt8](bytes)))
        }
        var rest = bytes
        while rest.count > 0 {
            let length = Pipe.firstFrame(in: rest)
            sendFrame(UnsafeRawBufferPointer(rebasing: rest[..<length]), conditions)
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
    }

    private func show(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while rest.count > 0 {
            let length = Pipe.firstFrame(in: rest)
            world.onGossipFrame?(
                from.platform.host, to.platform.host, UnsafeRawBufferPointer(rebasing: rest[..<length]))
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
    }

    /// The length of the first gossip frame (a 32-bit length stands at its head); all bytes when they are not a frame.
    private static func firstFrame(in bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count >= 4 else { return bytes.count }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        return length >= 4 && length <= bytes.count ? length : bytes.count
    }

    private func sendFrame(_ frame: UnsafeRawBufferPointer, _ conditions: LinkConditions) {
        if Link.happens(conditions.frameDropPerMille, &world.random) {
            bytesInside -= frame.count
            return
        }
        if Link.happens(conditions.frameDoublePerMille, &world.random) {
            bytesInside += frame.count
            let late = orderedArrival(of: frame.count) + Int64(world.random.next() % 2_000_000_000)
            append(Segment(arrival: late, kind: .data, bytes: [UInt8](frame)))
        }
        var arrival = orderedArrival(of: frame.count)
        if Link.happens(conditions.frameDelayPerMille, &world.random) {
            arrival += Int64(world.random.next() % 2_000_000_000)
        }
        append(Segment(arrival: arrival, kind: .data, bytes: [UInt8](frame)))
    }

    private func orderedArrival(of bytes: Int) -> Int64 {
        lastArrival = max(lastArrival, link.arrival(of: bytes, now: world.time, random: &world.random))
        return lastArrival
    }

    /// Inserts behind all that arrive earlier or at the same time.
    private func append(_ segment: Segment) {
        var place = segments.count
        while place > head, segments[place - 1].arrival > segment.arrival { place -= 1 }
        segments.insert(segment, at: place)
        // While blocked, the next attempt is queued already.
        if blockedSince == nil { schedule(at: segments[head].arrival) }
    }

    private func schedule(at time: Int64) {
        guard time < scheduledAt else { return }
        scheduledAt = time
        world.schedule(self, 0, at: time)
    }

    /// The receiving process has read bytes.
    func consumed(_ count: Int) {
        bytesInside -= count
        if from.wantsSpace, space > 0 { from.schedule(.flush, at: world.time + back.conditions.latency) }
    }

    /// What has not arrived never will.
    func abandon() {
        segments.removeAll()
        head = 0
    }

    // MARK: Arrivals

    override func occur(_ argument: UInt64) {
        guard scheduledAt <= world.time else { return }
        scheduledAt = .max
        guard head < segments.count else { return }
        if world.time < link.stalledUntil { return schedule(at: link.stalledUntil) }
        if link.cuts > 0 || isBlackHole || !to.platform.host.answersPackets { return blocked() }
        blockedSince = nil
        while head < segments.count, segments[head].arrival <= world.time {
            let segment = segments[head]
            segments[head].bytes = []
            head += 1
            if !deliver(segment) { abandon() }
        }
        if head == segments.count {
            segments.removeAll(keepingCapacity: true)
            head = 0
        } else {
            if head > 64 {
                segments.removeFirst(head)
                head = 0
            }
            schedule(at: segments[head].arrival)
        }
    }

    private func blocked() {
        let since = blockedSince ?? world.time
        blockedSince = since
        // What a host without power had not brought out is lost with it.
        if from.hasLostPower { return abandon() }
        let limit = since + (from.isSocketClosed ? Retransmission.orphanLimit : Retransmission.limit)
        if world.time >= limit {
            abandon()
            return from.failed("ETIMEDOUT", "connection timed out")
        }
        schedule(at: min(Retransmission.next(after: world.time, since: since), limit))
    }

    /// False when there is nobody to deliver to: then the kernel answers with a reset.
    private func deliver(_ segment: Segment) -> Bool {
        if to.isSocketClosed || !to.platform.isAlive {
            if segment.kind != .end { from.schedule(.reset, at: world.time + back.conditions.latency) }
            return false
        }
        switch segment.kind {
        case .handshake: to.arrived()
        case .data:
            if carriesGossip, world.onGossipFrame != nil {
                world.gossipArrivals.append((from.platform.host.index, to.platform.host.index))
            }
            to.arrived(segment.bytes)
        case .end: to.peerEnded()
        }
        return true
    }
}
