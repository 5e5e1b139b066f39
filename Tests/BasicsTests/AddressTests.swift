import Basics
import Testing

struct AddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:9876", "127.0.0.1", 9876), ("ns1.example:1", "ns1.example", 1), ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:80", "fe80::1%eth0", 80), ("h:0", "h", 0), ("h:0080", "h", 80),
        ] as [(String, String, UInt16)])
    func reads(text: String, host: String, port: UInt16) {
        #expect(Address(text) == Address(host: host, port: port))
    }

    @Test(arguments: [
        "", ":", ":1", "h", "h:", "h:x", "h:-1", "h:+1", "h:65536", "h:99999999999999999999", "::1:1", "[]:1", "[::1]",
        "a b:1", "h:1 ", "h:\u{0661}",
    ])
    func refuses(text: String) {
        #expect(Address(text) == nil)
    }

    @Test(
        arguments: [
            ("h", "h", 9876), ("[::1]", "::1", 9876), ("h:1", "h", 1), ("127.0.0.1", "127.0.0.1", 9876),
        ] as [(String, String, UInt16)])
    func fillsInADefaultPort(text: String, host: String, port: UInt16) {
        #expect(Address(text, defaultPort: 9876) == Address(host: host, port: port))
    }

    @Test(arguments: ["", "h:", "h:x", "::1", "[]", "a b"])
    func refusesWithADefaultPort(text: String) {
        #expect(Address(text, defaultPort: 9876) == nil)
    }

    @Test(arguments: ["127.0.0.1:9876", "[::1]:1", "ns1.example:0"])
    func printsWhatItRead(text: String) {
        #expect(Address(text)?.description == text)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.1.2.3", true), ("localhost", true), ("::1", true), ("128.0.0.1", false),
        ("127.example", false), ("10.0.0.1", false), ("0.0.0.0", false),
    ])
    func knowsLoopback(host: String, isLoopback: Bool) {
        #expect(Address(host: host, port: 1).isLoopback == isLoopback)
    }
}
