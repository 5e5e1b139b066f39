// TLS on the remoting port (protocol.md 5.6), asked for by Python's ssl module.

import TestSupport
import Testing

import class Foundation.FileManager
import struct Foundation.URL

@Suite struct TLSTests {
    private let listTopics = RawRequest(206)

    /// What one connection with TLS is answered; nil = it was closed.
    private func answer(
        of node: NameServerProcess, prefix: String = "", _ arguments: String..., opaque: Int32 = 7
    ) throws -> RawFrame? {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/tls_client.py"
        let request = listTopics.frame(opaque: opaque)
        let client = try NodeProcess(
            "/usr/bin/env",
            arguments: ["python3", script, "\(node.port)", "--prefix", hex(Array(prefix.utf8))] + arguments
                + [hex(request)])
        #expect(try client.waitForExit() == .exit(0), "\(client.errorText)")
        let line = try #require(client.outputLines.first)
        return line == "closed" ? nil : RawFrame(bytes(hex: line))
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func bytes(hex text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func isPlainAnswered(_ node: NameServerProcess) throws -> Bool {
        let connection = try node.connect()
        try connection.send(listTopics.frame(opaque: 5))
        return (try? connection.receiveFrame())?.opaque == 5
    }

    /// The six cells of protocol.md 5.6, with the certificate of the test mode.
    @Test(
        .ownThread,
        arguments: [("disabled", true, false), ("permissive", true, true), ("enforcing", false, true)])
    func item026_tlsModes(mode: String, plain: Bool, secured: Bool) throws {
        let node = try NameServerProcess(["tls.server.mode": mode])
        #expect(try isPlainAnswered(node) == plain)
        #expect(try answer(of: node)?.opaque == (secured ? 7 : nil))
        #expect(try isPlainAnswered(node) == plain)
    }

    /// Without a word about TLS it is permissive; an unknown mode is, too.
    @Test(.ownThread, arguments: [[:], ["tls.server.mode": "strict"]] as [KeyValuePairs<String, String>])
    func permissiveByDefault(properties: KeyValuePairs<String, String>) throws {
        let node = try NameServerProcess(properties)
        #expect(try isPlainAnswered(node))
        #expect(try answer(of: node, "--version", "1.2")?.opaque == 7)
    }

    /// Neither files nor the test mode: there is nothing to shake hands with.
    @Test(.ownThread) func withoutACertificateItIsClosed() throws {
        let node = try NameServerProcess(["tls.test.mode.enable": "false"])
        #expect(try answer(of: node) == nil)
        #expect(try isPlainAnswered(node))
    }

    @Test(.ownThread, arguments: ["PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n", ""], [[], ["--dribble"]])
    func item027_proxyHeaderThenTLS(prefix: String, how: [String]) throws {
        let node = try NameServerProcess()
        let answered =
            how.isEmpty ? try answer(of: node, prefix: prefix) : try answer(of: node, prefix: prefix, how[0])
        #expect(answered?.opaque == 7)
        #expect(answered?.code == 0)
    }
}
