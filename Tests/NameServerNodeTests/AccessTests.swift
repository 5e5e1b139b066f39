// A node's access over real sockets. Whose requests are of which class, and who signs right, is AccessControlTests; here it is
// answered, counted, written down and changed while the node runs.

import AccessControl
import Basics
import Glibc
import NameServerNode
import TestSupport
import Testing

@Suite struct AccessTests {
    private static let put = RawRequest(100, ["namespace": "N", "key": "K", "value": "v"])
    private static let refusedElsewhere =
        "administration is allowed from 127.0.0.0/8, ::1/128 only, not from 10.1.2.3 through 127.0.0.1: "
        + "see access.administer.networks or serve --allow-admin"

    /// A connection that says who is behind it.
    private func connection(_ node: NodeUnderTest, behind source: String? = nil) throws -> RawConnection {
        let connection = try RawConnection(port: node.port)
        if let source { try connection.send("PROXY \(source)\r\n") }
        return connection
    }

    @Test func administrationIsForThisMachineOnly() throws {
        let node = try NodeUnderTest()
        #expect(try connection(node).call(Self.put).code == 0)
        let distant = try connection(node, behind: "TCP4 10.1.2.3 127.0.0.1 4000 9876")
        let answer = try distant.call(Self.put)
        #expect(answer.code == 16)
        #expect(answer.remark == Self.refusedElsewhere)
        #expect(answer.body.isEmpty)
        // Looking up and registering, it is served on the same connection.
        #expect(try distant.call(101, ["namespace": "N", "key": "K"]).fields == ["value": "v"])
        #expect(try distant.register().code == 0)
        #expect(try distant.call(319).code == 0)
        // Somebody unknown may be anybody.
        #expect(try connection(node, behind: "UNKNOWN").call(Self.put).code == 16)
        // A header before the request and one inside of the same write.
        let one = try RawConnection(port: node.port)
        try one.send(Array("PROXY TCP4 10.1.2.3 127.0.0.1 4000 9876\r\n".utf8) + Self.put.frame(opaque: 1))
        #expect(try one.receiveFrame().code == 16)
    }

    @Test func aRefusedOnewayRequestIsCountedAndNotAnswered() throws {
        let node = try NodeUnderTest { $0.access.rules.administer.networks = Networks([]) }
        var request = Self.put
        request.flag = 2
        let client = try connection(node)
        try client.send(request.frame(opaque: 1))
        // The next answer is that to the next request.
        #expect(try client.call(101, ["namespace": "N", "key": "K"]).code == 22)
        let metrics = try node.get("/metrics").text
        #expect(metrics.contains(#"hearsay_refused_requests_total{class="administer",reason="network"} 1"#))
        #expect(metrics.contains(#"hearsay_refused_requests_total{class="lookup",reason="network"} 0"#))
    }

    /// With everything closed nothing is served, in either form of header, and the connection stays.
    @Test(arguments: [false, true])
    func everythingClosed(binary: Bool) throws {
        let node = try NodeUnderTest { options in
            for requestClass in RequestClass.allCases { options.access.rules[requestClass].networks = Networks([]) }
        }
        let client = try connection(node)
        for (code, _) in RequestClass.served + [(4_711, .lookup)] {
            let request = RawRequest(code, ["topic": "T"])
            try client.send(binary ? request.binaryFrame(opaque: code) : request.frame(opaque: code))
            let answer = try client.receiveFrame()
            #expect(answer.code == 16)
            #expect(answer.opaque == Int64(code))
            #expect(answer.remark?.contains("allowed from nowhere only, not from 127.0.0.1") == true)
        }
        // An answer to nothing we asked is nobody's business.
        var response = RawRequest(0)
        response.flag = 1
        try client.send(response.frame(opaque: 1))
        #expect(try client.call(105, ["topic": "T"]).code == 16)
    }

    /// Pipelined requests are answered in order, refused ones among them.
    @Test func pipelinedRequests() throws {
        let node = try NodeUnderTest { $0.access.rules.administer.networks = Networks([]) }
        let client = try connection(node)
        var bytes: [UInt8] = []
        for opaque in 0..<200 as Range<Int32> {
            bytes += opaque % 3 == 0 ? Self.put.frame(opaque: opaque) : RawRequest(206).frame(opaque: opaque)
        }
        try client.send(bytes)
        for opaque in 0..<200 as Range<Int64> {
            let answer = try client.receiveFrame()
            #expect(answer.opaque == opaque)
            #expect(answer.code == (opaque % 3 == 0 ? 16 : 0))
        }
    }

