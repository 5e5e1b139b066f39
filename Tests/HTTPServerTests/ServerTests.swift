import Glibc
import HTTPServer
import TestSupport
import Testing

/// A real server on real sockets: what well-behaved clients get.
@Suite struct ServerTests {
    @Test func answersAndKeepsTheConnection() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        for name in ["a", "b"] {
            let answer = try connection.get("/hello/\(name)?x=1")
            #expect(answer.status == 200 && answer.text == "hello,\(name),x=1\n")
            #expect(answer.fields["content-length"] == "\(answer.body.count)")
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
            #expect(answer.fields["connection"] == nil && answer.fields["cache-control"] == "no-store")
            #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
        }
        #expect(try connection.get("/other").status == 404)
        #expect(try connection.get("/later").text == "later\n")
        #expect(server.ask(\.counters).answers == [.ok: 3, .notFound: 1])
        #expect(server.ask(\.openConnections) == 1)
    }

    /// A page elsewhere that points its own name here reads nothing.
    @Test func answersItsOwnNamesOnly() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        for (host, status) in [("evil.example", 421), ("a:\(server.port)", 200), ("localhost", 200), ("[::1]", 200)] {
            try connection.send("GET /hello HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            let answer = try connection.receiveHTTP()
            #expect(answer.status == status, "\(host)")
            if status == 421 { #expect(answer.text.contains("http.hosts") && !answer.text.contains("hello")) }
        }
        #expect(try connection.get("/hello").status == 200)
    }

    /// HEAD has the head of GET, and no body: the next answer follows at once.
    @Test func headIsRight() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        let got = try connection.get("/size/1000")
        try connection.send("HEAD /size/1000 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /events HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try connection.receiveHTTP(isHead: true)
        #expect(head.status == 200 && head.fields["content-length"] == "1000")
        #expect(Set(head.fields.keys) == Set(got.fields.keys))
        #expect(try connection.receiveHTTP(isHead: true).fields["content-type"] == "text/event-stream")
        try connection.expectClose()
    }

    @Test func closesWhenAsked() throws {
        let server = try ServerUnderTest()
        for (request, says) in [
            ("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
            ("GET /hello HTTP/1.0\r\n\r\n", "close"),
        ] {
            let connection = try RawConnection(port: server.port)
            try connection.send(request)
            #expect(try connection.receiveHTTP().fields["connection"] == says)
            try connection.expectClose()
        }
        let old = try RawConnection(port: server.port)
        try old.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try old.receiveHTTP().fields["connection"] == "keep-alive")
        #expect(try old.get("/hello").status == 200)
    }

    /// A thousand requests in one write, some of which are answered later: in order, none missing.
    @Test func pipelines() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        let paths = (0..<1_000).map { $0.isMultiple(of: 100) ? "/later" : "/hello/\($0)" }
        try connection.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        for path in paths {
            let text = path == "/later" ? "later\n" : "hello,\(path.dropFirst(7))\n"
            #expect(try connection.receiveHTTP().text == text)
        }
        #expect(try connection.get("/hello").status == 200)
    }

    /// A client that has nothing more to say still gets its answer.
    @Test func answersHalfClosed() throws {
        let server = try ServerUnderTest()
        let connection = try RawConnection(port: server.port)
        try connection.send("GET /size/1000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.closeWriting()
        #expect(try connection.receiveHTTP().body.count == 1_000_000)
        try connection.expectClose()
    }

    @Test func streamsEvents() throws {
        let server = try ServerUnderTest()
        let readers = try (0..<3).map { _ in try RawConnection(port: server.port) }
        for reader in readers {
            try reader.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try reader.receiveHTTP().fields["content-type"] == "text/event-stream")
        }
        for reader in readers {
            let event = try reader.receive(through: "\n\n")
            #expect(event.hasPrefix("event: tick\nid: ") && event.contains("\ndata: ttt"))
        }
        #expect(server.ask(\.openEventStreams) == 3)
        for reader in readers { reader.close() }
        #expect(poll { server.ask(\.openEventStreams) == 0 && server.ask(\.openConnections) == 0 })
        #expect(server.ask(\.counters).droppedEventStreams == 0)
    }

    /// Stopping answers what is under way, ends streams and leaves nothing open.
    @Test func stops() throws {
        let server = try ServerUnderTest()
        let idle = try RawConnection(port: server.port)
        #expect(try idle.get("/hello").status == 200)
        let reader = try RawConnection(port: server.port)
        try reader.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try reader.receive(through: "\n\n")
        server.ask { $0.stop() }
        try idle.expectClose()
        #expect(reader.closes(within: .seconds(10)))
        #expect(poll { server.ask(\.openConnections) == 0 })
        #expect(throws: TestSupportError.self) { try RawConnection(port: server.port) }
    }
}
