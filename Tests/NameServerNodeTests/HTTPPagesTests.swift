import Basics
import GossipCore
import NameServerCore
import NameServerNode
import Remoting
import TestSupport
import Testing

/// Health, the address list and the JSON pages of a node.
@Suite struct HTTPPagesTests {
    private func json(_ answer: HTTPAnswer) throws -> JSONMeaning {
        #expect(answer.fields["content-type"] == "application/json")
        return try JSONMeaning(answer.text)
    }

    @Test func isAliveAndReady() throws {
        let node = try NodeUnderTest()
        #expect(try node.get("/livez").status == 200)
        let ready = try node.get("/readyz")
        #expect(ready.status == 200 && ready.text == #"{"ready":true,"reasons":[]}"#)
        #expect(try node.get("/api").text.contains(#"<a href="metrics">"#))
        let page = try node.get("/")
        #expect(page.text.contains(#"<script type="module" src="page/page.js">"#))
        #expect(page.fields["content-security-policy"]?.hasPrefix("default-src 'none'; script-src 'self'") == true)
        #expect(try node.get("/favicon.ico").status == 204)
        for path in [
            "/other", "/livez/x", "/page", "/page/other", "/api/other", "/rocketmq", "/rocketmq/other", "/metrics/x",
        ] {
            #expect(try node.get(path).status == 404, "\(path)")
        }
    }

