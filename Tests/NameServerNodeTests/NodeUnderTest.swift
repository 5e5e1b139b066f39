import Basics
import EventLoop
import Foundation
import HTTPServer
import Logging
import NameServerCore
import NameServerNode
import Remoting
import TestSupport

/// A node with an HTTP port, on a loop and a thread of its own, until the last reference goes.
final class NodeUnderTest: Sendable {
    let port: UInt16
    let httpPort: UInt16
    private let loop: Mailbox<LoopTask>
    private let ended = DispatchSemaphore(value: 0)
    /// Only touched on the loop's thread.
    private nonisolated(unsafe) let node: NameServerNode

    init(_ change: (inout NodeOptions) -> Void = { _ in }) throws {
        var options = NodeOptions(properties: NamesrvProperties())
        options.properties.kvConfigPath = ""
        options.name = "ns-1"
        options.listen = Address(host: "127.0.0.1", port: 0)
        var http = HTTPOptions(listen: Address(host: "127.0.0.1", port: 0))
        http.server.requestBurst = 100_000
        http.summaryInterval = .milliseconds(50)
        http.nodes = [
            ("ns-1", Address(host: "ns1.example", port: 9_876)), ("ns-2", Address(host: "ns2.example", port: 9_876)),
        ]
        options.http = http
        change(&options)
        let begun = DispatchSemaphore(value: 0)
        let ended = ended
        nonisolated(unsafe) var made: (loop: Mailbox<LoopTask>, node: NameServerNode)?
        Thread.detachNewThread { [options] in
            if let loop = try? EventLoop() {
                let logger = Logger(label: "ns-1") { _ in SwiftLogNoOpLogHandler() }
                if let node = try? NameServerNode(platform: loop, options: options, logger: logger),
                    (try? node.start()) != nil
                {
                    made = (loop.mailbox, node)
                }
                begun.signal()
                if made == nil { loop.stop() }
                loop.run()
            } else {
                begun.signal()
            }
            ended.signal()
        }
        begun.wait()
        guard let made else { throw TestSupportError("no node") }
        (loop, node) = made
        port = made.node.address.port
        httpPort = made.node.httpAddress?.port ?? 0
    }

    deinit {
        loop.send { $0.stop() }
        ended.wait()
    }

    func get(_ path: String) throws -> HTTPAnswer { try RawConnection.get(path, port: httpPort) }

    /// Begins to stop the node, as SIGTERM does.
    func shutdown() {
        nonisolated(unsafe) let node = node
        loop.send { _ in node.shutdown {} }
    }
}
