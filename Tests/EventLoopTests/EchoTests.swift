import Basics
import Platform
import Testing

@testable import EventLoop

/// Frames of the tests: four bytes of length, big-endian, and as many bytes.
func frame(_ payload: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(payload.count).bigEndian) { [UInt8]($0) } + payload
}

/// Echoes whole frames, and says how long the one is that has not arrived yet.
func framedEcho(_ seen: @escaping (Int) -> Void = { _ in }) -> TestHandler {
    let handler = TestHandler()
    handler.onBytes = { _, bytes, output in
        var reader = ByteReader(bytes)
        var consumed = 0
        while let length = reader.readInteger(UInt32.self) {
            guard reader.readBytes(Int(length)) != nil else {
                return Consumption(consumed: consumed, needed: 4 + Int(length))
            }
            output.append(UnsafeRawBufferPointer(rebasing: bytes[consumed..<reader.position]))
            consumed = reader.position
            seen(Int(length))
        }
        return Consumption(consumed: consumed, needed: 4)
    }
    return handler
}

@Suite struct EchoTests {
    /// Sent as one piece through an echoing server; every byte comes back in order.
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

    @Test func echoesFramesThatDripByteByByte() throws {
        let sent = frame(pattern(40)) + frame([]) + frame(pattern(300))
        try withLoop { loop in
            var lengths: [Int] = []
            let server = framedEcho { lengths.append($0) }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                for byte in sent { client.send([byte]) }
                let received = client.receive(sent.count)
                client.close()
                return received
            } completion: { received in
                #expect(received == sent)
                #expect(lengths == [40, 0, 300])
                // With `needed` the handler hears of a frame's length, and of its end: not of every byte.
                #expect(server.calls <= 6)
                #expect(loop.liveBlocks == 0)
                loop.stop()
            }
        }
    }

    /// Frames around the sizes where reading changes from the loop's buffer to the stream's block.
    @Test(arguments: [[32 << 10, 1], [(32 << 10) - 5, 9, (64 << 10) - 4, 64 << 10], [300 << 10, 5], [17 << 20, 3]])
    func echoesLargeFrames(sizes: [Int]) throws {
        let sent = sizes.flatMap { frame(pattern($0)) }
        try withLoop { loop in
            var lengths: [Int] = []
            let listener = try loop.listen { _ in framedEcho { lengths.append($0) } }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                let reader = TestThread { client.receive(sent.count) }
                client.send(sent)
                let received = reader.join()
                client.close()
                return received == sent
            } completion: { same in
                #expect(same)
                #expect(lengths == sizes)
                #expect(loop.liveBlocks == 0)
                loop.stop()
            }
        }
    }

    @Test func answersPipelinedRequestsWithOneWrite() throws {
        let sent = (0..<100).flatMap { frame([UInt8]([UInt8($0), 1, 2])) }
        try withLoop { loop in
            let server = framedEcho()
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send(sent)
                let first = client.receiveOnce()
                client.close()
                return first
            } completion: { first in
                #expect(first == sent)
                #expect(server.calls == 1)
                loop.stop()
            }
        }
    }

    /// What `write` was given inside `received` follows what was appended to the output.
    @Test func ordersWritesBehindOutput() throws {
        try withLoop { loop in
            let listener = try loop.listen { _ in
                let server = TestHandler()
                server.onBytes = { stream, bytes, output in
                    stream.write("B")
                    output.append("A1" as StaticString)
                    #expect(stream.unsentBytes == 1)
                    stream.write("C")
                    output.append("A2" as StaticString)
                    return Consumption(consumed: bytes.count)
                }
                return server
            }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send([1])
                let received = client.receive(6)
                client.close()
                return received
            } completion: { received in
                #expect(received == [UInt8]("A1A2BC".utf8))
                loop.stop()
            }
        }
    }

    /// Ids are unique; both ends know both addresses.
    @Test func knowsAddresses() throws {
        try withLoop { loop in
            var accepted: (any ByteStream)?
            let listener = try loop.listen { stream in
                accepted = stream
                return TestHandler()
            }
            let client = TestHandler()
            client.onClose = { stream, _ in
                #expect(stream.localAddress == nil)
                #expect(stream.remoteAddress == listener.address)
                loop.stop()
            }
            let stream = loop.connect(to: listener.address, client)
            #expect(stream.localAddress == nil)
            var check: (any PlatformTimer)?
            check = loop.makeTimer {
                guard let server = accepted, client.opened == 1 else {
                    check?.start(at: loop.now + .milliseconds(1))
                    return
                }
                #expect(server.id != stream.id && server.id > 0 && stream.id > 0)
                #expect(server.remoteAddress == stream.localAddress)
                #expect(server.localAddress == listener.address)
                #expect(loop.openStreams == 2)
                check = nil
                accepted = nil
                stream.close()
                stream.close()
            }
            check?.start(at: loop.now)
        }
    }
}
