import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Platform
import Remoting
import RouteClient

/// `hearsay consume`: reads messages and counts them.
struct ConsumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Read the messages of a topic, from masters, or from slaves while their master is gone.",
        discussion: """
            Without --group it reads all queues and leaves no trace. With --group it shares the queues with the \
            group's other consumers, goes on where the group stopped, and commits what it has read; messages may come \
            twice when a consumer joins or leaves. Ctrl-C prints the summary. Exits with 0, with 1 when --count \
            messages did not come before --idle-exit, with 2 for wrong usage.

              hearsay consume --topic Orders --from first --idle-exit 5s --print --namesrv 127.0.0.1:9876
            """)

    @Option(help: "The topic; waits for a route when it has none.") var topic: String
    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "The consumer group.") var group: String?
    @Option(help: "Where to begin when the group has no offset: first or last.") var from = StartingPoint.first
    @Option(help: "Stop after this many messages.") var count: Int?
    @Option(help: "Stop when no message has come for so long, for example 5s.") var idleExit: TimeArgument?
    @Option(help: "How long a broker may hold a pull when there is nothing.") var hold = TimeArgument(
        .seconds(15))
    @Option(help: "Time between two route queries.") var poll = TimeArgument(.seconds(30))
    @Flag(help: "Print every message: broker, queue, offset and body.") var print = false
    @Flag(help: "No progress lines.") var quiet = false
    @Flag(help: "Print JSON, one object a line.") var json = false

    func run() throws {
        try checkTopic(topic)
        if let group {
            guard !group.isEmpty, group.utf8.count <= 255 else { throw failUsage("a group has 1 to 255 bytes") }
        }
        if let count { guard count > 0 else { throw failUsage("--count \(count) is below 1") } }
        guard hold.duration <= .seconds(60), poll.duration >= .milliseconds(10) else {
            throw failUsage("--hold is at most 60s, --poll at least 10ms")
        }
        var options = RouteClientOptions()
        options.pollInterval = poll.duration
        options.sign = try nameServers.signing.signer()
        let addresses = try nameServers.addresses()
        do {
            let loop = try EventLoop()
            let client = RouteClient(
                platform: try nameServers.tls.platform(over: loop), nameServers: addresses, options: options,
                seed: .random(in: .min ... .max))
            let session = ConsumeSession(self, client: client, loop: loop)
            try session.run()
            if let count, session.ledger.received < count, !session.wasInterrupted { throw ExitCode(1) }
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }
}

extension StartingPoint: ExpressibleByArgument {}

/// One run of `hearsay consume`.
private final class ConsumeSession {
    private(set) var ledger = DeliveryLedger()
    private(set) var wasInterrupted = false

    private let command: ConsumeCommand
    private let client: RouteClient
    private let loop: EventLoop
    private let consumer: Consumer
    private let startedAt: Instant
    private var isStopping = false
    private var lastError: String?
    private lazy var idleTimer = loop.makeTimer { [unowned self] in stop() }
    private lazy var progress = ProgressLine(platform: loop) { [unowned self] in
        "\(oneDecimal($0.seconds)) s: received \(ledger.received) from \(consumer.queues.count) queues, duplicates "
            + "\(ledger.duplicates), missing \(ledger.missing)"
    }

    init(_ command: ConsumeCommand, client: RouteClient, loop: EventLoop) {
        (self.command, self.client, self.loop) = (command, client, loop)
        startedAt = loop.now
        var options = ConsumerOptions()
        options.group = command.group
        options.start = command.from
        options.hold = command.hold.duration
        consumer = Consumer(client: client, topic: command.topic, options: options)
    }

    func run() throws {
        consumer.onMessages = { [unowned self] in received($2, from: $0, by: $1) }
        consumer.onCorrection = { [unowned self] queue, from, to in
            ledger.recordCorrection(of: queue, to: to)
            note("\(queue) has no offset \(from), reading on at \(to)")
        }
        consumer.onError = { [unowned self] in note("\($0)") }
        loop.onSignal(SIGINT) { [unowned self] in interrupted() }
        loop.onSignal(SIGTERM) { [unowned self] in interrupted() }
        if !command.quiet { progress.start() }
        armIdle()
        do {
            try consumer.start()
        } catch {
            throw failUsage(error)
        }
        client.route(command.topic) { [unowned self] in
            if case .failure(let error) = $0, !isStopping { note("\(error); waiting for it") }
        }
        loop.run()
    }

    private func received(_ messages: [StoredMessage], from queue: MessageQueue, by replica: Replica) {
        for message in messages {
            if let count = command.count, ledger.received >= count { break }
            ledger.record(message, from: queue, by: replica)
            if command.print { show(message, queue) }
        }
        lastError = nil
        armIdle()
        if let count = command.count, ledger.received >= count { stop() }
    }

