// Peeling: a symbol of the difference that holds exactly one item gives that item away; taking it out of its other
// symbols lays the next one bare.

import Basics

/// Finds the difference between the local set and a peer's from a growing prefix of the peer's symbols.
///
/// Feed it run after run, from symbol 0 on; it keeps its state, so that more symbols never restart it. Both sketches
/// must stay as they were (one epoch each): the decoder holds its own copy of the local one. Work is bounded by the
/// symbols received: no more items are taken out than there are symbols, about 16 steps for each.
public struct SketchDecoder: Sendable {
    /// What the symbols so far say.
    public enum Outcome: Hashable, Sendable {
        /// Not decoded yet; ask for more symbols of the same prefix.
        case needsMore
        /// The whole difference: every symbol is explained.
        case decoded(SetDifference)
        /// Never decodable: ask for the list.
        case failed(Failure)
    }

    /// Why decoding ended without a difference.
    public enum Failure: Hashable, Sendable {
        /// The run does not follow the last one, or reaches beyond the local prefix.
        case outOfOrder
        /// The local prefix is used up.
        case exhausted
        /// The symbols contradict each other: forged, damaged, of another key, or of sets that changed meanwhile.
        case inconsistent
    }

    /// The verdict on all runs received.
    public private(set) var outcome = Outcome.needsMore
    /// Symbols received so far, which is also the index of the next one wanted.
    public var received: Int { cells.count }

    private let local: Sketch
    private var cells: [SketchSymbol] = []
    private var found: [FoundItem] = []

    /// An item taken out of every cell below `indices.current`.
    private struct FoundItem {
        let item: UInt64
        let check: UInt64
        /// 1: only there; -1: only here.
        let copies: Int
        var indices: SymbolIndices

        /// Takes the item out of the cells it has not been taken out of yet; tells which.
        @discardableResult
        mutating func takeOut(of cells: inout [SketchSymbol]) -> [Int] {
            var touched: [Int] = []
            while indices.current < cells.count {
                cells[indices.current].add(item: item, check: check, copies: -copies)
                touched.append(indices.current)
                indices.advance()
            }
            return touched
        }
    }

    /// Starts without any symbol of the peer.
    public init(local: Sketch) { self.local = local }

    /// Takes the next symbols and decodes as far as they allow. Once decoded or failed, further runs change nothing.
    @discardableResult
    public mutating func receive(_ run: SymbolRun) -> Outcome {
        guard outcome == .needsMore else { return outcome }
        guard run.first == received, run.symbols.count <= local.symbols.count - received else {
            outcome = .failed(.outOfOrder)
            return outcome
        }
        let first = received
        for symbol in run.symbols { cells.append(symbol - local.symbols[cells.count]) }
        for position in found.indices { found[position].takeOut(of: &cells) }
        outcome = peel(from: first) ? verdict() : .failed(.inconsistent)
        return outcome
    }

    /// Peels until no cell holds a single item; false when the cells contradict each other.
    private mutating func peel(from first: Int) -> Bool {
        var pending = Array(first..<cells.count)
        while let index = pending.popLast() {
            let cell = cells[index]
            guard cell.count == 1 || cell.count == -1, local.hash.hash(cell.sum) == cell.check else { continue }
            guard found.count < cells.count else { return false }
            var item = FoundItem(
                item: cell.sum, check: cell.check, copies: cell.count, indices: SymbolIndices(check: cell.check))
            pending += item.takeOut(of: &cells)
            // An honest symbol holds only items that map to it, so this one must be empty now.
            guard cells[index] == .zero else { return false }
            found.append(item)
        }
        return true
    }

    private func verdict() -> Outcome {
        if cells.allSatisfy({ $0 == .zero }) || (planted(.decodeUnchecked) && received >= 16) {
            guard !cells.isEmpty else { return .needsMore }
            let difference = SetDifference(
                onlyHere: found.filter { $0.copies < 0 }.map(\.item),
                onlyThere: found.filter { $0.copies > 0 }.map(\.item))
            return difference.repeatsAnItem ? .failed(.inconsistent) : .decoded(difference)
        }
        // Symbol 0 holds every item: when it is empty, nothing can be left in the others.
        if cells[0] == .zero { return .failed(.inconsistent) }
        return received == local.symbols.count ? .failed(.exhausted) : .needsMore
    }
}