    /// What RocketMQ's clients fetch, also for a unit and with whatever parameters.
    @Test func listsReadyNodes() throws {
        let node = try NodeUnderTest()
        for path in ["", "-unit?nofix=1", "?a=b&c=d", "-x?nofix=1&a=b"] {
            let answer = try node.get("/rocketmq/nsaddr\(path)")
            #expect(answer.status == 200 && answer.text == "ns1.example:9876;ns2.example:9876")
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func saysWhyItIsNotReady() throws {
        let waiting = try NodeUnderTest { $0.properties.needWaitForService = true }
        let answer = try waiting.get("/readyz")
        #expect(answer.status == 503)
        #expect(
            answer.text.hasPrefix(
                #"{"ready":false,"reasons":[{"reason":"waitForService","text":"needWaitForService keeps"#))
        #expect(try waiting.get("/rocketmq/nsaddr").text == "ns2.example:9876")
        #expect(try waiting.get("/livez").status == 200)
        #expect(try waiting.get("/api/topics/A").status == 503)

        // With a peer that is not there it warms up for as long as that takes, and knows nothing of the peer.
        let warming = try NodeUnderTest { options in
            var settings = GossipSettings(
                node: "ns-1", label: "test", mode: .observe, hash: KeyedHash(low: 1, high: 2), salt: 3)
            settings.peers = ["ns-2"]
            let nowhere = Address(host: "127.0.0.1", port: 1)
            options.gossip = GossipOptions(
                settings: settings, listen: Address(host: "127.0.0.1", port: 0), peers: [nowhere], seed: 1)
        }
        #expect(try warming.get("/readyz").text.contains(#""reason":"warming""#))
        #expect(try warming.get("/rocketmq/nsaddr").status == 503)
        let status = try json(warming.get("/api/status"))
        #expect(status["ready"] == .boolean(false))
        #expect(status["gossip"]?["state"]?.text == "warming" && status["gossip"]?["connected"]?.integer == 0)
        #expect(try json(warming.get("/api/gossip"))["peers"]?.elements.first?["name"]?.text == "ns-2")
    }

    /// While it lets its clients move to another node it still answers, and says that it is leaving.
    @Test func drains() throws {
        let node = try NodeUnderTest {
            $0.properties.enableShutdownGracefully = true
            $0.properties.shutdownWaitTimeSeconds = 30
        }
        node.shutdown()
        #expect(try poll { try node.get("/readyz").status == 503 })
        #expect(try node.get("/readyz").text.contains(#""reason":"draining""#))
        #expect(try node.get("/livez").status == 200)
        #expect(try node.get("/rocketmq/nsaddr").text == "ns2.example:9876")
    }

    /// The pages say what the remoting port says.
    @Test func showsTheTables() throws {
        let node = try NodeUnderTest()
        let broker = try RawConnection(port: node.port)
        try broker.register()
        try broker.register(Registration { ($0.broker, $0.id, $0.address) = ("broker-b", "1", "10.0.0.2:1") })
        _ = try broker.route("A")
        let admin = try RawConnection(port: node.port)
        let told = try admin.call(RequestCode.getNodeStatus).json()

        let brokers = try json(node.get("/api/brokers"))
        #expect(brokers["brokers"]?.elements.count == 2)
        for (page, remoting) in zip(brokers["brokers"]?.elements ?? [], told["brokers"]?.elements ?? []) {
            #expect(Set(page.members.keys) == Set(remoting.members.keys))
            for key in ["name", "id", "address", "cluster", "topics", "connected", "dataVersion"] {
                #expect(page[key] == remoting[key], "\(key)")
            }
        }
        let one = try json(node.get("/api/brokers?name=broker-b"))["brokers"]?.elements
        #expect(one?.map { $0["name"]?.text } == ["broker-b"])
        #expect(try json(node.get("/api/brokers?name=none"))["brokers"]?.elements == [])

        let status = try json(node.get("/api/status"))
        #expect(status["totals"] == told["totals"] && status["software"] == told["software"])
        #expect(status["counters"]?["lookups"]?.integer == 1 && status["connections"]?.integer == 2)
        #expect(status["brokers"] == nil && status["gossip"] == nil)
        #expect(try node.get("/api/gossip").status == 404)

        let events = try json(node.get("/api/events"))
        #expect(events["events"] == told["events"] && events["events"]?.elements.count == 2)
        #expect(try json(node.get("/api/events?since=1"))["events"]?.elements.count == 1)
        #expect(try node.get("/api/events?since=x").status == 400)

        let explained = try json(node.get("/api/explain/broker-a"))
        #expect(explained["brokers"]?.elements.count == 1 && explained["events"]?.elements.count == 1)
        #expect(explained["broker"]?.text == "broker-a" && explained["node"]?.text == "ns-1")
        #expect(try json(node.get("/api/explain/none"))["brokers"]?.elements == [])
    }

    /// All brokers, each once, though the page is made in several turns; and who does not wait harms nobody.
    @Test func showsManyBrokers() throws {
        let node = try NodeUnderTest()
        let broker = try RawConnection(port: node.port)
        let names = (0..<1_000).map { "b-\($0)" }
        for (number, name) in names.enumerated() {
            try broker.register(Registration { ($0.broker, $0.address, $0.topics) = (name, "10.0.0.1:\(number)", []) })
        }
        for name in names where name.hasSuffix("7") {
            try broker.unregister(broker: name, address: "10.0.0.1:\(name.dropFirst(2))")
        }
        let leaver = try RawConnection(port: node.httpPort)
        try leaver.send("GET /api/brokers HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        leaver.reset()
        let shown = try json(node.get("/api/brokers"))["brokers"]?.elements.compactMap { $0["name"]?.text } ?? []
        #expect(shown.count == 900 && Set(shown) == Set(names.filter { !$0.hasSuffix("7") }))
    }

    @Test func showsRoutesAsClientsGetThem() throws {
        let node = try NodeUnderTest()
        let broker = try RawConnection(port: node.port)
        let retry = RegisteredTopic("%RETRY%a/b")
        try broker.register(Registration { $0.topics = [.a, .b, retry] })
        let asked = RawRequest(105, ["topic": "A", "acceptStandardJsonOnly": "true"])
        #expect(try node.get("/api/topics/A").body == broker.call(asked).body)
        #expect(try json(node.get("/api/topics/%25RETRY%25a%2Fb"))["queueDatas"]?.elements.count == 1)
        let missing = try node.get("/api/topics/none")
        #expect(missing.status == 404)
        #expect(try json(missing)["error"]?.text?.contains("none") == true)
    }

    /// Pages of topics: each name once, in byte order.
    @Test func pagesThroughTopics() throws {
        let node = try NodeUnderTest()
        let broker = try RawConnection(port: node.port)
        let names = (0..<250).map { "t-\($0)" } + ["a", "t", "u", "集"]
        try broker.register(Registration { $0.topics = names.map { RegisteredTopic($0) } })
        func page(_ query: String) throws -> (names: [String], next: String?, total: Int64?) {
            let page = try json(node.get("/api/topics\(query)"))
            return (page["topics"]?.elements.compactMap(\.text) ?? [], page["next"]?.text, page["total"]?.integer)
        }
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let all = try page("")
        #expect(all.names == sorted && all.next == nil && all.total == 254)
        #expect(try page("?prefix=t-1").names == sorted.filter { $0.hasPrefix("t-1") })
        #expect(try page("?prefix=%E9%9B%86").names == ["集"])
        #expect(try page("?prefix=x").names == [] && page("?prefix=").names == sorted)
        var (found, next): ([String], String?) = ([], nil)
        repeat {
            let part = try page("?prefix=t&limit=60" + (next.map { "&after=\($0)" } ?? ""))
            #expect(part.names.count <= 60)
            found += part.names
            next = part.next
        } while next != nil && found.count < 1_000
        #expect(found == sorted.filter { $0.hasPrefix("t") })
        for query in ["limit=0", "limit=10001", "limit=-1", "limit=x", "limit="] {
            #expect(try node.get("/api/topics?\(query)").status == 400, "\(query)")
        }
    }

    // MARK: Events

    private func open(_ node: NodeUnderTest, _ fields: String = "") throws -> RawConnection {
        let reader = try RawConnection(port: node.httpPort)
        try reader.send("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\(fields)\r\n")
        #expect(try reader.receiveHTTP().fields["content-type"] == "text/event-stream")
        return reader
    }

    /// The next event that is no summary: its kind, id and data.
    private func event(_ reader: RawConnection) throws -> (kind: String, id: Int?, data: JSONMeaning) {
        while true {
            var fields: [String: String] = [:]
            for line in try reader.receive(through: "\n\n").split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                fields[String(parts[0])] = String(parts[1].dropFirst())
            }
            let kind = try #require(fields["event"])
            let data = try JSONMeaning(try #require(fields["data"]))
            if kind != "summary" { return (kind, fields["id"].flatMap { Int($0) }, data) }
            #expect(data["node"]?.text == "ns-1" && data["ready"] == .boolean(true) && data["counters"] != nil)
        }
    }

    @Test func streamsWhatHappens() throws {
        let node = try NodeUnderTest()
        let reader = try open(node)
        #expect(try reader.receive(through: "\n\n").hasPrefix("event: summary\ndata: {"))
        let broker = try RawConnection(port: node.port)
        try broker.register()
        let registered = try event(reader)
        #expect(registered.kind == "table" && registered.id == 1)
        #expect(registered.data == (try json(node.get("/api/events")))["events"]?.elements[0])
        broker.close()
        let closed = try event(reader)
        #expect(closed.id == 2 && closed.data["kind"]?.text == "connectionClosed")
        // Somebody who comes back misses nothing, and gets nothing twice.
        let again = try open(node, "Last-Event-ID: 1\r\n")
        #expect(try event(again).id == 2)
    }

    /// Thousands of events at once: what is not told is counted.
    @Test func countsWhatAStormLeavesOut() throws {
        let node = try NodeUnderTest()
        let reader = try open(node)
        let broker = try RawConnection(port: node.port)
        var frames: [UInt8] = []
        let count = 3_000
        for number in 0..<count {
            let registration = Registration {
                ($0.broker, $0.address, $0.topics) = ("b-\(number)", "10.0.0.1:\(number)", [])
            }
            frames += registration.request.frame(opaque: Int32(number + 1))
        }
        try broker.send(frames)
        var (told, omitted) = (0, Int64(0))
        while told + Int(omitted) < count {
            let event = try event(reader)
            if event.kind == "table" { told += 1 } else { omitted += event.data["omitted"]?.integer ?? 0 }
        }
        #expect(told + Int(omitted) == count && told > 0)
    }
}
