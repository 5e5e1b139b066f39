import Basics
import Testing

@testable import HTTPServer

/// The head of a request: what is read, what is refused and how.
@Suite struct RequestTests {
    /// What a request gives: its path and query, or the status that refuses it; nil when more must come.
    private static func read(_ text: String, _ options: HTTPServerOptions = HTTPServerOptions()) -> String? {
        var parser = HTTPRequestParser(options)
        return Array(text.utf8).withUnsafeBytes { bytes in
            describe(parser.next(in: bytes), of: bytes.count)
        }
    }

    private static func describe(_ outcome: HTTPRequestParser.Outcome, of count: Int) -> String? {
        switch outcome {
        case .incomplete: return nil
        case .refused(let refusal): return "\(refusal.status.rawValue)"
        case .request(let request, let length):
            let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
            let method = request.isHead ? "HEAD" : request.isPost ? "POST" : "GET"
            let end = request.keepsAlive ? "" : " close"
            return "\(method) \(request.path) \(query)\(end)" + (length == count ? "" : " rest \(count - length)")
        }
    }

    static let heads: [(request: String, outcome: String?)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", #"GET [] "#),
        ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", #"HEAD ["metrics"] "#),
        ("GET /a//b/ HTTP/1.1\r\nhost:a\r\n\r\n", #"GET ["a", "b"] "#),
        // Behind a proxy, and with a name that must be encoded.
        (
            "GET http://a:1/a%2Fb/%25RETRY%25g?x=1+2&y&=z HTTP/1.1\r\nHost: a\r\n\r\n",
            #"GET ["a/b", "%RETRY%g"] x=1 2&y=&=z"#
        ),
        ("GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", #"GET [] x=1"#),
        // What RocketMQ's Java clients send (HttpTinyClient over HttpURLConnection).
        (
            "GET /rocketmq/nsaddr-unit?nofix=1 HTTP/1.1\r\nClient-Version: V5_3_3\r\nContent-Type: application/x-www-form-urlencoded;charset=UTF-8\r\nMetaq-Client-RequestTS: 1\r\nUser-Agent: Java/17\r\nHost: a:8080\r\nAccept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\n\r\n",
            #"GET ["rocketmq", "nsaddr-unit"] nofix=1"#
        ),
        // Persistence.
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", "GET []  close"),
        ("GET / HTTP/1.0\r\n\r\n", "GET []  close"),
        ("GET / HTTP/1.0\r\nConnection: x , keep-alive\r\n\r\n", "GET [] "),
        // Two requests, and an empty line between them.
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", "GET []  rest 3"),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET [] "),
        // Not whole.
        ("", nil), ("GET", nil), ("GET / HTTP/1.1\r\nHost: a\r\n", nil), ("\r", nil), ("\r\n", nil),
        // No HTTP.
        ("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET / HTTP/1.1\nHost: a\n\n", "400"),
        ("GET /\r\n\r\n", "400"), ("GET  / HTTP/1.1\r\n\r\n", "400"), ("G(T / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1 \r\n\r\n", "400"), ("GET / http/1.1\r\n\r\n", "400"), ("\u{16}\u{3}\u{1}\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"), ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "400"), ("GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "400"), ("GET / HTTP/2.0\r\n\r\n", "505"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        // Paths that go elsewhere, or are none.
        ("GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET /. HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET /%0d%0aX:1 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", "400"), ("GET /%c0%ae HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET /?x=%7 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        // Methods.
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", "405"), ("get / HTTP/1.1\r\n\r\n", "405"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "405"), ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        // Bodies.
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "GET [] "),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "413"),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", "400"),
    ]

    @Test(arguments: Self.heads) func reads(_ head: (request: String, outcome: String?)) {
        #expect(Self.read(head.request) == head.outcome, "\(head.request.debugDescription)")
    }

    @Test func takesPostsWhereTheyAreWanted() {
        var options = HTTPServerOptions()
        options.takesPosts = true
        #expect(
            Self.read("POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", options) == #"POST ["a"] b=c"#)
        #expect(Self.read("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nb", options) == "413")
        #expect(Self.read("PUT /a HTTP/1.1\r\nHost: a\r\n\r\n", options) == "405")
    }

    /// Whose name the Host field may be.
    static let hosts: [(field: String?, admitted: Bool)] = [
        ("127.0.0.1", true), ("127.0.0.1:9878", true), ("10.1.2.3:80", true), ("[::1]:9878", true), ("[fe80::1]", true),
        ("localhost", true), ("LocalHost:1", true), ("localhost.", true),
        ("ns-1.example", true), ("NS-1.Example:9878", true), ("ns-1.example.:9878", true),
        // HTTP/1.0 without the field: no browser.
        (nil, true),
        // Names that others could point here, and what is no host.
        ("evil.example", false), ("evil.example:9878", false), ("ns-1.example.evil.com", false),
        ("127.0.0.1.evil.com", false), ("127.0.0.1.", false), ("localhost.evil.com:80", false), ("", false),
        (":80", false), ("[evil.example:1]", false), ("::1", false), ("1.2.3", false), ("0x7f.0.0.1", false),
        ("a b", false), ("127.0.0.1:port", false), ("*", false),
    ]

