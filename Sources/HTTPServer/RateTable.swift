import Basics

/// How often each host may still ask: a bucket for each that fills with time.
struct RateTable {
    /// Hosts remembered; a server has fewer connections than that, and what is forgotten begins anew with a full bucket.
    static let capacity = 1_024

    private struct Bucket {
        var requests: Double
        var filledAt: Instant
    }

    private var buckets: [String: Bucket] = [:]
    var count: Int { buckets.count }
    private let perSecond: Double
    private let burst: Double

    init(perSecond: Int, burst: Int) {
        self.perSecond = Double(perSecond)
        self.burst = Double(burst)
    }

    /// Whether the host may ask now; if so, one request is taken out of its bucket.
    mutating func admit(_ host: String, now: Instant) -> Bool {
        if buckets[host] == nil, buckets.count >= Self.capacity { makeRoom(now) }
        var bucket = buckets[host] ?? Bucket(requests: burst, filledAt: now)
        fill(&bucket, now)
        defer { buckets[host] = bucket }
        guard bucket.requests >= 1 else { return false }
        bucket.requests -= 1
        return true
    }

    private func fill(_ bucket: inout Bucket, _ now: Instant) {
        let seconds = Double(max(0, (now - bucket.filledAt).wholeNanoseconds)) / 1e9
        bucket.requests = min(burst, bucket.requests + seconds * perSecond)
        bucket.filledAt = now
    }

    /// Forgets the hosts whose buckets are full; when none is, all of them.
    private mutating func makeRoom(_ now: Instant) {
        buckets = buckets.filter { _, bucket in
            var bucket = bucket
            fill(&bucket, now)
            return bucket.requests < burst
        }
        if buckets.count >= Self.capacity { buckets = [:] }
    }
}
