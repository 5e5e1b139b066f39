import CLibuv
import Glibc

extension EventLoop {
    /// Runs `work` on one of libuv's worker threads (four, or UV_THREADPOOL_SIZE), then `completion` here.
    ///
    /// Workers get a smaller share of a core that they and the loop want at the same time.
    ///
    /// `run` does not end before both are done, even after `stop`.
    public func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) {
        // Written by the worker, read by the loop afterwards: libuv's queue lock stands between the two.
        var result: Result?
        let priority = core.pointee.workerPriority
        let job = OffloadedJob(loop: self) {
            // Cheap beside any work worth a thread, and workers are not ours to set up.
            priority.apply()
            result = work()
        } finish: {
            completion(result!)
        }
        job.start()
    }
}

/// One piece of work on its way through the thread pool; retained by its request.
private final class OffloadedJob {
    private let loop: EventLoop
    private let work: () -> Void
    private let finish: () -> Void
    private let request = UnsafeMutablePointer<uv_work_t>.allocate(capacity: 1)

    init(loop: EventLoop, work: @escaping () -> Void, finish: @escaping () -> Void) {
        self.loop = loop
        self.work = work
        self.finish = finish
    }

    deinit { request.deallocate() }

    func start() {
        loop.core.pointee.offloaded += 1
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let status = uv_queue_work(
            loop.uv, request,
            { request in
                Unmanaged<OffloadedJob>.fromOpaque(request!.pointee.data)._withUnsafeGuaranteedRef { $0.work() }
            },
            { request, _ in
                let job = Unmanaged<OffloadedJob>.fromOpaque(request!.pointee.data).takeRetainedValue()
                job.finish()
                job.loop.core.pointee.offloaded -= 1
                job.loop.endRunWhenIdle()
            })
        precondition(status == 0, "uv_queue_work: \(status)")
    }
}
