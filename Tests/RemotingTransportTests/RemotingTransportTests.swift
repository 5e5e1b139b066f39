import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

/// Answers code 1 with its own body reversed, code 2 never, code 3 with garbage, code 4 by closing; code 5 is answered
/// and followed by a request of the server's own.
private final class Peer: RemotingServerHandler {
    var received: [Int32] = []
    var closed = 0

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        received.append(command.code)
        switch command.code {
        case 1: peer.send(.response(to: command, code: 0, body: command.body.reversed()))
        case 4: peer.close()
        case 5:
            peer.send(.response(to: command, code: 0))
            peer.send(RemotingCommand(request: 40, fields: ["consumerGroup": "G"]))
        default: break
        }
    }

    func closed(_ peer: RemotingPeer) { closed += 1 }
}

/// Sends bytes that are no frame to whoever connects.
private final class Babbler: ListenerHandler, StreamHandler {
    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { self }
    func streamOpened(_ stream: any ByteStream) { [UInt8](repeating: 0xFF, count: 16).withUnsafeBytes(stream.write) }
    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption { Consumption(consumed: bytes.count) }
    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {}
}

@Suite struct RemotingTransportTests {
    private static let anyPort = Address(host: "127.0.0.1", port: 0)
    private typealias Answer = Result<RemotingCommand, RemotingCallError>

    /// Runs `body` against a fresh server; it must stop the loop.
    private func withServer(
        options: RemotingConnectionOptions = .init(),
        _ body: (EventLoop, Peer, RemotingServer, RemotingConnection) throws -> Void
    ) throws {
        let loop = try EventLoop()
        let peer = Peer()
        let server = try RemotingServer(platform: loop, address: Self.anyPort, handler: peer)
        let connection = RemotingConnection(platform: loop, address: server.address, options: options)
        try body(loop, peer, server, connection)
        loop.run()
        withExtendedLifetime((peer, server, connection)) {}
    }

    @Test func manyCallsAreAnsweredEachWithItsOwn() throws {
        var answered: [Int] = []
        try withServer { loop, _, _, connection in
            for index in 0..<1_000 {
                let body = Array("\(index)".utf8)
                connection.call(RemotingCommand(request: 1, body: body), timeout: .seconds(30)) { result in
                    if case .success(let answer) = result, answer.body == body.reversed() { answered.append(index) }
                    if index == 999 { loop.stop() }
                }
            }
        }
        #expect(answered == Array(0..<1_000))
    }

    @Test func aCallWithoutAnswerTimesOutAndTheNextOneReconnects() throws {
        var results: [String] = []
        var closed = 0
        try withServer { loop, peer, _, connection in
            connection.call(RemotingCommand(request: 2), timeout: .milliseconds(30)) { result in
                if case .failure(.timeout) = result { results.append("timeout") }
            }
            connection.onClose = { _ in
                closed += 1
                // Stopping the loop closes the second connection too.
                guard closed == 1 else { return }
                connection.call(RemotingCommand(request: 1), timeout: .seconds(30)) { result in
                    if case .success = result { results.append("answered") }
                    loop.stop()
                }
            }
        }
        #expect(results == ["timeout", "answered"])
    }

    @Test func aCallMadeInTheCompletionOfATimeoutIsAnswered() throws {
        var answered = false
        try withServer { loop, _, _, connection in
            connection.call(RemotingCommand(request: 2), timeout: .milliseconds(30)) { _ in
                connection.call(RemotingCommand(request: 1), timeout: .seconds(30)) { result in
                    if case .success = result { answered = true }
                    loop.stop()
                }
            }
        }
        #expect(answered)
    }

    @Test func callsFailWhenThePeerCloses() throws {
        var results: [RemotingCallError] = []
        try withServer { loop, _, _, connection in
            connection.onClose = { _ in loop.stop() }
            for code in [2, 4] as [Int32] {
                connection.call(RemotingCommand(request: code), timeout: .seconds(30)) { result in
                    if case .failure(let error) = result { results.append(error) }
                }
            }
        }
        #expect(results == [.closed(.endOfStream), .closed(.endOfStream)])
    }

    @Test func nobodyListensThere() throws {
        let loop = try EventLoop()
        let peer = Peer()
        let server = try RemotingServer(platform: loop, address: Self.anyPort, handler: peer)
        let connection = RemotingConnection(platform: loop, address: server.address)
        server.close()
        var answer: Answer?
        connection.call(RemotingCommand(request: 1), timeout: .seconds(30)) {
            answer = $0
            loop.stop()
        }
        loop.run()
        guard case .failure(.closed(.system(let error))) = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
        #expect(error.name == "ECONNREFUSED")
    }

    @Test func bytesThatAreNoFrameFailTheCall() throws {
        let loop = try EventLoop()
        let babbler = Babbler()
        let listener = try loop.listen(at: Self.anyPort, options: StreamOptions(), handler: babbler)
        let connection = RemotingConnection(platform: loop, address: listener.address)
        var answer: Answer?
        connection.call(RemotingCommand(request: 1), timeout: .seconds(30)) {
            answer = $0
            loop.stop()
        }
        loop.run()
        guard case .failure(.malformed) = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
    }

    @Test func onewayRequestsAndRequestsOfThePeer() throws {
        var pushed: RemotingCommand?
        var seen: [Int32] = []
        try withServer { loop, peer, _, connection in
            connection.onRequest = { command in
                pushed = command
                seen = peer.received
                loop.stop()
            }
            connection.send(RemotingCommand(request: 7))
            connection.call(RemotingCommand(request: 5), timeout: .seconds(30)) { _ in }
        }
        #expect(seen == [7, 5])
        #expect(pushed?.code == 40)
        #expect(pushed?["consumerGroup"] == "G")
    }

    @Test func theCallLimitHolds() throws {
        var refused = 0
        var options = RemotingConnectionOptions()
        options.callLimit = 3
        try withServer(options: options) { loop, _, _, connection in
            for _ in 0..<5 {
                connection.call(RemotingCommand(request: 2), timeout: .seconds(30)) { result in
                    if case .failure(.tooManyCalls) = result { refused += 1 }
                }
            }
            connection.close()
            loop.stop()
        }
        #expect(refused == 2)
    }
}
