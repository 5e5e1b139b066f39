import Basics
import Foundation
import Testing

@testable import GossipCore

/// Frames of real messages, damaged at random. What still decodes must be written in just these bytes.
///
/// 40,000 frames in all; the environment variable `HEARSAY_FUZZ_FRAMES` names another number (10 million take a minute
/// in release).
@Suite("Wire: mutated frames")
struct WireFuzzTests {
    private static let workers: UInt64 = 4
    private static let frames =
        ProcessInfo.processInfo.environment["HEARSAY_FUZZ_FRAMES"].flatMap { Int($0) } ?? 40_000

    @Test("never crash, and decode only when canonical", arguments: 1...workers)
    func mutated(seed: UInt64) {
        var mutator = FrameMutator(seed: seed)
        var accepted = Set<GossipMessage.Kind>()
        for round in 0..<WireFuzzTests.frames / Int(WireFuzzTests.workers) {
            mutator.mutate()
            do throws(GossipFormatError) {
                guard let message = try GossipMessage.decode(mutator.frame) else {
                    #expect(mutator.frame[4] > GossipFrame.version, "seed \(seed), round \(round)")
                    continue
                }
                accepted.insert(message.kind)
                // One comparison rather than an expectation each time: those are slow.
                if frame(message) != mutator.frame {
                    Issue.record("seed \(seed), round \(round): \(mutator.frame) decodes, but not to itself")
                }
            } catch {}
        }
        // A mutation of a number or word leaves a message of each kind in order; else nothing was tested.
        #expect(accepted == Set(GossipMessage.Kind.allCases), "seed \(seed)")
    }
}

/// Damages one frame after the other.
struct FrameMutator {
    private(set) var frame: [UInt8] = []
    private var random: RandomMessages
    private var seeds: [[UInt8]] = []

    init(seed: UInt64) {
        random = RandomMessages(seed: seed)
        seeds = WireSamples.all.map { GossipCoreTests.frame($0) }
    }

    /// Takes a frame, damages it in one to four places and, nine times in ten, mends its length.
    mutating func mutate() {
        // New messages now and then, else most of the time would go into making them.
        if number(63) == 0 {
            let kind = GossipMessage.Kind.allCases.randomElement(using: &random.generator)!
            let made = GossipCoreTests.frame(random.message(kind))
            if made.count < 600 { seeds[number(seeds.count - 1)] = made }
        }
        if number(255) == 0 { seeds = WireSamples.all.map { GossipCoreTests.frame($0) } }
        frame = seeds[number(seeds.count - 1)]
        for _ in 0...number(3) { damage() }
        guard frame.count >= 4, number(9) > 0 else { return }
        withUnsafeBytes(of: UInt32(frame.count).bigEndian) { frame.replaceSubrange(0..<4, with: $0) }
    }

    private mutating func damage() {
        guard !frame.isEmpty else { return }
        // Mostly in the payload: the header has its own table.
        let position = number(15) == 0 || frame.count <= 8 ? number(frame.count - 1) : 8 + number(frame.count - 9)
        switch number(9) {
        case 0: frame[position] ^= 1 << UInt8(number(7))
        case 1: frame[position] = [0, 1, 2, 3, 0x7F, 0x80, 0xFF].randomElement(using: &random.generator)!
        case 2: frame[position] &+= 1
        case 3: frame[position] &-= 1
        case 4: frame.removeLast(number(min(frame.count, 12)))
        case 5: frame.remove(at: position)
        case 6: frame.insert(byte(), at: position)
        case 7: frame.append(contentsOf: (0...number(7)).map { _ in byte() })
        case 8: splice(at: position)
        default: frame[position] = byte()
        }
    }

    /// Puts part of another frame in.
    private mutating func splice(at position: Int) {
        let other = seeds[number(seeds.count - 1)]
        let start = number(other.count - 1)
        let part = other[start..<min(other.count, start + 1 + number(40))]
        frame.replaceSubrange(position..<min(frame.count, position + number(part.count)), with: part)
    }

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0...limit, using: &random.generator) }

    private mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: random.generator.next()) }
}
