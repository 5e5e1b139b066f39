import Basics
import EventLoop
import Migration
import Platform
import TestSupport
import Testing

/// The recorder's memory, whatever clients leave unfinished.
@Suite struct UnfinishedFramesTests {
    /// Who leaves too much unfinished is passed on without being written down; others are written down.
    @Test func areBounded() throws {
        let node = try NameServerProcess()
        let loop = try EventLoop()
        let directory = TemporaryDirectory()
        let file = try RecordingFile(creating: directory.file("a.recording"))
        let writer = RecordingWriter(platform: loop, file: file, limit: 1 << 20, server: "it")
        let proxy = try RecordingProxy(
            platform: loop, listen: Address(host: "127.0.0.1", port: 0),
            target: Address(host: "127.0.0.1", port: node.port), writer: writer, unfinishedLimit: 32 << 10)
        func run(until isDone: @escaping () -> Bool) {
            var timer: (any PlatformTimer)?
            let end = loop.now + .seconds(30)
            timer = loop.makeTimer {
                if isDone() || loop.now > end { return loop.stop() }
                timer?.start(at: loop.now + .milliseconds(5))
            }
            timer?.start(at: loop.now)
            loop.run()
            timer = nil
        }
        // A header of a kilobyte and the first part of a body of 200,000 bytes, three times: one fits.
        let half: [UInt8] = [0, 3, 13, 64, 0, 0, 4, 0] + Array(repeating: UInt8(ascii: " "), count: 20_000)
        let flooding = try (0..<3).map { _ in try RawConnection(port: proxy.address.port) }
        for connection in flooding { try connection.send(half) }
        let other = try RawConnection(port: proxy.address.port)
        try other.send(clusterInfoRequest)
        var status = (unreadable: 0, requests: 0)
        run {
            status = (proxy.counters.unreadable, proxy.counters.requests)
            return status == (2, 1)
        }
        #expect(status == (2, 1))
        withExtendedLifetime((flooding, other, proxy, directory)) {}
    }

    private var clusterInfoRequest: [UInt8] {
        let header = Array(#"{"code":106,"flag":0,"language":"JAVA","opaque":1,"version":453}"#.utf8)
        return [0, 0, 0, UInt8(4 + header.count), 0, 0, 0, UInt8(header.count)] + header
    }
}
