import Glibc

/// What a process has used so far, read from outside by its pid.
public struct ServerUsage: Hashable, Sendable {
    /// User and system time of all its threads, in nanoseconds.
    public var cpuNanoseconds: Int64
    /// Resident bytes.
    public var residentBytes: Int

    /// Nil when there is no such process, or it is not ours to look at.
    public static func read(_ process: pid_t) -> ServerUsage? {
        guard let cpu = cpuNanoseconds(process), let resident = residentBytes(process) else { return nil }
        return ServerUsage(cpuNanoseconds: cpu, residentBytes: resident)
    }

    /// The process's CPU clock, which is exact where /proc counts ticks of 10 ms.
    private static func cpuNanoseconds(_ process: pid_t) -> Int64? {
        var clock = clockid_t()
        guard clock_getcpuclockid(process, &clock) == 0 else { return nil }
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func residentBytes(_ process: pid_t) -> Int? {
        let fields = TextFile.read("/proc/\(process)/statm", limit: 256).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
