import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct ListenerTests {
    @Test func tellsOfAPortInUse() throws {
        try withLoop { loop in
            let listener = try loop.listen { _ in nil }
            #expect(listener.address.port > 0 && listener.address.host == "127.0.0.1")
            let expected = PlatformError(
                operation: "listen on \(listener.address)", name: "EADDRINUSE", message: "address already in use")
            #expect(throws: expected) {
                try loop.listen(at: listener.address, options: .init(), handler: TestAcceptor { _ in nil })
            }
            loop.stop()
        }
    }

    /// A host, and the name of the error it gives; nil = none.
    @Test(arguments: [
        ("localhost", nil), ("0.0.0.0", nil), ("192.0.2.1", "EADDRNOTAVAIL"), ("not a name", "EAI"),
    ])
    func listensAtHosts(host: String, failure: String?) throws {
        try withLoop { loop in
            do throws(PlatformError) {
                let listener = try loop.listen(
                    at: Address(host: host, port: 0), options: .init(), handler: TestAcceptor { _ in nil })
                #expect(failure == nil && listener.address.host == host && listener.address.port > 0)
            } catch {
                #expect(error.name == failure)
            }
            loop.stop()
        }
    }

    @Test func refusesBeyondTheLimit() throws {
        try withLoop { loop in
            var options = StreamOptions()
            options.connectionLimit = 2
            var warnings: [String] = []
            loop.onWarning = { warnings.append($0) }
            var accepted = 0
            var ends = 0
            var ended: () -> Void = {}
            let listener = try loop.listen(options: options) { _ in
                accepted += 1
                if accepted == 3 { loop.stop() }
                let server = TestHandler()
                server.onClose = { _, _ in ended() }
                return server
            }
            let address = listener.address
            ended = {
                ends += 1
                // The one that ended has made room.
                if ends == 2 { loop.connect(to: address, TestHandler()) }
            }
            loop.offload {
                let clients = [RawClient(address), RawClient(address)]
                for client in clients { client.send([1]) }
                let refused = [RawClient(address), RawClient(address)].map { $0.receive() }
                clients[0].close()
                return refused
            } completion: { refused in
                #expect(refused == [[], []])
                #expect(accepted == 2)
                #expect(warnings == ["\(address) refuses connections: the limit of 2 connections is reached"])
                ended()
            }
        }
    }

    /// A refusal by the handler closes the connection without a word to anyone.
    @Test func letsTheHandlerRefuse() throws {
        try withLoop { loop in
            let listener = try loop.listen { _ in nil }
            let address = listener.address
            loop.offload {
                RawClient(address).receive()
            } completion: { received in
                #expect(received.isEmpty && loop.openStreams == 0)
                loop.stop()
            }
        }
    }

    /// Closed inside `accept`: the connection being accepted lives on, no further one is accepted.
    @Test func closesInsideAccept() throws {
        try withLoop { loop in
            var listener: (any Listener)?
            let server = TestHandler.echo()
            listener = try loop.listen { _ in
                listener?.close()
                listener?.close()
                listener = nil
                return server
            }
            let client = TestHandler()
            client.onOpen = { $0.write("hello") }
            client.onBytes = { _, bytes, _ in
                #expect(server.opened == 1)
                loop.stop()
                return Consumption(consumed: bytes.count)
            }
            loop.connect(to: listener!.address, client)
        }
    }

    /// In a process of its own, with no descriptor to spare: waiting connections are closed at once, one warning is
    /// given, and the loop accepts again when descriptors are there.
    @Test func refusesWhenDescriptorsRunOut() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                var warnings: [String] = []
                loop.onWarning = { warnings.append($0) }
                let server = TestHandler()
                let listener = try loop.listen { _ in server }
                let address = listener.address
                // More than one: the test's own process may free a descriptor meanwhile, which is then used.
                let clients = (0..<8).map { _ in RawClient(address) }
                let old = setDescriptorLimit(clients[7].descriptor + 1)
                var poll: (any PlatformTimer)?
                poll = loop.makeTimer {
                    guard !warnings.isEmpty else {
                        poll?.start(at: loop.now + .milliseconds(1))
                        return
                    }
                    poll = nil
                    setDescriptorLimit(Int32(clamping: old))
                    precondition(warnings == ["\(address) refuses connections: out of file descriptors"], "\(warnings)")
                    precondition(server.opened < clients.count)
                    server.onOpen = { _ in loop.stop() }
                    loop.connect(to: address, TestHandler())
                }
                poll?.start(at: loop.now)
            }
        }
    }
}

/// Lets this process open no descriptor from `limit` on; gives the limit that was.
@discardableResult
private func setDescriptorLimit(_ limit: Int32) -> rlim_t {
    var limits = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    let old = limits.rlim_cur
    limits.rlim_cur = min(rlim_t(limit), limits.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    return old
}
