import Basics
import EventLoop
import Platform
import Testing

@Suite struct EchoTests {
    /// Sent as one piece, in the size given, through an echoing server; every byte comes back in order.
    @Test(arguments: [1, 127, 64 << 10, (64 << 10) + 1, 3 << 20, 17 << 20])
    func echoesWhole(size: Int) throws {
        let sent = pattern(size)
        try withLoop { loop in
            let listener = try loop.listen { _ in TestHandler.echo() }
            var received: [UInt8] = []
            let client = TestHandler()
            client.onOpen = { $0.write(sent) }
            client.onBytes = { stream, bytes, _ in
                received.append(contentsOf: bytes)
                if received.count >= size { stream.close() }
                return Consumption(consumed: bytes.count)
            }
            client.onClose = { _, reason in
                #expect(reason == .local)
                let same = received == sent
                #expect(same, "\(received.count) bytes of \(size)")
                loop.stop()
            }
            loop.connect(to: listener.address, client)
        }
    }
}