    /// Says what is wrong, once until something else happens.
    private func note(_ error: String) {
        if error == lastError || isStopping { return }
        lastError = error
        progress.note("hearsay: \(error)")
    }

    private func armIdle() {
        guard let idle = command.idleExit, !isStopping else { return }
        idleTimer.start(at: loop.now + idle.duration)
    }

    private func interrupted() {
        // The second Ctrl-C does not wait for brokers to hear the goodbye.
        if isStopping { return loop.stop() }
        wasInterrupted = true
        stop()
    }

    private func stop() {
        if isStopping { return }
        isStopping = true
        idleTimer.cancel()
        let elapsed = loop.now - startedAt
        consumer.stop { [self] in
            progress.stop()
            ConsumePrinter(isJSON: command.json, topic: command.topic, group: command.group, elapsed: elapsed)
                .print(ledger)
            client.close()
            loop.stop()
        }
    }

    private struct Line: Encodable {
        var broker: String
        var queue: Int32
        var offset: Int64
        var bodyBytes: Int
        var body: String
        var key: String?
        var tag: String?
    }

    private func show(_ message: StoredMessage, _ queue: MessageQueue) {
        let body = (try? message.plainBody()) ?? message.body
        let text = String(decoding: body, as: UTF8.self)
        guard command.json else {
            return printLine("\(queue.brokerName):\(queue.queueID) \(message.queueOffset) \(printable(text))")
        }
        let properties = MessageProperties(message.properties)
        printJSON(
            Line(
                broker: queue.brokerName, queue: queue.queueID, offset: message.queueOffset, bodyBytes: body.count,
                body: text, key: properties[MessageProperties.Name.keys], tag: properties[MessageProperties.Name.tags]))
    }

    /// Control characters could do anything to a terminal.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "." : $0 }))
    }
}

/// Prints what was consumed.
struct ConsumePrinter {
    var isJSON: Bool
    var topic: String
    var group: String?
    var elapsed: Duration

    private struct Report: Encodable {
        var topic: String
        var group: String?
        var seconds: Double
        var received: Int
        var bodyBytes: Int
        var duplicates: Int
        var missing: Int64
        var corrections: Int
        var brokers: [Source]
        var queues: [Queue]
    }

    private struct Source: Encodable {
        var name: String
        var id: Int64
        var address: String
        var received: Int
    }

    private struct Queue: Encodable {
        var broker: String
        var queue: Int32
        var received: Int
        var firstOffset: Int64
        var nextOffset: Int64
        var missing: Int64
        var readAgain: Int
    }

    func print(_ ledger: DeliveryLedger) {
        if isJSON { return printJSON(report(ledger)) }
        printLine("received \(ledger.received) messages from \(topic) in \(oneDecimal(elapsed.seconds)) s")
        printLine(
            "duplicates \(ledger.duplicates), missing offsets \(ledger.missing), moved by a broker \(ledger.corrections)"
        )
        if ledger.received == 0 { return }
        var sources = TextTable([.left("BROKER"), .right("ID"), .left("ROLE"), .left("ADDRESS"), .right("RECEIVED")])
        for (replica, received) in ledger.byReplica {
            sources.add([
                replica.brokerName, "\(replica.brokerID)", replica.brokerID == 0 ? "master" : "slave", replica.address,
                "\(received)",
            ])
        }
        var queues = TextTable([
            .left("QUEUE"), .right("RECEIVED"), .right("FIRST"), .right("NEXT"), .right("MISSING"), .right("AGAIN"),
        ])
        for (queue, count) in ledger.byQueue {
            queues.add([
                "\(queue.brokerName):\(queue.queueID)", "\(count.received)", "\(count.firstOffset)",
                "\(count.nextOffset)", "\(count.missing)", "\(count.readAgain)",
            ])
        }
        for line in [""] + sources.lines + [""] + queues.lines { printLine(line) }
    }

    private func report(_ ledger: DeliveryLedger) -> Report {
        Report(
            topic: topic, group: group, seconds: elapsed.seconds, received: ledger.received,
            bodyBytes: ledger.bodyBytes, duplicates: ledger.duplicates, missing: ledger.missing,
            corrections: ledger.corrections,
            brokers: ledger.byReplica.map {
                Source(
                    name: $0.replica.brokerName, id: $0.replica.brokerID, address: $0.replica.address,
                    received: $0.received)
            },
            queues: ledger.byQueue.map {
                Queue(
                    broker: $0.queue.brokerName, queue: $0.queue.queueID, received: $0.count.received,
                    firstOffset: $0.count.firstOffset, nextOffset: $0.count.nextOffset, missing: $0.count.missing,
                    readAgain: $0.count.readAgain)
            })
    }
}
