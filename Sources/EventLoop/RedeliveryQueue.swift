import CLibuv

/// Streams whose handler reads on, and that still hold unconsumed bytes: offered later in the same turn, after the poll,
/// never from inside the call that resumed them.
final class RedeliveryQueue: HandleOwner {
    private let check: UnsafeMutablePointer<uv_check_t>
    /// Keeps the poll from blocking while something waits.
    private let idle: UnsafeMutablePointer<uv_idle_t>
    private var waiting: [TCPStream] = []

    init(_ uv: UnsafeMutablePointer<uv_loop_t>) {
        check = .allocate(capacity: 1)
        idle = .allocate(capacity: 1)
        uv_check_init(uv, check)
        uv_idle_init(uv, idle)
    }

    deinit {
        check.deallocate()
        idle.deallocate()
    }

    func open() {
        adopt(check)
        adopt(idle)
    }

    override func close() {
        waiting.removeAll()
        closeHandle(check)
        closeHandle(idle)
    }

    /// Once for each stream, however often it asks: each has one turn.
    func add(_ stream: TCPStream) {
        if stream.state.pointee.awaitsRedelivery { return }
        stream.state.pointee.awaitsRedelivery = true
        if waiting.isEmpty {
            uv_check_start(check) {
                Unmanaged<RedeliveryQueue>.fromOpaque($0!.pointee.data).takeUnretainedValue().drain()
            }
            uv_idle_start(idle) { _ in }
        }
        waiting.append(stream)
    }

    private func drain() {
        uv_check_stop(check)
        uv_idle_stop(idle)
        let due = waiting
        waiting = []
        for stream in due {
            stream.state.pointee.awaitsRedelivery = false
            stream.redeliver()
        }
    }
}
