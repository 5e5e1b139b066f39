import Basics
import Testing

struct AddressBlockTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("10.1.2.3/32", "10.1.2.3/32"),
        ("10.1.2.2/31", "10.1.2.2/31"), ("::/0", "::/0"), ("2001:DB8:0::/48", "2001:db8::/48"),
        ("fe80::1/128", "fe80::1/128"), ("2001:db8:0:1::/64", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:8000::/65", "2001:db8:0:1:8000::/65"),
    ])
    func isRead(text: String, canonical: String) throws {
        let block = try #require(AddressBlock(text))
        #expect(block.description == canonical)
        #expect(AddressBlock(canonical) == block)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0/8", "10.0.0.256/32", "010.0.0.0/8", "::/129", "[::]/0", "fe80::1%lo/128",
        "localhost/8", "٣.0.0.0/8", "10.0.0.0/٨", "10.0.0.0\0x/8",
        // Bits beyond the prefix.
        "10.0.0.1/8", "10.1.2.3/31", "::1/0", "2001:db8::1/127", "2001:db8:0:1:8000::/64",
        // IPv4 in IPv6 notation.
        "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/8",
    ])
    func isRefused(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test(arguments: [
        (
            "10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
            ["11.0.0.0", "9.255.255.255", "a00::", "::"]
        ),
        ("10.1.2.2/31", ["10.1.2.2", "10.1.2.3"], ["10.1.2.1", "10.1.2.4"]),
        ("0.0.0.0/0", ["255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1", "", "localhost", "10.0.0", "1.2.3.4\0"]),
        ("::/0", ["::", "fe80::1%eth0", "2001:db8::1"], ["10.0.0.1", "::ffff:10.0.0.1", "[::1]"]),
        ("2001:db8:0:1::/64", ["2001:db8:0:1:ffff::", "2001:db8:0:1::"], ["2001:db8:0:2::", "2001:db8::"]),
        ("2001:db8:0:1:8000::/65", ["2001:db8:0:1:8000::1"], ["2001:db8:0:1:7fff::"]),
        ("::1/128", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "127.0.0.1"]),
    ])
    func contains(text: String, inside: [String], outside: [String]) throws {
        let block = try #require(AddressBlock(text))
        for host in inside { #expect(block.contains(host), "\(host)") }
        for host in outside { #expect(!block.contains(host), "\(host)") }
    }
}
