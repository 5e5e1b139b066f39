import Logging

/// One line that a node logged.
public struct LogLine: Hashable, Sendable {
    /// True time, in nanoseconds.
    public var time: Int64
    /// The host it was logged on.
    public var host: String
    /// Whether somebody should look.
    public var isWarning = false
    /// What it says.
    public var text: String
    /// Its metadata, as text.
    public var metadata: [String: String]
}

/// Puts a node's log lines into the world's trace, while anybody wants lines, and hands them to `World.onLog`.
struct TraceLogHandler: LogHandler {
    /// The world runs on one thread; the logging interface asks for more.
    private struct Sink: @unchecked Sendable { weak var world: World? }

    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let sink: Sink
    private let name: String

    init(world: World, name: String) {
        sink = Sink(world: world)
        self.name = name
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let world = sink.world else { return }
        if let onLog = world.onLog {
            let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
            var line = LogLine(time: world.time, host: name, text: "\(event.message)", metadata: metadata)
            line.isWarning = event.level >= .warning
            onLog(line)
        }
        guard world.trace.wantsLines else { return }
        world.trace.add("\(world.timeText) \(name) \(event.level): \(event.message)")
    }
}

extension World {
    func logger(for host: Host, _ isShadow: Bool) -> Logger {
        let isHeard = trace.wantsLines || onLog != nil
        guard isHeard, !isShadow else { return Logger(label: host.name) { _ in SwiftLogNoOpLogHandler() } }
        return Logger(label: host.name) { TraceLogHandler(world: self, name: $0) }
    }
}
