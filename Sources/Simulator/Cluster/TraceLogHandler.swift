import Logging

/// Puts a node's log lines into the world's trace, while anybody wants lines.
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
        guard let world = sink.world, world.trace.wantsLines else { return }
        world.trace.add("\(world.timeText) \(name) \(event.level): \(event.message)")
    }
}

extension World {
    func logger(for host: Host, _ isShadow: Bool) -> Logger {
        guard trace.wantsLines, !isShadow else { return Logger(label: host.name) { _ in SwiftLogNoOpLogHandler() } }
        return Logger(label: host.name) { TraceLogHandler(world: self, name: $0) }
    }
}
