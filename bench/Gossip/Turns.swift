import Glibc

/// CPU time of the calling thread: what others on the machine do does not count.
func threadNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// How long the single calls into a gossip core took: each is one turn of its node's loop.
struct TurnTimes {
    private(set) var total = 0
    private(set) var longest = 0
    /// What the longest one was.
    private(set) var longestName = ""

    mutating func add(_ nanoseconds: Int, _ name: String) {
        total += nanoseconds
        guard nanoseconds > longest else { return }
        (longest, longestName) = (nanoseconds, name)
    }
}
