// protocol.md 5.7, checklist 24 and 25.

import Basics
import Remoting
import Testing

@Suite struct ProxyHeaderTests {
    private func recognise(_ bytes: [UInt8]) throws -> ProxyHeader.Recognition {
        try bytes.withUnsafeBytes { try ProxyHeader.recognise($0) }
    }

    private static let signature = hex("0d0a0d0a 000d0a51 5549540a")

    @Test(
        arguments: [
            ("PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n", Address(host: "1.2.3.4", port: 1111)),
            ("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n", Address(host: "2001:db8::1", port: 65_535)),
            ("PROXY UNKNOWN\r\n", nil), ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", nil),
        ] as [(String, Address?)])
    func line(_ text: String, _ source: Address?) throws {
        let bytes = Array(text.utf8)
        #expect(try recognise(bytes + [0, 0, 0, 5]) == .header(length: bytes.count, source: source))
        for count in 1..<bytes.count {
            guard case .incomplete(let needed) = try recognise(Array(bytes[..<count])) else {
                Issue.record("\(count) bytes are no beginning")
                continue
            }
            #expect(needed > count && needed <= bytes.count)
        }
    }

    @Test(arguments: [
        "PROXY garbage\r\n", "PROXY \r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1111\r\n", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 x 2\r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY " + String(repeating: "a", count: 101),
    ])
    func malformedLine(_ text: String) {
        #expect(code { try recognise(Array(text.utf8)) } == .proxyHeader)
    }

    /// Command and family, length of what follows, addresses and more; the source.
    @Test(
        arguments: [
            ("2111 000c c0000201 c6336401 dc04 01bb", Address(host: "192.0.2.1", port: 56_324)),
            ("2111 0010 c0000201 c6336401 dc04 01bb 04000100", Address(host: "192.0.2.1", port: 56_324)),  // with a TLV
            (
                "2121 0024 20010db8000000000000000000000001 00000000000000000000000000000001 0001 0002",
                Address(host: "2001:db8:0:0:0:0:0:1", port: 1)
            ),
            ("2000 0000", nil), ("2011 000c c0000201 c6336401 dc04 01bb", nil),  // local: the balancer itself
            ("2100 0003 010203", nil),  // family unknown
        ] as [(String, Address?)])
    func binary(_ text: String, _ source: Address?) throws {
        let bytes = Self.signature + hex(text)
        #expect(try recognise(bytes + [0, 0]) == .header(length: bytes.count, source: source))
        for count in 1..<bytes.count {
            #expect(
                try recognise(Array(bytes[..<count]))
                    == .incomplete(needed: count < 12 ? 16 : count < 16 ? 16 : bytes.count))
        }
    }

    @Test(arguments: [
        ("1111 000c", RemotingError.Code.proxyHeader), ("2211 000c", .proxyHeader), ("2141 000c", .proxyHeader),
        ("2113 000c", .proxyHeader), ("2111 000b c0000201 c6336401 dc04 01", .proxyHeader), ("2111 ffff", .limit),
    ])
    func malformedBinary(_ text: String, _ expected: RemotingError.Code) {
        #expect(code { try recognise(Self.signature + hex(text)) } == expected)
    }

    /// No frame is taken for a header, and what only begins like one is left to the frame reader, which refuses it.
    @Test func absent() throws {
        for bytes in [
            [], frame(json: "{}"), Array("PROXX".utf8), Array("GET / HTTP/1.1".utf8), [0x16, 3, 1], hex("0d0a0d0b"),
        ] {
            #expect(try recognise(bytes) == .absent)
        }
    }
}