    // MARK: Accounts

    /// `topic=TopicTest`, signed by `RocketMQ` with `12345678`; computed elsewhere.
    private static func signedLookup(_ signature: String = "0jiwhsaYp5ObE5GObbZH1I8/FT4=") -> RawRequest {
        RawRequest(105, ["topic": "TopicTest", "AccessKey": "RocketMQ", "Signature": signature])
    }

    @Test func lookupsThatNeedAnAccount() throws {
        let directory = TemporaryDirectory()
        let path = try directory.write("RocketMQ", to: "accounts")
        let node = try NodeUnderTest { options in
            options.access.rules.lookup.needsAccount = true
            // A file of one line: who there is.
            options.access.accounts = AccountsSource(path: path) { bytes, name in
                guard !bytes.isEmpty else { throw TestSupportError("\(name) is empty") }
                return Accounts([
                    Account(
                        accessKey: String(decoding: bytes, as: UTF8.self), secretKey: SecretKey("12345678"),
                        classes: RequestClasses(.lookup))
                ])
            }
        }
        let client = try connection(node)
        #expect(try client.call(Self.signedLookup()).code == 17)
        #expect(try client.call(Self.signedLookup("0jiwhsaYp5ObE5GObbZH1I8/FT5=")).code == 16)
        #expect(try client.call(105, ["topic": "TopicTest"]).code == 16)
        #expect(try client.call(105, ["topic": "TopicTest", "AccessKey": "", "Signature": ""]).code == 16)
        #expect(try client.register().code == 0)
        // A file that is wrong changes nothing; one that is right counts on connections that are there.
        try directory.write("", to: "accounts")
        try directory.write("somebody else", to: "accounts")
        #expect(try poll(within: .seconds(30)) { try client.call(Self.signedLookup()).code == 16 })
        try directory.write("RocketMQ", to: "accounts")
        #expect(try poll(within: .seconds(30)) { try client.call(Self.signedLookup()).code == 17 })
        #expect(try node.get("/metrics").text.contains("hearsay_accounts 1"))
    }

    /// What nobody signs so: it costs a refusal or the connection, and the node goes on.
    @Test func hostileSignatures() throws {
        let node = try NodeUnderTest { options in
            for requestClass in RequestClass.allCases { options.access.rules[requestClass].needsAccount = true }
        }
        let long = String(repeating: "a", count: 100_000)
        let odd = ["", "=", "\u{0}", "集", "0jiwhsaYp5ObE5GObbZH1I8/FT4", long]
        let client = try connection(node)
        for key in odd {
            for signature in odd {
                let request = RawRequest(105, ["topic": "TopicTest", "AccessKey": key, "Signature": signature])
                let answer = try client.call(request)
                #expect(answer.code == 16)
                #expect((answer.remark?.utf8.count ?? 0) < 200)
            }
        }
        var many = RawRequest(105, ["AccessKey": "RocketMQ", "Signature": "x"])
        many.fields! += (0..<10_000).map { (name: "field-\($0)", value: "v") }
        try client.send(many.frame(opaque: 1))
        try client.expectClose()
        #expect(try connection(node).call(105, ["topic": "T"]).code == 16)
    }

