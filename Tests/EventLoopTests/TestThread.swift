import Glibc

@testable import EventLoop

/// A thread of its own for one blocking piece of work: a cooperative thread of the tests must not wait for another one.
final class TestThread<Result: Sendable>: Sendable {
    private let work: @Sendable () -> Result
    private let result = Locked<Result?>(nil)
    private let thread = Locked<pthread_t>(0)

    init(_ work: @escaping @Sendable () -> Result) {
        self.work = work
        thread.withLock { thread in
            _ = pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                    return nil
                }, Unmanaged.passRetained(Body { [self] in runWork() }).toOpaque())
        }
    }

    private func runWork() {
        let value = work()
        result.withLock { $0 = value }
    }

    /// Waits for the end of the work.
    func join() -> Result {
        pthread_join(thread.withLock { $0 }, nil)
        return result.withLock { $0! }
    }
}

/// What a thread runs, in a form that a C callback can carry.
private final class Body {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}
