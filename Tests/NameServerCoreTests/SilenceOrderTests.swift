import Basics
import Remoting
import Testing

@testable import NameServerCore

/// Who is late is found by looking at nobody else, and found whoever it is.
@Suite struct SilenceOrderTests {
    @Test("As a look at everybody would find it", arguments: 1...8 as ClosedRange<UInt64>)
    func isComplete(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let node = CoreNode(tracking: KeyedHash(low: 5, high: 6))
        let timeouts: [Int64?] = [nil, 10_000, 120_000, 600_000, 0, -5, .max, 45]
        var found = 0
        for _ in 0..<2_000 {
            node.pass(.milliseconds(Int.random(in: 0...3_000, using: &random)))
            let number = Int.random(in: 0..<40, using: &random)
            let registration = Registration().with {
                ($0.name, $0.address) = ("b-\(number)", "10.0.0.\(number):10911")
                $0.timeoutMillis = timeouts[number % timeouts.count]
            }
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4: node.register(registration, from: UInt64(number + 1))
            case 5...6:
                _ = node.call(
                    RequestCode.brokerHeartbeat, ["clusterName": "C", "brokerAddr": registration.address ?? ""])
            case 7: _ = node.unregister(registration.address ?? "", name: registration.name ?? "")
            case 8: node.close(UInt64(number + 1))
            default: if Int.random(in: 0..<8, using: &random) == 0 { node.scan() }
            }
            _ = node.takeDirectives()
            let now = node.now
            let late = node.core.firstHandTokens.filter { token in
                guard let hearing = node.core.hearing(of: token) else { return false }
                let tolerance = Silence.unusual(
                    interval: hearing.interval.wholeNanoseconds, timeout: hearing.timeout.wholeNanoseconds)
                return hearing.lastHeard.advanced(byNanoseconds: tolerance) <= now
            }
            let told = node.core.lateReplicas(at: now)
            #expect(Set(told) == Set(late) && told.count == late.count)
            found += told.count
        }
        #expect(found > 1_000)
    }

    @Test("None that keeps to its interval is looked at, however long it is")
    func looksAtNobodyElse() {
        var order = SilenceOrder()
        var heard: [Instant] = []
        // Intervals from 1 ms to a day, each a few per cent above the last one; all were heard an interval ago.
        var interval = 1_000_000.0
        let now = Instant(nanoseconds: 1 << 50)
        while interval < 86_400e9 {
            let id = LiveID(number: UInt32(heard.count))
            order.heard(id, tolerance: Silence.unusual(interval: Int64(interval), timeout: Int64(interval) * 4))
            heard.append(now.advanced(byNanoseconds: -Int64(interval)))
            interval *= 1.03
        }
        var looks = 0
        let found = order.candidates(at: now) {
            looks += 1
            return heard[$0.index]
        }
        #expect(found.isEmpty)
        // One for each list.
        #expect(looks < 256 && looks < heard.count / 3)
    }

    @Test("Without gossip nothing is kept")
    func untracked() {
        let node = CoreNode()
        node.register()
        node.pass(.seconds(100))
        #expect(node.core.lateReplicas(at: node.now).isEmpty)
    }
}
