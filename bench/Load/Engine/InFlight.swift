/// The requests on their way. The opaque names the slot and how often it was used before, so that a late or doubled answer
/// is told from a right one.
struct InFlight {
    /// One request on its way.
    struct Request {
        /// When it should have been sent, in nanoseconds; what its latency counts from.
        var intended: Int64
        var request: RequestBook.RequestID
        var socket: Int32
        var traffic: Int32
    }

    /// More requests than ever wait for one server at a sensible rate; what is beyond it says that the server is overloaded.
    static let limit = 1_000_000
    /// Opaques have ten digits: 1 GGG SSSSSS, generation and slot.
    private static let base: Int32 = 1_000_000_000
    private static let generations: Int32 = 1_000

    private struct Slot {
        var request: Request
        var generation: Int32 = 0
        var isUsed = false
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []
    private(set) var count = 0

    /// Takes a slot; nil when `limit` requests wait.
    mutating func begin(_ request: Request) -> Int32? {
        let index: Int32
        if let reused = free.popLast() {
            index = reused
            slots[Int(index)].request = request
            slots[Int(index)].isUsed = true
        } else {
            guard slots.count < Self.limit else { return nil }
            index = Int32(slots.count)
            slots.append(Slot(request: request, isUsed: true))
        }
        count += 1
        return Self.base + slots[Int(index)].generation * Int32(Self.limit) + index
    }

    /// Gives the slot back; nil when no such request is on its way on that socket.
    mutating func end(_ opaque: Int32, socket: Int32) -> Request? {
        guard opaque >= Self.base else { return nil }
        let (generation, slot) = (opaque - Self.base).quotientAndRemainder(dividingBy: Int32(Self.limit))
        let index = Int(slot)
        guard index < slots.count, slots[index].isUsed, slots[index].generation == generation,
            slots[index].request.socket == socket
        else { return nil }
        slots[index].isUsed = false
        slots[index].generation = (generation + 1) % Self.generations
        free.append(slot)
        count -= 1
        return slots[index].request
    }

    /// All that are on their way; they stay there.
    var waiting: [Request] { slots.filter(\.isUsed).map(\.request) }

    /// Gives up all requests of a socket, and says which.
    mutating func abandon(socket: Int32) -> [Request] {
        var abandoned: [Request] = []
        for index in slots.indices where slots[index].isUsed && slots[index].request.socket == socket {
            abandoned.append(slots[index].request)
            slots[index].isUsed = false
            slots[index].generation = (slots[index].generation + 1) % Self.generations
            free.append(Int32(index))
            count -= 1
        }
        return abandoned
    }
}
