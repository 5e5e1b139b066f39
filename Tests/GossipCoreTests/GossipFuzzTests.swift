import Basics
import Foundation
import Testing

@testable import GossipCore

/// 100,000 frames in all; the environment variable `HEARSAY_FUZZ_FRAMES` names another number.
@Suite("Gossip among hostile peers")
struct GossipFuzzTests {
    private static let runs = 10
    private static let frames =
        (ProcessInfo.processInfo.environment["HEARSAY_FUZZ_FRAMES"].flatMap { Int($0) } ?? 100_000) / runs

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
        // The attack got somewhere, in all modes: exchanges, comparisons, refused frames.
        #expect(peers.core.counters.exchanges > 100 && peers.core.counters.reconciliations > 10)
        #expect(peers.core.counters.malformedFrames > 10 && peers.core.counters.unsolicitedAnswers > 10)
        if peers.core.settings.mode >= .protect { #expect(peers.core.counters.holds > 0) }
    }
}
