import CMachine
import Glibc

/// epoll over sockets that are known by their index.
struct Poller: ~Copyable {
    private static let capacity = 256

    private let descriptor: Int32
    private let events = UnsafeMutablePointer<machine_event>.allocate(capacity: Poller.capacity)
    /// Events of the last `wait`.
    private(set) var count = 0

    init() throws(LoadError) {
        descriptor = machine_poller()
        guard descriptor >= 0 else {
            throw LoadError(.machine, "epoll: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    func add(_ socket: Int32, index: Int) { _ = machine_watch(descriptor, socket, Int32(index), 1, 0) }

    /// Whether to hear also when the socket takes bytes again.
    func change(_ socket: Int32, index: Int, hearsRoom: Bool) {
        _ = machine_watch(descriptor, socket, Int32(index), 0, hearsRoom ? 1 : 0)
    }

    /// Waits for events, 0 for none that are not there already.
    mutating func wait(nanoseconds: Int64) {
        count = max(0, Int(machine_wait(descriptor, events, max(0, nanoseconds))))
    }

    /// One event: whose it is, whether there is something to read (or the end), whether there is room to write.
    func event(_ number: Int) -> (index: Int, isReadable: Bool, hasRoom: Bool) {
        let event = events[number]
        return (Int(event.index), event.is_readable != 0, event.has_room != 0)
    }
}
