import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct ConnectTests {
    /// A port that nobody listens on: a listener had it a moment ago.
    private func closedPort(_ loop: EventLoop) throws -> Address {
        let listener = try loop.listen { _ in nil }
        listener.close()
        return listener.address
    }

    @Test func tellsOfARefusal() throws {
        try withLoop { loop in
            let address = try closedPort(loop)
            let client = TestHandler()
            var isLater = false
            client.onClose = { stream, reason in
                #expect(isLater && client.opened == 0)
                let expected = PlatformError(
                    operation: "connect to \(address)", name: "ECONNREFUSED", message: "connection refused")
                #expect(reason == .system(expected))
                loop.stop()
            }
            loop.connect(to: address, client).write("never sent")
            isLater = true
        }
    }

    /// An address that answers nothing: a full queue of accepted connections makes the kernel drop new ones in silence.
    private func withSilentAddress(_ body: (Address) throws -> Void) rethrows {
        let full = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(full) }
        let bound = SocketAddress(numeric: anyLoopbackPort)!.withSockaddr { bind(full, $0, $1) }
        #expect(bound == 0 && listen(full, 0) == 0)
        let address = SocketAddress.local(of: full)!.address
        let filler = RawClient(address)
        defer { filler.close() }
        try body(address)
    }

    @Test func givesUpAfterTheTimeout() throws {
        try withSilentAddress { address in
            try withLoop { loop in
                let client = TestHandler()
                let start = loop.now
                client.onClose = { _, reason in
                    #expect(reason == .connectTimeout)
                    #expect(loop.now - start >= .milliseconds(100) && client.opened == 0)
                    loop.stop()
                }
                _ = loop.connect(to: address, timeout: .milliseconds(100), options: .init(), handler: client)
            }
        }
    }

    /// A silent address costs its share of the time only.
    @Test func triesTheNextAddressAfterSilence() throws {
        try withSilentAddress { silent in
            try withLoop { loop in
                let listener = try loop.listen { _ in TestHandler() }
                let client = TestHandler()
                client.onOpen = { _ in loop.stop() }
                client.onClose = { _, reason in #expect(reason == .local) }
                attempt([silent, listener.address], on: loop, timeout: .seconds(1), client)
            }
        }
    }

    /// Names are looked up, and all of their addresses tried: `localhost` may be `::1` first, where nobody listens.
    @Test func looksUpNames() throws {
        try withLoop { loop in
            let listener = try loop.listen { _ in TestHandler.echo() }
            let address = Address(host: "localhost", port: listener.address.port)
            let client = TestHandler()
            client.onOpen = { stream in
                #expect(stream.remoteAddress == address)
                #expect(stream.localAddress?.host == "127.0.0.1")
            }
            client.onBytes = { stream, bytes, _ in
                #expect(bytes.elementsEqual("early".utf8))
                stream.close()
                return Consumption(consumed: bytes.count)
            }
            client.onClose = { _, reason in
                #expect(reason == .local)
                loop.stop()
            }
            // Before the stream is up, bytes wait.
            let stream = loop.connect(to: address, client)
            stream.write("ear")
            stream.write("ly")
            #expect(stream.unsentBytes == 5)
        }
    }

    @Test func triesEveryAddress() throws {
        try withLoop { loop in
            let refused = try closedPort(loop)
            let listener = try loop.listen { _ in TestHandler() }
            let client = TestHandler()
            client.onOpen = { _ in loop.stop() }
            client.onClose = { _, reason in #expect(reason == .local) }
            attempt([refused, refused, listener.address, refused], on: loop, timeout: .seconds(10), client)
        }
    }

    /// Closed between two attempts, when the handle is in the middle of being renewed.
    @Test func closesWhileTryingAddresses() throws {
        try withSilentAddress { silent in
            try withLoop { loop in
                let client = TestHandler()
                client.onClose = { _, reason in
                    #expect(reason == .local && client.opened == 0)
                    loop.stop()
                }
                let start = loop.now
                let stream = attempt([silent, silent], on: loop, timeout: .milliseconds(100), client)
                // The first attempt ends after 50 ms; both timers are due when the loop looks next.
                var timers: [any PlatformTimer] = []
                timers.append(
                    loop.after(.milliseconds(20)) {
                        while loop.now < start + .milliseconds(70) {}
                    })
                timers.append(
                    loop.after(.milliseconds(65)) {
                        #expect(stream.isHandleClosing)
                        stream.close()
                        timers = []
                    })
            }
        }
    }

    /// Connects to these addresses as if a name had them all.
    @discardableResult
    private func attempt(
        _ addresses: [Address], on loop: EventLoop, timeout: Duration, _ handler: TestHandler
    ) -> TCPStream {
        let stream = TCPStream(on: loop, remote: addresses[0], group: StreamGroup(.init(), nil), handler: handler)
        let connector = Connector(stream, deadline: loop.now + timeout)
        stream.transition.connector = connector
        connector.attempt(addresses.map { SocketAddress(numeric: $0)! }[...])
        return stream
    }

    @Test func tellsOfANameThatIsNone() throws {
        try withLoop { loop in
            let client = TestHandler()
            client.onClose = { _, reason in
                guard case .system(let error) = reason else { return #expect(Bool(false), "\(reason)") }
                #expect(error.operation.hasPrefix("look up "))
                #expect(client.opened == 0)
                loop.stop()
            }
            loop.connect(to: Address(host: "not a name", port: 1), client)
        }
    }

    /// `closeAfterWriting` before the stream is up: what was written is sent, then it closes.
    @Test func closesAfterEarlyWrites() throws {
        try withLoop { loop in
            var received: [UInt8] = []
            let server = TestHandler()
            server.onBytes = { _, bytes, _ in
                received += bytes
                return Consumption(consumed: bytes.count)
            }
            server.onClose = { _, reason in
                #expect(reason == .endOfStream)
                #expect(received == [UInt8]("farewell".utf8))
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            let stream = loop.connect(to: listener.address, TestHandler())
            stream.write("farewell")
            stream.closeAfterWriting()
        }
    }
}
