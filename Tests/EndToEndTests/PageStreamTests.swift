// What the page's stream costs and needs, without a browser.

import TestSupport
import Testing

@Suite(.ownThread) struct PageStreamTests {
    private func serve(_ arguments: [String], in directory: TemporaryDirectory) throws -> (NodeProcess, UInt16) {
        let node = try NodeProcess(
            ProductsDirectory.executable("hearsay"),
            arguments: ["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"] + arguments, directory: directory)
        let port = try node.line { line -> UInt16? in
            guard line.hasPrefix("http://127.0.0.1:") else { return nil }
            return UInt16(line.dropFirst("http://127.0.0.1:".count).prefix { $0.isNumber })
        }
        return (node, port)
    }

    private func watch(_ port: UInt16) throws -> (stream: RawConnection, round: JSONMeaning) {
        let stream = try RawConnection(port: port)
        try stream.send("GET /page/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        _ = try stream.receive(through: "event: round\ndata: ")
        return (stream, try JSONMeaning(try stream.receive(through: "\n")))
    }

    private func requests(_ port: UInt16) throws -> Int64 {
        let status = try JSONMeaning(RawConnection.get("/api/status", port: port).text)
        return status["counters"]?["requests"]?.integer ?? -1
    }

    /// A node without a cluster.yaml shows itself; it is asked while somebody watches, and not after.
    @Test func nobodyIsAskedForNobody() throws {
        let (node, port) = try serve([], in: TemporaryDirectory())
        #expect(try requests(port) == 0)
        var watched: (stream: RawConnection, round: JSONMeaning)? = try watch(port)
        #expect(watched?.round["nodes"]?.elements.map { $0["up"] } == [.boolean(true)])
        #expect(watched?.round["nodes"]?.elements.first?["name"]?.text == "namesrv")
        #expect(try poll(every: .milliseconds(100)) { try requests(port) > 3 })
        #expect(try RawConnection.get("/page/explain?broker=b", port: port).status == 200)
        watched = nil
        // Longer than a round apart.
        var before: Int64 = -1
        let isQuiet = try poll(within: .seconds(20), every: .milliseconds(1_300)) {
            let now = try requests(port)
            defer { before = now }
            return now == before
        }
        #expect(isQuiet)
        #expect(try RawConnection.get("/page/explain?broker=b", port: port).status == 409)
        #expect(try node.terminate() == .exit(0))
    }

    /// Under a name that the operator has not given, a node answers only what is no secret.
    @Test func namesMustBeGiven() throws {
        let (node, port) = try serve(["--http-host", "Monitor.example"], in: TemporaryDirectory())
        for (host, path, status) in [
            ("monitor.example:\(port)", "/metrics", 200), ("127.0.0.1:\(port)", "/metrics", 200),
            ("evil.example", "/metrics", 421), ("evil.example", "/", 421), ("evil.example", "/page/stream", 421),
            ("evil.example", "/api/status", 421),
            // Load balancers, and RocketMQ's clients, have names of their own.
            ("evil.example", "/livez", 200), ("jmenv.tbsite.net:8080", "/rocketmq/nsaddr", 200),
        ] {
            let connection = try RawConnection(port: port)
            try connection.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(try connection.receiveHTTP().status == status, "\(host) \(path)")
        }
        #expect(try node.terminate() == .exit(0))
    }

    /// Where plain connections are closed, the page speaks TLS with the nodes.
    @Test func worksWhereOnlyTLSIsSpoken() throws {
        let directory = TemporaryDirectory()
        let file = try directory.write(
            "listenPort=0\nbindAddress=127.0.0.1\nkvConfigPath=\(directory.file("kv.json"))\ntls.server.mode=enforcing\n",
            to: "node.properties")
        let (node, port) = try serve(["-c", file], in: directory)
        let round = try watch(port).round
        #expect(round["nodes"]?.elements.map { $0["up"] } == [.boolean(true)], "\(round)")
        #expect(try node.terminate() == .exit(0))
    }

    /// What is asked for is answered or refused, whatever it is.
    @Test(arguments: [
        ("/page/topics?search=A", 200), ("/page/topics", 200), ("/page/route?topic=none", 200), ("/page/route", 400),
        ("/page/route?topic=", 400), ("/page/route?topic=\(String(repeating: "t", count: 1_025))", 400),
        ("/page/explain", 400), ("/page/explain?broker=a", 409), ("/page/nothing", 404), ("/page", 404),
        ("/page/page.js", 200), ("/page/words.js/x", 404), ("/page/page.css", 200),
    ])
    func questionsAreAnswered(path: String, status: Int) throws {
        let (node, port) = try serve([], in: TemporaryDirectory())
        let connection = try RawConnection(port: node.listenPort)
        try connection.register()
        let answer = try RawConnection.get(path, port: port)
        #expect(answer.status == status, "\(answer.text)")
        if path.hasPrefix("/page/topics?") {
            #expect(answer.text == #"{"node":"namesrv","count":1,"topics":["A"]}"#)
        }
        if path.hasSuffix("=none") { #expect(answer.text.contains(#""code":17"#)) }
    }
}

extension NodeProcess {
    /// Where it serves brokers and clients, by its greeting.
    fileprivate var listenPort: UInt16 {
        let greeting = "The Name Server boot success. serializeType=JSON, address 127.0.0.1:"
        return (try? line { $0.hasPrefix(greeting) ? UInt16($0.dropFirst(greeting.count)) : nil }) ?? 0
    }
}
