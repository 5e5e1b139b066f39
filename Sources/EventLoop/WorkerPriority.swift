import Glibc

/// What the loop's workers run with: a little less than the loop. Where cores are few, a lookup should not wait for a
/// decode's time slice.
struct WorkerPriority {
    /// In the class of ordinary threads.
    private static let nicer: Int32 = 5

    private let niceness: Int32
    /// In the real-time classes; 0 for ordinary threads.
    private let realTime: Int32

    /// Of the calling thread, which is the loop's.
    init() {
        var own = sched_param()
        sched_getparam(0, &own)
        realTime = own.sched_priority
        niceness = getpriority(Self.which, 0) + Self.nicer
    }

    /// Gives it to the calling thread; Linux keeps both for each thread. A real-time loop of the lowest priority has its
    /// workers beside it.
    func apply() {
        if realTime > 1 {
            var less = sched_param()
            less.sched_priority = realTime - 1
            sched_setparam(0, &less)
        } else {
            setpriority(Self.which, 0, niceness)
        }
    }

    private static var which: __priority_which_t { __priority_which_t(PRIO_PROCESS.rawValue) }
}
