import CLibuv

/// What other threads may run on a loop.
public typealias LoopTask = @Sendable (EventLoop) -> Void

/// The way from other threads onto a loop: messages arrive there in the order in which they were sent.
///
/// Sending costs a lock and, for the first message of a batch only, a wake-up of the loop. Hot messages are values;
/// closures are for the rest.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct Inbox {
        var messages: [Message] = []
        /// Nil before the loop listens and after it has stopped.
        var wakeUp: UnsafeMutablePointer<uv_async_t>?
    }

    private let inbox = Locked(Inbox())

    init() {}

    /// Queues a message; from any thread, at any time. False: the loop has stopped, and the message is dropped.
    ///
    /// Messages that the loop has not received when it stops are dropped too.
    @discardableResult
    public func send(_ message: Message) -> Bool {
        inbox.withLock { inbox in
            guard let wakeUp = inbox.wakeUp else { return false }
            inbox.messages.append(message)
            if inbox.messages.count == 1 { uv_async_send(wakeUp) }
            return true
        }
    }

    /// Connects the mailbox with its loop, where `receive` hears the messages.
    func open(_ loop: EventLoop, receive: @escaping (Message) -> Void) {
        // Two arrays change places, and keep their memory.
        var batch: [Message] = []
        let wakeUp = WakeUp(
            loop,
            drain: { [self] in
                inbox.withLock { swap(&$0.messages, &batch) }
                for message in batch { receive(message) }
                batch.removeAll(keepingCapacity: true)
            },
            willClose: { [self] in inbox.withLock { $0.wakeUp = nil } })
        inbox.withLock { $0.wakeUp = wakeUp.handle }
    }
}

/// The loop's side of a mailbox.
final class WakeUp: HandleOwner {
    let handle: UnsafeMutablePointer<uv_async_t>
    private let drain: () -> Void
    private let willClose: () -> Void

    init(_ loop: EventLoop, drain: @escaping () -> Void, willClose: @escaping () -> Void) {
        self.drain = drain
        self.willClose = willClose
        handle = .allocate(capacity: 1)
        super.init()
        let status = uv_async_init(loop.uv, handle) {
            Unmanaged<WakeUp>.fromOpaque($0!.pointee.data).takeUnretainedValue().drain()
        }
        precondition(status == 0, "uv_async_init: \(status)")
        adopt(handle)
    }

    deinit { handle.deallocate() }

    override func close() {
        willClose()
        closeHandle(handle)
    }
}