    @Test(arguments: Self.hosts) func admitsItsOwnNames(_ host: (field: String?, admitted: Bool)) {
        #expect(HTTPHosts(["ns-1.Example"]).admits(host.field) == host.admitted, "\(host.field ?? "none")")
        #expect(HTTPHosts(["ns-1.example", "*"]).admits(host.field))
    }

    /// Byte by byte, the outcome comes with the same byte, or earlier when it is a refusal.
    @Test(arguments: Self.heads) func drips(_ head: (request: String, outcome: String?)) {
        var parser = HTTPRequestParser(HTTPServerOptions())
        let bytes = Array(head.request.utf8)
        for count in 0...bytes.count {
            let outcome = bytes[..<count].withUnsafeBytes { Self.describe(parser.next(in: $0), of: bytes.count) }
            if let outcome { return #expect(outcome == head.outcome, "\(head.request.debugDescription) at \(count)") }
        }
        #expect(head.outcome == nil)
    }

    /// A head at its limits, and one byte or field more.
    @Test func limits() {
        var options = HTTPServerOptions()
        (options.requestLineBytes, options.headBytes, options.fieldCount) = (100, 300, 4)
        func line(_ length: Int) -> String { "GET /\(String(repeating: "a", count: length - 14)) HTTP/1.1" }
        #expect(line(100).utf8.count == 100)
        #expect(Self.read("\(line(100))\r\nHost: a\r\n\r\n", options)?.hasPrefix("GET") == true)
        #expect(Self.read("\(line(101))\r\nHost: a\r\n\r\n", options) == "414")
        // It need not end to be too long.
        #expect(Self.read(String(line(101).prefix(100)), options) == nil)
        #expect(Self.read(line(101), options) == "414")
        func head(_ length: Int) -> String {
            let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
            return start + String(repeating: "x", count: length - start.utf8.count - 4) + "\r\n\r\n"
        }
        #expect(Self.read(head(300), options)?.hasPrefix("GET") == true)
        #expect(Self.read(head(301), options) == "431")
        #expect(Self.read(String(decoding: head(301).utf8.prefix(299), as: UTF8.self), options) == nil)
        #expect(Self.read(String(decoding: head(400).utf8.prefix(300), as: UTF8.self), options) == "431")
        let fields = (1...4).map { "F\($0): x\r\n" }
        #expect(Self.read("GET / HTTP/1.0\r\n\(fields.joined())\r\n", options)?.hasPrefix("GET") == true)
        #expect(Self.read("GET / HTTP/1.0\r\n\(fields.joined())F5: x\r\n\r\n", options) == "431")
    }

    /// Random damage: whatever comes, an outcome, and never a request longer than what was given.
    @Test func mutations() {
        var random = SystemRandomNumberGenerator()
        let seeds = Self.heads.map { Array($0.request.utf8) }.filter { !$0.isEmpty }
        for _ in 0..<50_000 {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            var parser = HTTPRequestParser(HTTPServerOptions())
            bytes.withUnsafeBytes { buffer in
                guard case .request(let request, let length) = parser.next(in: buffer) else { return }
                #expect(length > 0 && length <= buffer.count)
                #expect(!request.path.contains { $0 == ".." || $0 == "." || $0.utf8.contains { $0 < 0x20 } })
            }
        }
    }

    @Test func dates() {
        let dates: [(Int64, String)] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_795_646_196_000, "Wed, 25 Nov 2026 22:36:36 GMT"),
            (4_107_542_399_000, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ]
        for (milliseconds, text) in dates { #expect(HTTPDate.text(.init(milliseconds: milliseconds)) == text) }
    }

    @Test func rates() {
        var table = RateTable(perSecond: 2, burst: 3)
        let start = Instant(nanoseconds: 5_000_000_000)
        func ask(_ host: String, _ times: Int = 1, after time: Duration = .zero) -> [Bool] {
            (0..<times).map { _ in table.admit(host, now: start + time) }
        }
        #expect(ask("a", 5) == [true, true, true, false, false])
        #expect(ask("b") == [true])
        #expect(ask("a", after: .milliseconds(499)) == [false])
        #expect(ask("a", 2, after: .milliseconds(501)) == [true, false])
        #expect(ask("a", after: .milliseconds(600)) == [false])
        // However long it was silent, three at once and no more.
        #expect(ask("a", 4, after: .seconds(99)) == [true, true, true, false])
        // The table does not grow with the hosts that come by.
        for host in 0..<10_000 { #expect(ask("host-\(host)", after: .seconds(100)) == [true]) }
        #expect(table.count <= RateTable.capacity)
    }
}
