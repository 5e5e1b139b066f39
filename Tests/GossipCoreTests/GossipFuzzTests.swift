import Basics
import Foundation
import Testing

@testable import GossipCore

/// 40,000 frames in all; the environment variable `HEARSAY_FUZZ_FRAMES` names another number.
@Suite("Gossip among hostile peers")
struct GossipFuzzTests {
    private static let runs = 10
    private static let frames =
        (ProcessInfo.processInfo.environment["HEARSAY_FUZZ_FRAMES"].flatMap { Int($0) } ?? 40_000) / runs

    @Test("no crash, no growth, no life beyond its bound, nothing first-hand touched", arguments: 0..<runs)
    func hostile(seed: Int) {
        let peers = HostilePeers(mode: [.replicate, .protect, .observe][seed % 3], seed: UInt64(seed))
        var checkedAt = 0
        while peers.frames < Self.frames {
            peers.step()
            if peers.frames - checkedAt >= 2_000 {
                checkedAt = peers.frames
                peers.check()
            }
        }
        peers.check()
        let tally = peers.total
        if Self.frames > 10_000 { print("fuzz: seed \(seed), \(peers.frames) frames: \(tally)") }
        // The attack got somewhere, in all modes; each 2,000 frames at least so far.
        let times = Self.frames / 2_000
        #expect(tally.exchanges > 100 * times, "\(tally)")
        #expect(tally.adoptions > 50 * times && tally.trusted > 10 * times, "\(tally)")
        #expect(tally.decoded > 2 * times && tally.named > 5 * times, "\(tally)")
        #expect(tally.refused > 100 * times, "\(tally)")
        guard peers.core.settings.mode >= .protect else {
            #expect(tally.holds == 0 && tally.learned == 0, "\(tally)")
            return
        }
        #expect(tally.holds > 2 * times && tally.chunks > 0, "\(tally)")
        if peers.core.settings.mode == .replicate { #expect(tally.learned > times / 2, "\(tally)") }
    }
}
