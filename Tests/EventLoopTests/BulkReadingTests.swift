import Basics
import Platform
import Testing

@testable import EventLoop

/// Hundreds of brokers may send megabytes at the same moment; what else the loop has to do gets its share.
@Suite struct BulkReadingTests {
    private static let frameBytes = 1 << 20
    private static let streams = 12

    /// A server whose handlers wait for whole frames, and tells of each that came.
    private func listen(on loop: EventLoop, frame: @escaping () -> Void) throws -> any Listener {
        try loop.listen { _ in
            let handler = TestHandler()
            handler.onBytes = { _, bytes, output in
                guard bytes[0] == 1 else {
                    output.append(bytes)
                    return Consumption(consumed: bytes.count)
                }
                guard bytes.count >= Self.frameBytes else {
                    return Consumption(consumed: 0, needed: Self.frameBytes)
                }
                frame()
                return Consumption(consumed: Self.frameBytes)
            }
            return handler
        }
    }

    private func clients(of address: Address) -> [TestThread<Void>] {
        (0..<Self.streams).map { _ in
            TestThread {
                let client = RawClient(address)
                client.send([UInt8](repeating: 1, count: Self.frameBytes))
                _ = client.receive(1)
                client.close()
            }
        }
    }

    /// A timer that is due in every turn counts the turns: no turn hands out more than one large frame.
    @Test func largeFramesShareATurn() throws {
        try withLoop { loop in
            var (frames, inThisTurn, most) = (0, 0, 0)
            let listener = try listen(on: loop) {
                frames += 1
                inThisTurn += 1
                most = max(most, inThisTurn)
                if frames == Self.streams { loop.stop() }
            }
            var turn: (any PlatformTimer)?
            turn = loop.makeTimer {
                inThisTurn = 0
                turn?.start(at: loop.now)
            }
            turn?.start(at: loop.now)
            let clients = clients(of: listener.address)
            loop.run()
            for client in clients { client.join() }
            #expect(frames == Self.streams)
            // A frame may have been all but whole when the share was used up by another.
            #expect(most <= 2)
            turn = nil
        }
    }

    /// A small request is answered though large frames keep arriving: it waits for no share.
    @Test func smallReadsGoOn() throws {
        try withLoop { loop in
            var (frames, echoes) = (0, 0)
            var echoesAtFrame: [Int] = []
            let listener = try listen(on: loop) {
                frames += 1
                echoesAtFrame.append(echoes)
            }
            let small = TestHandler()
            small.onOpen = { $0.write("?") }
            small.onBytes = { stream, bytes, output in
                echoes += bytes.count
                if frames == Self.streams { loop.stop() } else { output.append(bytes) }
                return Consumption(consumed: bytes.count)
            }
            loop.connect(to: listener.address, small)
            let clients = clients(of: listener.address)
            loop.run()
            for client in clients { client.join() }
            #expect(Set(echoesAtFrame).count > Self.streams / 2, "\(echoesAtFrame)")
        }
    }
}
