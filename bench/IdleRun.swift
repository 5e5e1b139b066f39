import Basics
import EventLoop
import Glibc
import Platform
import Remoting
import RemotingTransport

/// Opens many connections, lets each ask once, and looks how the server has grown.
final class IdleRun {
    private let target: Target
    private let count: Int

    init(target: Target, count: Int) {
        self.target = target
        self.count = count
    }

    /// Resident bytes per connection. Half of the connections are opened before the first look, so that memory which
    /// the server keeps anyway is not counted.
    func bytesPerConnection() throws(PlatformError) -> Int {
        let loop = try EventLoop()
        var before = 0
        var after = 0
        let request = [
            RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": "nobody-has-it"])
        ].map { command -> [UInt8] in
            var writer = ByteWriter()
            command.encode(into: &writer)
            return writer.array()
        }
        var opened = 0
        var handlers: [LoadConnection] = []
        func openNext() {
            if opened == count / 2 { before = target.residentBytes() ?? 0 }
            if opened == count {
                after = target.residentBytes() ?? 0
                loop.stop()
                return
            }
            opened += 1
            let connection = LoadConnection(frames: request, depth: 1, limit: 1)
            connection.onDone = openNext
            handlers.append(connection)
            _ = loop.connect(to: target.address, timeout: .seconds(3), options: StreamOptions(), handler: connection)
        }
        openNext()
        loop.run()
        return (after - before) / max(1, count - count / 2)
    }
}
