import Basics
import GossipCore

/// Two random sets with a known difference, and their sketches.
struct RandomSets {
    var here: Sketch
    var there: Sketch
    let difference: SetDifference

    /// `shared` items on both sides, `onlyHere` and `onlyThere` on one.
    init(
        seed: UInt64, shared: Int, onlyHere: Int, onlyThere: Int, length: Int = SketchLimits.symbols,
        hash: KeyedHash = TestVectors.hash
    ) {
        var generator = SeededGenerator(seed: seed)
        func items(_ count: Int) -> [UInt64] { (0..<count).map { _ in generator.next() } }
        let common = items(shared)
        difference = SetDifference(onlyHere: items(onlyHere), onlyThere: items(onlyThere))
        here = Sketch(hash: hash, length: length)
        there = Sketch(hash: hash, length: length)
        for item in common {
            here.insert(item)
            there.insert(item)
        }
        for item in difference.onlyHere { here.insert(item) }
        for item in difference.onlyThere { there.insert(item) }
    }
}

extension SketchDecoder {
    /// Receives the peer's symbols in runs of `step` until there is an outcome or none are left.
    mutating func receiveAll(of peer: Sketch, step: Int) -> Outcome {
        while outcome == .needsMore, received < peer.symbols.count {
            receive(peer.run(from: received, count: step))
        }
        return outcome
    }
}
