// One `hearsay serve` on a free port of loopback.

/// A NameServer node under test; dies with its last reference (its connections hold one).
public final class NameServerProcess: Sendable {
    /// The process, for signals, logs and its directory.
    public let process: NodeProcess
    /// The port it serves.
    public let port: UInt16

    /// Starts a node and waits until it serves.
    ///
    /// - Parameters:
    ///   - properties: RocketMQ properties (protocol.md 5.1, 5.2). With any, the node gets a `-c` file that also says
    ///     where to listen and where the KV file is; with none it runs on its defaults.
    ///   - directory: that of an earlier life, to start the same node again.
    /// - Throws: `TestSupportError` when the node does not come up.
    public init(
        _ properties: KeyValuePairs<String, String> = [:], directory: TemporaryDirectory = TemporaryDirectory()
    ) throws {
        var arguments = ["serve", "--listen", "127.0.0.1:0"]
        if !properties.isEmpty {
            var lines = "listenPort=0\nbindAddress=127.0.0.1\nkvConfigPath=\(directory.file("kvConfig.json"))\n"
            for (key, value) in properties { lines += "\(key)=\(value)\n" }
            arguments = ["serve", "-c", try directory.write(lines, to: "node.properties")]
        }
        process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: arguments, directory: directory)
        let greeting = "The Name Server boot success. serializeType=JSON, address 127.0.0.1:"
        port = try process.line { line in
            line.hasPrefix(greeting) ? UInt16(line.dropFirst(greeting.count)) : nil
        }
    }

    /// The node's home, working directory and place of its files.
    public var directory: TemporaryDirectory { process.directory }

    /// Opens a connection that keeps the node alive.
    public func connect() throws -> RawConnection {
        let connection = try RawConnection(port: port)
        connection.keepAlive = self
        return connection
    }
}
