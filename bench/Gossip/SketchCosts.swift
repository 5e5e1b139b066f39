import Basics
import GossipCore

// The arithmetic of finding differences (G2): an update of the sketch, and decoding.

extension GossipBench {
    /// CPU time of an update and of decoding 1,000 differences, the median of `repeats`.
    public static func sketchCosts(brokers: Int, differences: Int, repeats: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "sketch", "CPU of the sketch, \(brokers) brokers (minimum and median of \(repeats))",
            columns: ["work", "minimum us", "median us"])
        let hash = KeyedHash(low: seed, high: 2)
        var random = SeededGenerator(seed: seed)
        var (updates, decodes) = (Sample(), Sample())
        for _ in 0..<repeats {
            let shared = (0..<brokers).map { _ in random.next() }
            var here = Sketch(hash: hash)
            let begin = threadNanoseconds()
            for item in shared { here.insert(item) }
            updates.add(Double(threadNanoseconds() - begin) / Double(brokers) / 1_000)
            var there = here
            for _ in 0..<differences / 2 { here.insert(random.next()) }
            for _ in 0..<differences - differences / 2 { there.insert(random.next()) }
            decodes.add(Double(decode(here, there, differences)) / 1_000)
        }
        section.add(
            "one update (a broker comes or goes)", .hundredths(updates.quantile(0.001)),
            .hundredths(updates.quantile(0.5)))
        section.add(
            "decoding \(differences) differences", .tenths(decodes.quantile(0.001)), .tenths(decodes.quantile(0.5)))
        section.goal("G2 an update, us", updates.quantile(0.5), atMost: 2)
        section.goal("G2 decoding \(differences) differences, us", decodes.quantile(0.5), atMost: 2_000)
        return section
    }

    private static func decode(_ here: Sketch, _ there: Sketch, _ differences: Int) -> Int {
        let begin = threadNanoseconds()
        var decoder = SketchDecoder(local: here)
        while decoder.outcome == .needsMore {
            decoder.receive(there.run(from: decoder.received, count: decoder.received == 0 ? 1 : 512))
        }
        let end = threadNanoseconds()
        guard case .decoded(let difference) = decoder.outcome, difference.count == differences else {
            preconditionFailure("\(differences) differences did not decode: \(decoder.outcome)")
        }
        return end - begin
    }
}
