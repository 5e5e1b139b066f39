import Basics

/// Stamps writes so that every node orders them alike: wall time in the upper 48 bits, a counter in the lower 16
/// (Kulkarni et al., OPODIS 2014).
///
/// A stamp is later than every stamp this node has made or taken in, as long as that was not too far ahead of its own wall
/// clock: one node whose clock is wrong does not make the stamps of all others wrong.
struct HybridClock: Hashable, Sendable {
    /// How far ahead of our wall clock a stamp may be and still move our own clock on: wall clocks kept by NTP are
    /// milliseconds apart, badly kept ones seconds.
    static let tolerance: Duration = .seconds(60)
    /// Stamps from here on (the year 4199) are refused: nothing could ever be later.
    static let highest: UInt64 = 1 << 62
    /// The wall clock counts for at most this much.
    private static let highestMilliseconds: Int64 = 1 << 45

    private(set) var last: UInt64 = 0

    /// The first stamp of a moment.
    static func reading(_ wall: WallTime) -> UInt64 {
        UInt64(min(max(0, wall.milliseconds), highestMilliseconds)) << 16
    }

    /// The moment of a stamp.
    static func wallTime(of stamp: UInt64) -> WallTime { WallTime(milliseconds: Int64(stamp >> 16)) }

    /// A stamp for a write made here and now, later than the write it replaces, whatever that one's clock showed.
    mutating func stamp(at wall: WallTime, after replaced: UInt64 = 0) -> UInt64 {
        last = max(Self.reading(wall), last + 1)
        return max(last, replaced + 1)
    }

    /// Takes in a stamp made elsewhere; false, without any effect, when it is too far ahead of the wall clock.
    mutating func observe(_ stamp: UInt64, at wall: WallTime) -> Bool {
        let bound = Self.reading(WallTime(milliseconds: wall.milliseconds + Self.tolerance.wholeMilliseconds))
        guard stamp <= bound else { return false }
        last = max(last, stamp)
        return true
    }
}
