import Basics
import Platform
import Testing

@testable import EventLoop

@Suite struct TimerTests {
    /// Five hundred timers, started in random order, many of them within one millisecond: they fire in the order of
    /// their deadlines, equal ones in the order of their starts, and never early.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func firesInOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try withLoop { loop in
            let start = loop.now
            var fired: [(deadline: Instant, start: Int)] = []
            var timers: [any PlatformTimer] = []
            let count = 500
            for number in 0..<count {
                // A step of 0.1 ms over 20 ms.
                let deadline = start + .microseconds(100 * Int64.random(in: 0..<200, using: &random))
                let timer = loop.makeTimer {
                    #expect(loop.now >= deadline)
                    fired.append((deadline, number))
                    if fired.count == count { loop.stop() }
                }
                timer.start(at: deadline)
                timers.append(timer)
            }
            timers.append(
                loop.after(.seconds(5)) {
                    Issue.record("seed \(seed): only \(fired.count) of \(count) fired")
                    loop.stop()
                })
            loop.run()
            #expect(zip(fired, fired.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
            #expect(fired.count == count)
            timers = []
        }
    }

    /// One that is due at once when it is started, even by a timer: it fires in the next turn, without waiting for libuv's next
    /// millisecond, and streams are served before it.
    @Test func firesInTheNextTurn() throws {
        try withLoop { loop in
            var (turns, echoes) = (0, 0)
            let begin = loop.now
            let listener = try loop.listen { _ in TestHandler.echo() }
            let client = TestHandler()
            client.onOpen = { $0.write("?") }
            client.onBytes = { _, bytes, output in
                echoes += 1
                output.append(bytes)
                return Consumption(consumed: bytes.count)
            }
            loop.connect(to: listener.address, client)
            var timer: (any PlatformTimer)?
            timer = loop.makeTimer {
                turns += 1
                if turns < 5_000 || echoes < 50 { timer?.start(at: loop.now) } else { loop.stop() }
            }
            timer?.start(at: loop.now)
            loop.run()
            timer = nil
            // Of milliseconds it would be five seconds; a busy machine stays far below.
            #expect(turns >= 5_000 && echoes >= 50, "\(loop.now - begin)")
        }
    }

    /// Random starts, restarts, cancels and releases against a plain list of what must fire.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func restartsAndCancels(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try withLoop { loop in
            let start = loop.now
            var expected: [Int: Instant] = [:]
            var fired: [Int: Instant] = [:]
            var timers: [(any PlatformTimer)?] = []
            for number in 0..<100 {
                timers.append(
                    loop.makeTimer {
                        #expect(fired[number] == nil, "seed \(seed): \(number) fired twice")
                        fired[number] = loop.now
                    })
            }
            for _ in 0..<2000 {
                let number = Int.random(in: 0..<100, using: &random)
                switch Int.random(in: 0..<20, using: &random) {
                case 0:
                    timers[number] = nil
                    expected[number] = nil
                case 1..<6:
                    timers[number]?.cancel()
                    expected[number] = nil
                default:
                    let deadline = start + .microseconds(Int64.random(in: 0..<20_000, using: &random))
                    timers[number]?.start(at: deadline)
                    if timers[number] != nil { expected[number] = deadline }
                }
            }
            var end: (any PlatformTimer)?
            end = loop.makeTimer {
                end = nil
                timers = []
                #expect(fired.keys.sorted() == expected.keys.sorted(), "seed \(seed)")
                #expect(fired.allSatisfy { expected[$0.key]! <= $0.value }, "seed \(seed)")
                loop.stop()
            }
            end?.start(at: start + .milliseconds(21))
        }
    }

    /// Inside its own handler a timer may start again, cancel others, and be released.
    @Test func changesInsideHandlers() throws {
        try withLoop { loop in
            var rounds = 0
            var again: (any PlatformTimer)?
            let cancelled = loop.makeTimer { Issue.record("a cancelled timer fired") }
            again = loop.makeTimer {
                rounds += 1
                cancelled.cancel()
                if rounds < 100 { return again!.start(at: .zero) }
                again = nil
                loop.stop()
            }
            let due = loop.now
            again?.start(at: due)
            // Due in the same turn, after the one that cancels it.
            cancelled.start(at: due)
        }
    }

    /// A timer that is always due leaves the rest of the loop its turns.
    @Test func doesNotStarveStreams() throws {
        try withLoop { loop in
            var always: (any PlatformTimer)?
            always = loop.makeTimer { always?.start(at: .zero) }
            always?.start(at: .zero)
            let listener = try loop.listen { _ in TestHandler.echo() }
            let client = TestHandler()
            client.onOpen = { $0.write("x") }
            client.onBytes = { _, bytes, _ in
                always = nil
                loop.stop()
                return Consumption(consumed: bytes.count)
            }
            loop.connect(to: listener.address, client)
        }
    }

    @Test func readsBothClocks() throws {
        try withLoop { loop in
            let (first, second) = (loop.now, loop.now)
            #expect(first <= second && first > .zero)
            // After 2020, before 2100.
            #expect((1_577_836_800_000..<4_102_444_800_000).contains(loop.wallTime.milliseconds))
            let never = loop.makeTimer { Issue.record("the distant future is here") }
            never.start(at: .distantFuture)
            loop.stop()
        }
    }
}
