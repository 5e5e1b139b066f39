import Glibc

/// How many descriptors this process may have: connections, above all.
enum DescriptorLimit {
    /// The hard limit; the first use raises the soft one to it, which on many machines is 1,024.
    static let raised: Int = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }()
}
