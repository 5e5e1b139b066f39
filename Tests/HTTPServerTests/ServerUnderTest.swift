import Basics
import EventLoop
import Foundation
import HTTPServer
import Platform
import TestSupport

/// A server on a loop and a thread of its own, until the last reference goes.
///
/// It answers `/hello/NAME` with a greeting, `/size/N` with N bytes, `/later` in a later turn, `/never` not at all,
/// `/events` with an event stream, and anything else with 404.
final class ServerUnderTest: Sendable {
    let port: UInt16
    private let loop: Mailbox<LoopTask>
    private let ended = DispatchSemaphore(value: 0)
    /// Only touched on the loop's thread.
    private nonisolated(unsafe) let server: HTTPServer

    init(_ change: (inout HTTPServerOptions) -> Void = { _ in }) throws {
        var options = HTTPServerOptions()
        options.requestBurst = 100_000
        options.hosts = HTTPHosts(["a"])
        change(&options)
        let begun = DispatchSemaphore(value: 0)
        let ended = ended
        nonisolated(unsafe) var made: (loop: Mailbox<LoopTask>, server: HTTPServer)?
        Thread.detachNewThread { [options] in
            // Everything that is the loop's is made and let go on its thread.
            if let loop = try? EventLoop() {
                let site = TestSite(loop)
                let server = HTTPServer(platform: loop, options: options, handler: site)
                if (try? server.start(at: Address(host: "127.0.0.1", port: 0))) != nil { made = (loop.mailbox, server) }
                begun.signal()
                if made == nil { loop.stop() }
                loop.run()
                withExtendedLifetime(site) {}
            } else {
                begun.signal()
            }
            ended.signal()
        }
        begun.wait()
        guard let made else { throw TestSupportError("no server") }
        (loop, server) = made
        port = made.server.address?.port ?? 0
    }

    deinit {
        loop.send { $0.stop() }
        ended.wait()
    }

    /// Asks the server something on its own thread.
    func ask<Value: Sendable>(_ question: @escaping @Sendable (HTTPServer) -> Value) -> Value {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var value: Value?
        nonisolated(unsafe) let server = server
        loop.send { _ in
            value = question(server)
            done.signal()
        }
        done.wait()
        return value!
    }
}

/// What the tests' servers serve, over whichever platform.
final class TestSite: HTTPHandler {
    private let platform: any Platform
    private var timers: [any PlatformTimer] = []
    private var streams: [HTTPEventStream] = []
    private var ticker: (any PlatformTimer)?
    private var sent: UInt64 = 0
    private var unanswered: [HTTPReply] = []

    init(_ platform: any Platform) { self.platform = platform }

    func respond(to request: HTTPRequest, _ reply: HTTPReply) {
        switch request.path.first {
        case "hello":
            let words = ["hello"] + request.path.dropFirst() + request.query.map { "\($0.name)=\($0.value)" }
            reply.send(HTTPResponse(.ok, text: words.joined(separator: ",")))
        case "size":
            let count = request.path.last.flatMap { Int($0) } ?? 0
            reply.send(
                HTTPResponse(
                    contentType: "application/octet-stream", body: Array(repeating: UInt8(ascii: "x"), count: count)))
        case "later":
            let timer = platform.makeTimer { reply.send(HTTPResponse(.ok, text: "later")) }
            timer.start(at: platform.now + .milliseconds(20))
            timers.append(timer)
        case "never": unanswered.append(reply)
        case "events":
            guard let stream = reply.openEventStream() else { return }
            streams.append(stream)
            stream.onClosed = { [unowned self, unowned stream] in streams.removeAll { $0 === stream } }
            tick()
        default: reply.send(HTTPResponse(.notFound, text: "404 Not Found"))
        }
    }

    /// An event of 8 KiB each millisecond while somebody listens.
    private func tick() {
        guard !streams.isEmpty else { return }
        sent += 1
        var output = ByteWriter()
        output.appendEvent("tick", id: sent) { $0.append(utf8: String(repeating: "t", count: 8 << 10)) }
        for stream in streams { stream.send(output) }
        let timer = platform.makeTimer { [unowned self] in tick() }
        timer.start(at: platform.now + .milliseconds(1))
        ticker = timer
    }
}
