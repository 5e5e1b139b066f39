/// How many symbols to ask for, and when the list of all items is the better question.
///
/// The peer's count and root come with every idle exchange, so the choice costs nothing.
public enum SketchLadder {
    /// What to ask a peer for.
    public enum Question: Hashable, Sendable {
        /// The sets are equal.
        case nothing
        /// The peer's first symbols, this many in all (symbol 0, already known, included).
        case sketch(symbols: Int)
        /// All the peer's items.
        case list
    }

    /// The lengths of prefix asked for, one after the other: 16, 38, 96, 224, 512, then 512 more each time to 4,096.
    ///
    /// Decoding needs about 1.4 symbols per difference, more for few: two differences fit 16 symbols 99 times in 100.
    public static let rungs = [16, 38, 96, 224] + Array(stride(from: 512, through: SketchLimits.symbols, by: 512))

    /// Bytes of one row of the list: the item.
    public static let listRowBytes = 8
    /// Bytes of one symbol on the wire: sum, check and nearly always one byte of count.
    public static let symbolBytes = 17

    /// The first question, given both roots.
    ///
    /// The counts' difference bounds the number of differing items from below, so the first rung is the one that holds
    /// 1.5 times it and 16; up to four differences, by far the most likely, fit the shortest. The list is asked for
    /// where that would not be smaller, where a side is empty, and beyond the top.
    public static func question(here: SketchSymbol, there: SketchSymbol) -> Question {
        if here == there { return .nothing }
        let larger = max(here.count, there.count)
        let smaller = min(here.count, there.count)
        let gap = larger - smaller
        let wanted = gap <= 4 ? rungs[0] : gap + (gap + 1) / 2 + 16
        guard smaller > 0, let rung = rung(holding: wanted) else { return .list }
        return rung * symbolBytes < there.count * listRowBytes ? .sketch(symbols: rung) : .list
    }

    /// The question after `received` symbols of this peer did not decode: the next rung, or the list beyond the top.
    public static func question(after received: Int) -> Question {
        rung(holding: received + 1).map { .sketch(symbols: $0) } ?? .list
    }

    private static func rung(holding symbols: Int) -> Int? { rungs.first { $0 >= symbols } }
}
