import Basics

/// All that is to be known of one key: the write with the highest stamp, or what was there before writes were stamped.
///
/// `join` is the least upper bound of a lattice, so it is commutative, associative and idempotent: operations may come in
/// any order, over any way and any number of times. Deletions are writes without a value. What was there before is older than every
/// stamped write; two different old values do not decide each other: the key is contested until somebody writes it.
enum KeyValueRegister: Hashable, Sendable {
    /// A value, or none, and the node that wrote it.
    struct Claim: Hashable, Sendable {
        var value: String?
        var node: String

        /// By bytes; no value is the greatest, so that of two writes of one stamp a deletion wins.
        func precedes(_ other: Claim) -> Bool {
            switch (value, other.value) {
            case (let mine?, let theirs?) where !mine.utf8.elementsEqual(theirs.utf8):
                mine.utf8.lexicographicallyPrecedes(theirs.utf8)
            case (.some, nil): true
            case (nil, .some): false
            default: node.utf8.lexicographicallyPrecedes(other.node.utf8)
            }
        }

        func hasValue(of other: Claim) -> Bool {
            switch (value, other.value) {
            case (let mine?, let theirs?): mine.utf8.elementsEqual(theirs.utf8)
            case (nil, nil): true
            default: false
            }
        }
    }

    /// The highest stamp.
    case written(stamp: UInt64, Claim)
    /// Nothing is stamped: the least and the greatest value that some node had before.
    case unstamped(lowest: Claim, highest: Claim)

    init(_ operation: KVOperation) {
        let claim = Claim(value: operation.value, node: operation.node)
        self =
            operation.hlc == 0
            ? .unstamped(lowest: claim, highest: claim) : .written(stamp: operation.hlc, claim)
    }

    /// 0 for what was there before.
    var stamp: UInt64 { if case .written(let stamp, _) = self { stamp } else { 0 } }

    var isContested: Bool {
        if case .unstamped(let lowest, let highest) = self { !lowest.hasValue(of: highest) } else { false }
    }

    var isDeletion: Bool { if case .written(_, let claim) = self { claim.value == nil } else { false } }

    /// What the key should be; nil while it is contested.
    var winner: Claim? {
        switch self {
        case .written(_, let claim): claim
        case .unstamped(let lowest, _): isContested ? nil : lowest
        }
    }

    /// Says whether anything is new.
    @discardableResult
    mutating func join(_ other: KeyValueRegister) -> Bool {
        switch (self, other) {
        case (.written(let stamp, let mine), .written(let otherStamp, let theirs)):
            let isLater =
                if stamp != otherStamp {
                    stamp < otherStamp
                } else if !mine.node.utf8.elementsEqual(theirs.node.utf8) {
                    mine.node.utf8.lexicographicallyPrecedes(theirs.node.utf8)
                } else {
                    mine.precedes(theirs)
                }
            guard isLater || (planted(.lastArrivalWins) && self != other) else { return false }
            self = other
        case (.written, .unstamped): return false
        case (.unstamped, .written): self = other
        case (.unstamped(let low, let high), .unstamped(let otherLow, let otherHigh)):
            guard otherLow.precedes(low) || high.precedes(otherHigh) else { return false }
            self = .unstamped(
                lowest: otherLow.precedes(low) ? otherLow : low, highest: high.precedes(otherHigh) ? otherHigh : high)
        }
        return true
    }

    /// The operations that make another node's register at least this one.
    func operations(_ key: OperationLog.Key) -> [KVOperation] {
        func operation(_ claim: Claim) -> KVOperation {
            KVOperation(namespace: key.namespace, key: key.key, value: claim.value, hlc: stamp, node: claim.node)
        }
        switch self {
        case .written(_, let claim): return [operation(claim)]
        case .unstamped(let lowest, let highest):
            return lowest == highest ? [operation(lowest)] : [operation(lowest), operation(highest)]
        }
    }

    /// Bytes it holds, about.
    var size: Int {
        func size(_ claim: Claim) -> Int { (claim.value?.utf8.count ?? 0) + claim.node.utf8.count }
        return switch self {
        case .written(_, let claim): size(claim)
        case .unstamped(let lowest, let highest): size(lowest) + size(highest)
        }
    }
}
