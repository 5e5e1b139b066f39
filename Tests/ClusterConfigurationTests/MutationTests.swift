import Basics
import Testing

@testable import ClusterConfiguration

/// Whatever happens to the bytes of cluster.yaml, reading it ends with a value or with faults, never with a crash.
struct MutationTests {
    /// A failing seed is replayed by putting it in place of the random one.
    @Test func neverCrashes() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let original = try ConfigurationFile.read(ShippedFileTests.path)
        let withoutComments = Array(
            try ShippedFileTests.lines().filter { !$0.drop { $0 == " " }.hasPrefix("#") }.joined(separator: "\n").utf8)
        var refused = 0
        let rounds = 2000
        for round in 0..<rounds {
            var bytes = round % 4 == 0 ? original : withoutComments
            for _ in 0..<Int.random(in: 1...8, using: &generator) { mutate(&bytes, &generator) }
            do {
                _ = try ClusterConfiguration.parse(bytes: bytes, fileName: "c.yaml")
            } catch {
                refused += 1
                #expect(!error.errors.isEmpty, "seed \(seed), round \(round)")
                for fault in error.errors {
                    #expect(!fault.message.isEmpty, "seed \(seed), round \(round)")
                    #expect(fault.line ?? 1 >= 1, "seed \(seed), round \(round)")
                }
            }
        }
        #expect(refused > rounds / 4, "seed \(seed): mutations hit nothing; \(refused) refused")
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(Array("-:{}[]&*!|>'\"%@`#,?\t\n ~".utf8).randomElement(using: &generator)!, at: place)
        case 3: bytes.removeSubrange(place..<min(place + 40, bytes.count))
        case 4: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &generator))
        }
    }
}
