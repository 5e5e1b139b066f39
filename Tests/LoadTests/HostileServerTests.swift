import Basics
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Load

/// Servers that do not speak the protocol: every run ends by itself and says why.
@Suite("Servers that are none")
struct HostileServerTests {
    private var plan: Plan { Workload.miss.plan(WorkloadSettings(fleet: Fleet(brokers: 1, topics: 2))) }

    private func error(_ address: Address, preparing: Bool = false) throws -> LoadError? {
        var plan = plan
        if !preparing { plan.preparation = [] }
        do throws(LoadError) {
            var generator = try Generator(plan.paced(.closed(depth: 2)), to: address)
            let outcome = try generator.run(
                Phases(warmUp: .zero, repetitions: 1, length: .seconds(20)), usage: { nil })
            Issue.record("measured \(outcome.answered(0)) answers of a server that gives none")
            return nil
        } catch {
            return error
        }
    }

    @Test("nobody listens")
    func nobody() throws {
        let address = try ServerUnderTest.freeAddress()
        #expect(try error(address)?.kind == .unreachable)
    }

    @Test("a name that nobody knows")
    func unknown() throws {
        #expect(try error(Address(host: "no-such-host.invalid", port: 9876))?.kind == .unreachable)
    }

    /// What it says, what that is called.
    @Test(
        "one that talks nonsense, or closes",
        arguments: [
            ([UInt8]("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), LoadError.Kind.garbage),
            ([0, 0, 0, 8, 0, 0, 0, 4, 0x7B, 0x7B, 0x7B, 0x7B], .garbage),
            ([0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], .garbage),
            ([0, 0, 0, 0], .garbage),
            ([], .closed),
        ] as [([UInt8], LoadError.Kind)], [false, true])
    func nonsense(_ answer: ([UInt8], LoadError.Kind), isPreparing: Bool) throws {
        let server = RudeServer(answer: answer.0)
        let error = try error(server.address, preparing: isPreparing)
        #expect(error?.kind == answer.1, "\(error?.description ?? "")")
        #expect(error?.description.contains(server.address.description) == true)
    }

    @Test("answers with a wrong opaque, code or body are counted, not believed")
    func wrongAnswers() throws {
        let limit = try ServerUnderTest.limit(
            Program(ProductsDirectory.executable("limit-server")), canned: Array("{}".utf8))
        defer { limit.stop() }
        var settings = WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2))
        settings.clients = 2
        let measured = try Session(
            server: limit, phases: Phases(warmUp: .zero, repetitions: 1, length: .milliseconds(30))
        )
        .measure(Workload.hit.plan(settings), .closed(depth: 1)).measurement
        #expect(measured.wrong > 0 && measured.wrong <= measured.repetitions[0].due)
        #expect(measured.notes.first == "code 0 with an unexpected body of 2 bytes")
    }

    @Test("a preparing request that is refused ends the run")
    func refusedPreparation() throws {
        let limit = try ServerUnderTest.limit(Program(ProductsDirectory.executable("limit-server")), canned: nil)
        defer { limit.stop() }
        var builder = PlanBuilder(WorkloadSettings(fleet: Fleet(brokers: 1, topics: 2)))
        let body = builder.book.keep([1, 2, 3])
        let registration = builder.book.add(
            builder.settings.fleet.registration(of: 0, bodyCRC32: body.crc32 + 1), body: body, expecting: .code(0))
        let plan = Plan(
            "refused", book: builder.book, preparation: [[registration]],
            traffics: [Traffic("x", lanes: [[builder.missingLookup()]], pacing: .closed(depth: 1))])
        var generator = try Generator(plan, to: limit.address)
        #expect(throws: LoadError.self) { try generator.run(.once(limit: .seconds(5)), usage: { nil }) }
    }
}

/// Accepts, reads something, says its one thing, closes; again and again, on a thread of its own.
private final class RudeServer: Sendable {
    let address: Address
    private let descriptor: Int32

    init(answer: [UInt8]) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        own.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, size) == 0 && listen(listener, 64) == 0)
                precondition(getsockname(listener, $0, &size) == 0)
            }
        }
        descriptor = listener
        address = Address(host: "127.0.0.1", port: UInt16(bigEndian: own.sin_port))
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    close(listener)
                    return
                }
                var buffer = [UInt8](repeating: 0, count: 65_536)
                _ = recv(connection, &buffer, buffer.count, 0)
                _ = send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
                shutdown(connection, Int32(SHUT_WR))
                while recv(connection, &buffer, buffer.count, 0) > 0 {}
                close(connection)
            }
        }
    }

    /// Wakes the thread up, which closes: a number closed here could be another listener's while the thread still uses it.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