    @Test func accountsThatCannotBeReadEndTheStart() {
        #expect(throws: TestSupportError.self) {
            try NodeUnderTest {
                $0.access.accounts = AccountsSource(path: "/nonexistent/accounts") { _, _ in Accounts() }
            }
        }
    }

    // MARK: Audit

    private func node(auditing directory: TemporaryDirectory, format: LineLogHandler.Format = .text) throws
        -> NodeUnderTest
    {
        try NodeUnderTest { options in
            options.access.audit = AuditOptions(
                path: directory.file("log/audit.log"), format: format, timestamp: { "2026-11-26T02:00:00.000Z" })
        }
    }

    private func lines(_ directory: TemporaryDirectory, _ count: Int, _ name: String = "log/audit.log") -> [Substring] {
        var lines: [Substring] = []
        poll {
            lines = (text(of: directory.file(name)) ?? "").split(separator: "\n")
            return lines.count >= count
        }
        return lines
    }

    @Test func whatIsAdministeredIsWrittenDown() throws {
        let directory = TemporaryDirectory()
        let node = try node(auditing: directory)
        let client = try connection(node)
        let long = String(repeating: "x", count: 100_000)
        try client.register().expectOK()
        try client.call(100, ["namespace": "N", "key": "a b=\"c\"\n", "value": long]).expectOK()
        try client.call(102, ["namespace": "N", "key": "K", "AccessKey": "whoever"]).expectOK()
        try client.call(205, ["brokerName": "broker-a"]).expectOK()
        try client.call(327, ["brokerName": "broker-a"]).expectOK()
        try client.call(216, ["topic": "A", "clusterName": "C"]).expectOK()
        try client.call(318, body: "waitSecondsForService=7\ntls.server.keyPassword=secret\n").expectOK()
        #expect(try client.call(318, body: "kvConfigPath=/x").code == 16)
        #expect(try client.call(100).code == 1)
        let found = lines(directory, 8)
        let expected = [
            #"event=audit key="a b=\"c\"\n" namespace=N request=PUT_KV_CONFIG result=0 value=\#(String(repeating: "x", count: 64))…"#,
            #"event=audit key=K namespace=N request=DELETE_KV_CONFIG result=0"#,
            #"broker=broker-a event=audit request=WIPE_WRITE_PERM_OF_BROKER result=0"#,
            #"broker=broker-a event=audit request=ADD_WRITE_PERM_OF_BROKER result=0"#,
            #"cluster=C event=audit request=DELETE_TOPIC_IN_NAMESRV result=0 topic=A"#,
            #"event=audit request=UPDATE_NAMESRV_CONFIG result=0 settings="waitSecondsForService=7 tls.server.keyPassword=(6 bytes)""#,
            #"event=audit request=UPDATE_NAMESRV_CONFIG result=16 settings="kvConfigPath=/x""#,
            #"event=audit request=PUT_KV_CONFIG result=1"#,
        ]
        #expect(found.count == expected.count)
        for (line, end) in zip(found, expected) {
            #expect(
                line.hasPrefix("2026-11-26T02:00:00.000Z notice ns-1 administration account=- address=127.0.0.1:"))
            #expect(line.hasSuffix(" " + end), "\(line)")
        }
        #expect(try node.get("/metrics").text.contains(#"hearsay_audit_lines_total{result="written"} 8"#))
    }

    @Test func whoWasRefusedIsWrittenDownUpToALimit() throws {
        let directory = TemporaryDirectory()
        let node = try node(auditing: directory, format: .json)
        let distant = try connection(node, behind: "TCP4 10.1.2.3 127.0.0.1 4000 9876")
        #expect(try distant.call(Self.put).code == 16)
        let line = try #require(lines(directory, 1).first)
        let members = try JSONMeaning(String(line))
        #expect(members["source"]?.text == "10.1.2.3:4000")
        #expect(members["reason"]?.text == "network")
        #expect(members["result"]?.text == "16")
        #expect(members["remark"]?.text == Self.refusedElsewhere)
        #expect(members["key"]?.text == "K")
        // A storm of 5,000 is far less than as many lines; all are counted.
        try distant.send((0..<5_000).flatMap { Self.put.frame(opaque: $0) })
        for _ in 0..<5_000 { #expect(try distant.receiveFrame().code == 16) }
        #expect(
            try node.get("/metrics").text.contains(
                #"hearsay_refused_requests_total{class="administer",reason="network"} 5001"#))
        #expect(lines(directory, 1).count < 1_000)
    }

    /// Renamed, the file is made anew; where it cannot be written, requests are served and counted.
    @Test func rotationAndAFullDisk() throws {
        let directory = TemporaryDirectory()
        let node = try node(auditing: directory)
        let client = try connection(node)
        try client.call(Self.put).expectOK()
        #expect(lines(directory, 1).count == 1)
        #expect(rename(directory.file("log/audit.log"), directory.file("log/audit.log.1")) == 0)
        try client.call(Self.put).expectOK()
        #expect(lines(directory, 1).count == 1)
        #expect(lines(directory, 1, "log/audit.log.1").count == 1)

        let full = try NodeUnderTest { options in
            options.access.audit = AuditOptions(path: "/dev/full", format: .text, timestamp: { "" })
        }
        let other = try connection(full)
        for _ in 0..<3 { try other.call(Self.put).expectOK() }
        #expect(
            try poll { try full.get("/metrics").text.contains(#"hearsay_audit_lines_total{result="diverted"} 3"#) })
    }
}

extension RawFrame {
    fileprivate func expectOK() { #expect(code == 0, "\(headerText)") }
}
