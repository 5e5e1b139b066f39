// A node's TLS with certificates: a real node, asked by our own client.

import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import SecureTransport
import TestSupport
import Testing

@Suite struct RemotingTLSTests {
    /// A node's certificates in a directory, and the node.
    private struct Stage {
        let directory = TemporaryDirectory()
        let authority = TestAuthority("authority")

        /// Puts a certificate or its key where the node looks, as a tool that renews certificates does.
        func write(_ certificates: Certificates, certificate: Bool = true, key: Bool = true) throws {
            let files = [(certificates.certificate, "a.pem", certificate), (certificates.privateKey, "a.key", key)]
            for (file, name, isWanted) in files where isWanted {
                try directory.write(String(decoding: file.bytes, as: UTF8.self), to: name)
            }
        }

        func start(clientCertificates: String = "none", authority: TestAuthority? = nil) throws -> NameServerProcess {
            let text = authority.map { String(decoding: $0.file.bytes, as: UTF8.self) }
            let trusted = try text.map { try directory.write($0, to: "clients.pem") }
            return try NameServerProcess([
                "tls.server.certPath": directory.file("a.pem"), "tls.server.keyPath": directory.file("a.key"),
                "tls.server.need.client.auth": clientCertificates, "tls.server.authClient": "\(authority != nil)",
                "tls.server.trustCertPath": trusted ?? "",
            ])
        }
    }

    private let stage = Stage()
    private static let listTopics = RemotingCommand(request: RequestCode.getAllTopicListFromNameServer)

    /// The codes of the answers to requests that are sent at once; nil where there was none.
    private func codes(
        of node: NameServerProcess, _ client: ClientCredentials, _ requests: [RemotingCommand] = [listTopics]
    ) throws -> [Int32?] {
        let loop = try EventLoop()
        let connection = RemotingConnection(
            platform: SecuredPlatform(loop, client: try TLSContext(client: client)),
            address: Address(host: "127.0.0.1", port: node.port))
        var codes: [Int32?] = []
        for request in requests {
            connection.call(request, timeout: .seconds(60)) { result in
                codes.append((try? result.get())?.code)
                if codes.count == requests.count { loop.stop() }
            }
        }
        loop.run()
        return codes
    }

    private func client(trusting authority: TestAuthority? = nil, as own: Certificates? = nil) -> ClientCredentials {
        var client = ClientCredentials()
        client.authority = authority?.file
        client.identity = own.map { ($0.certificate, $0.privateKey, nil) }
        return client
    }

    @Test func aClientTrustsTheAuthorityOrNobody() throws {
        try stage.write(stage.authority.issue("ns-1"))
        let node = try stage.start()
        #expect(try codes(of: node, client()) == [0])
        #expect(try codes(of: node, client(trusting: stage.authority)) == [0])
        #expect(try codes(of: node, client(trusting: TestAuthority("stranger"))) == [nil])
    }

    /// By what clients show: nothing, a certificate of the right authority, one of another.
    @Test(arguments: [
        ("none", true, [true, true, true]), ("optional", true, [true, true, false]),
        ("require", true, [false, true, false]), ("require", false, [false, true, true]),
    ])
    func whatClientsMustShow(demand: String, verifies: Bool, answered: [Bool]) throws {
        try stage.write(stage.authority.issue("ns-1"))
        let node = try stage.start(clientCertificates: demand, authority: verifies ? stage.authority : nil)
        let clients = [
            client(), client(as: stage.authority.issue("client")), client(as: TestAuthority("other").issue("client")),
        ]
        for (client, isAnswered) in zip(clients, answered) {
            #expect(try codes(of: node, client) == [isAnswered ? 0 : nil])
        }
    }

    /// Which changes count is `CertificateChangesTests`.
    @Test func aNewPairIsTakenAndABrokenOneIsNot() throws {
        try stage.write(stage.authority.issue("ns-1"))
        let node = try stage.start()
        let next = TestAuthority("next")
        try stage.write(next.issue("ns-1"))
        #expect(try poll(within: .seconds(60)) { try codes(of: node, client(trusting: next)) == [0] })
        #expect(try codes(of: node, client(trusting: stage.authority)) == [nil])
        // A certificate and the key of another.
        try stage.write(next.issue("ns-1"), key: false)
        try stage.write(next.issue("ns-1"), certificate: false)
        #expect(poll(within: .seconds(60)) { node.process.errorText.contains("the old certificate stays in use") })
        #expect(try codes(of: node, client(trusting: next)) == [0])
    }

    /// Pipelined requests, and bodies that are decoded on another thread, come through whole and in order.
    @Test func registrationsOfManyTopics() throws {
        try stage.write(stage.authority.issue("ns-1"))
        let body = Registration { $0.topics = (0..<20_000).map { RegisteredTopic("topic-\($0)") } }.body
        let registration = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: [
                "brokerAddr": "10.0.0.1:10911", "brokerId": "0", "brokerName": "broker-a", "clusterName": "C",
                "haServerAddr": "", "compressed": "false",
                "bodyCrc32": "\(body.withUnsafeBytes { Checksum.bodyCRC32($0) })",
            ], body: body)
        let route = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": "topic-19999"])
        #expect(
            try codes(of: stage.start(), client(), [registration, route, registration, route, route])
                == [0, 0, 0, 0, 0])
    }

    @Test func filesThatDoNotFitEndTheStart() throws {
        try stage.write(stage.authority.issue("ns-1"))
        try stage.write(stage.authority.issue("ns-1"), certificate: false)
        let error = #expect(throws: TestSupportError.self) { try stage.start() }
        #expect(String(describing: error).contains("it is not the key of the certificate"))
    }
}
