import Glibc
import HTTPServer
import TestSupport
import Testing

/// Clients that are slow, greedy, silent or hostile; somebody who behaves is served all the while.
@Suite struct HostileTests {
    private func expectServing(_ server: ServerUnderTest) throws {
        #expect(try RawConnection.get("/hello", port: server.port).status == 200)
    }

    /// Refusals over the wire: an answer that says why, and the end of the connection.
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("\u{0}\u{1}\u{2}\r\n\r\n", 400),
        ("GET /%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (
            "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
                + String(repeating: "x", count: 100_000), 405
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET / HTT", 413),
        ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 20_000))", 431),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n", 431),
        ("GET / HTTP/3.0\r\n\r\n", 505),
    ])
    func refuses(_ request: String, _ status: Int) throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        try connection.send(request)
        let answer = try connection.receiveHTTP()
        #expect(answer.status == status && answer.text.hasPrefix("\(status) "), "\(answer)")
        #expect(answer.fields["connection"] == "close")
        #expect(answer.fields["allow"] == (status == 405 ? "GET, HEAD" : nil))
        try connection.expectClose()
        try expectServing(server)
    }

    /// Headers that never end, at any speed the server reads them: 431 after 16 KiB.
    @Test func endlessHeaders() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        try connection.send("GET / HTTP/1.1\r\nHost: a\r\n")
        let field = Array("X-Padding: \(String(repeating: "p", count: 1_000))\r\n".utf8)
        for _ in 0..<17 { try connection.send(field) }
        #expect(try connection.receiveHTTP().status == 431)
        try expectServing(server)
    }

    /// A head that comes byte by byte is answered 408 when its time is over; one that never begins is just closed.
    @Test func slowHeaders() throws {
        let server = try ServerUnderTest {
            $0.headTimeout = .milliseconds(300)
            $0.idleTimeout = .milliseconds(900)
        }
        let silent = try RawConnection(port: server.port)
        let slow = try RawConnection(port: server.port)
        var dripped = 0
        for byte in "GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            .utf8
        {
            guard (try? slow.send([byte])) != nil else { break }
            dripped += 1
            if slow.closes(within: .milliseconds(20)) { break }
        }
        #expect(dripped < 80)
        #expect(server.ask(\.counters).answers[.requestTimeout] == 1)
        try silent.expectClose()
        try expectServing(server)
    }

    /// Connections that say nothing, or half of something, fill the server; whoever comes with a request is served.
    @Test func connectionFlood() throws {
        let server = try ServerUnderTest { $0.connections = 16 }
        var flood: [RawConnection] = []
        for number in 0..<200 {
            let connection = try RawConnection(port: server.port)
            if number.isMultiple(of: 2) { try? connection.send("GET / HT") }
            flood.append(connection)
            if number.isMultiple(of: 20) { try expectServing(server) }
        }
        #expect(server.ask(\.openConnections) <= 16)
        #expect(poll { server.ask(\.counters).displacedConnections >= 184 })
        try expectServing(server)
        for connection in flood { connection.reset() }
        try expectServing(server)
        #expect(poll { server.ask(\.openConnections) == 0 })
    }

    /// When every connection is really in use, one more is told so.
    @Test func isFull() throws {
        let server = try ServerUnderTest {
            $0.connections = 4
            $0.eventStreams = 2
        }
        let readers = try (0..<2).map { _ in try RawConnection(port: server.port) }
        for reader in readers {
            try reader.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try reader.receiveHTTP().status == 200)
        }
        let third = try RawConnection(port: server.port)
        try third.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try third.receiveHTTP().status == 503)
        try third.expectClose()
        third.close()
        #expect(poll { server.ask(\.openConnections) == 2 })
        let askers = try (0..<2).map { _ in try RawConnection(port: server.port) }
        // Once the first of two requests that come together is answered, the second is under way.
        let requests = ["/hello", "/never"].map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        for asker in askers {
            try asker.send(requests)
            #expect(try asker.receiveHTTP().status == 200)
        }
        #expect(server.ask(\.openConnections) == 4)
        let late = try RawConnection(port: server.port)
        let answer = try late.receiveHTTP()
        #expect(answer.status == 503 && answer.text.contains("too many connections"), "\(answer)")
        try late.expectClose()
        readers[0].close()
        #expect(poll { server.ask(\.openConnections) == 3 })
        try expectServing(server)
    }

    /// One host that asks without end is slowed down; its bucket fills again.
    @Test func requestFlood() throws {
        let server = try ServerUnderTest { ($0.requestsPerSecond, $0.requestBurst) = (20, 50) }
        let connection = try RawConnection(port: server.port)
        try connection.send(String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 10_000))
        var statuses: [Int: Int] = [:]
        while let answer = try? connection.receiveHTTP() {
            statuses[answer.status, default: 0] += 1
            if answer.status == 429 {
                #expect(answer.fields["retry-after"] == "1" && answer.fields["connection"] == "close")
            }
        }
        #expect(statuses[429] == 1 && (50...100).contains(statuses[200] ?? 0), "\(statuses)")
        #expect(try poll { try RawConnection.get("/hello", port: server.port).status == 200 })
    }

    /// Who asks for much and reads nothing gets a bounded part of it, and is dropped; the server's memory stays its own.
    @Test func nobodyReads() throws {
        let server = try ServerUnderTest {
            $0.writeTimeout = .milliseconds(500)
            $0.unsentBytes = 8 << 20
        }
        let greedy = try (0..<8).map { _ in try RawConnection(port: server.port) }
        for connection in greedy {
            try connection.send(String(repeating: "GET /size/4000000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 100))
        }
        #expect(poll { server.ask(\.counters).answers[.serviceUnavailable, default: 0] > 0 })
        #expect(server.ask(\.counters).answers[.ok, default: 0] < 50)
        #expect(poll { server.ask(\.openConnections) == 0 })
        try expectServing(server)
    }

    /// A reader of events that stops reading is dropped; the others go on.
    @Test func slowEventReader() throws {
        let server = try ServerUnderTest()
        let reader = try RawConnection(port: server.port)
        let sleeper = try RawConnection(port: server.port)
        for connection in [reader, sleeper] { try connection.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n") }
        _ = try reader.receiveHTTP()
        // The one reads as fast as it can, and stays.
        let isDropped = poll {
            !reader.closes(within: .milliseconds(20)) && server.ask(\.counters).droppedEventStreams == 1
        }
        #expect(isDropped)
        #expect(server.ask(\.openEventStreams) == 1)
        _ = try reader.receive(through: "\n\n")
        // And one that talks instead of listening.
        #expect(throws: TestSupportError.self) {
            for _ in 0..<10_000 {
                try reader.send([UInt8](repeating: 0x20, count: 1_024))
                pause(.milliseconds(1))
            }
        }
        try expectServing(server)
    }
}
