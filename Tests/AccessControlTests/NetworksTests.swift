import AccessControl
import Basics
import Testing

@Suite struct NetworksTests {
    private static func networks(_ texts: [String]) throws -> Networks {
        Networks(try texts.map { try #require(AddressBlock($0)) })
    }

    /// Who speaks, for whom (nil: for himself, "": for somebody unknown), and whether he is let in.
    private static let origins: [(peer: String, source: String?, local: Bool, ten: Bool, everywhere: Bool)] = [
        ("127.0.0.1", nil, true, false, true), ("127.255.0.9", nil, true, false, true), ("::1", nil, true, false, true),
        ("10.1.2.3", nil, false, true, true), ("::ffff:10.1.2.3", nil, false, true, true),
        ("::ffff:127.0.0.1", nil, true, false, true), ("fe80::1%eth0", nil, false, false, true),
        // A name is no address.
        ("localhost", nil, false, false, true), ("", nil, false, false, true),
        // Somebody passes himself off as local.
        ("10.1.2.3", "127.0.0.1", false, false, true), ("10.1.2.3", "::1", false, false, true),
        // A proxy on this machine, for somebody else, for somebody here, and for nobody knows whom.
        ("127.0.0.1", "10.1.2.3", false, false, true), ("127.0.0.1", "127.0.0.1", true, false, true),
        ("127.0.0.1", "::ffff:127.0.0.1", true, false, true), ("127.0.0.1", "", false, false, true),
        ("10.0.0.1", "10.1.2.3", false, true, true), ("10.0.0.1", "11.1.2.3", false, false, true),
        ("10.0.0.1", "", false, false, true),
    ]

    @Test(arguments: origins)
    func whoIsLetIn(peer: String, source: String?, local: Bool, ten: Bool, everywhere: Bool) throws {
        var origin = RequestOrigin(peer: Address(host: peer, port: 1))
        if let source {
            origin.forwarding = .proxied(source.isEmpty ? nil : Address(host: source, port: 2))
        }
        #expect(Networks.loopback.contain(origin) == local)
        #expect(try Self.networks(["10.0.0.0/8", "fd00::/8"]).contain(origin) == ten)
        #expect(Networks.everywhere.contain(origin) == everywhere)
        #expect(!Networks([]).contain(origin))
    }

    @Test(arguments: [
        (["0.0.0.0/0", "::/0"], true, false), (["10.0.0.0/8", "::/0", "0.0.0.0/0"], true, false),
        (["0.0.0.0/0"], false, false), (["::/0"], false, false), ([], false, true),
        (["127.0.0.0/8", "::1/128"], false, true), (["127.0.0.1/32"], false, true),
        (["127.0.0.1/32", "10.0.0.0/8"], false, false),
    ])
    func whatTheyAre(blocks: [String], everywhere: Bool, loopback: Bool) throws {
        let networks = try Self.networks(blocks)
        #expect(networks.isEverywhere == everywhere)
        #expect(networks.isLoopback == loopback)
    }

    @Test(arguments: [
        ([], "nowhere"), (["127.0.0.0/8", "::1/128"], "127.0.0.0/8, ::1/128"),
        (
            ["10.0.0.0/8", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.4/32", "10.0.0.5/32"],
            "10.0.0.0/8, 10.0.0.1/32, 10.0.0.2/32, 10.0.0.3/32 and 2 more"
        ),
    ])
    func howTheyAreNamed(blocks: [String], text: String) throws {
        #expect(try Self.networks(blocks).description == text)
    }
}
