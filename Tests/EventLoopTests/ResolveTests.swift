import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct ResolveTests {
    /// A host in digits answers itself, in one spelling for each address.
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("10.1.2.3", "10.1.2.3"), ("::1", "::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:10.0.0.1", "10.0.0.1"),
    ])
    func digitsAnswerThemselves(host: String, canonical: String) throws {
        var answers: [[Address]] = []
        try withLoop { loop in
            loop.resolve(Address(host: host, port: 9877)) { result in
                if case .success(let addresses) = result { answers.append(addresses) }
                loop.stop()
            }
            #expect(answers.isEmpty, "answered at once")
        }
        #expect(answers == [[Address(host: canonical, port: 9877)]])
    }

    /// Whatever localhost is on this machine (`::1` may be missing), each address has the port asked for.
    @Test func looksUpNames() throws {
        var found: [Address] = []
        try withLoop { loop in
            loop.resolve(Address(host: "localhost", port: 9877)) { result in
                found = (try? result.get()) ?? []
                #expect(loop.resolutions.count == 0)
                loop.stop()
            }
            #expect(found.isEmpty && loop.resolutions.count == 1, "answered at once")
        }
        #expect(found.contains(Address(host: "127.0.0.1", port: 9877)))
        #expect(found.allSatisfy { $0.port == 9877 && SocketAddress(numeric: $0) != nil }, "\(found)")
        #expect(found == Resolution.chosen(found))
    }

    /// Some are refused by the resolver on its thread, some by libuv within the call; all are told later.
    @Test(arguments: ["not a name", String(repeating: "x", count: 1000), ""])
    func tellsOfANameThatIsNone(host: String) throws {
        var failures: [PlatformError] = []
        try withLoop { loop in
            loop.resolve(Address(host: host, port: 1)) { result in
                if case .failure(let error) = result { failures.append(error) }
                loop.stop()
            }
            #expect(failures.isEmpty, "answered at once")
        }
        #expect(failures.map(\.operation) == ["look up \(host)"])
    }

    /// Resolvers rotate their answers: the same set, in whatever order and with repetitions, is the same list.
    @Test func choosesTheSameOfAnyOrder() {
        let all = (10..<40).map { Address(host: "10.0.0.\($0)", port: 9) } + [Address(host: "::1", port: 9)]
        let expected = Array(all.prefix(resolvedAddressLimit))
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<50 {
            #expect(Resolution.chosen((all + all).shuffled(using: &generator)) == expected)
        }
        #expect(Resolution.chosen([]) == [])
    }

    /// Asked for in one turn; each gets its own answer, once.
    @Test func answersManyAtOnce() throws {
        var ports: [UInt16] = []
        try withLoop { loop in
            for port in UInt16(1)...20 {
                loop.resolve(Address(host: port % 2 == 0 ? "localhost" : "::1", port: port)) { result in
                    guard case .success(let addresses) = result else { return #expect(Bool(false), "\(result)") }
                    #expect(addresses.allSatisfy { $0.port == port })
                    ports.append(port)
                    if ports.count == 20 { loop.stop() }
                }
            }
        }
        #expect(ports.sorted() == Array(1...20))
    }

    /// A loop that stops answers nobody, and lets go of whoever waited.
    @Test(arguments: ["127.0.0.1", "localhost", String(repeating: "x", count: 1000)])
    func stopsWithoutAnAnswer(host: String) throws {
        final class Witness {}
        weak var early: Witness?
        weak var late: Witness?
        try withLoop { loop in
            let address = Address(host: host, port: 1)
            let (first, second) = (Witness(), Witness())
            (early, late) = (first, second)
            loop.resolve(address) { _ in Issue.record("answered after the stop: \(first)") }
            loop.stop()
            #expect(loop.resolutions.count == 0)
            loop.resolve(address) { _ in Issue.record("answered after the stop: \(second)") }
        }
        #expect(early == nil && late == nil)
    }
}
