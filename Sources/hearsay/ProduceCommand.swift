import ArgumentParser
import Basics
import EventLoop
import Glibc
import Platform
import Remoting
import RouteClient

/// `hearsay produce`: sends messages and counts them.
struct ProduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Send messages to a topic, through whatever brokers its route names.",
        discussion: """
            A message that a broker does not take is retried on another one; slow and failing brokers are avoided for \
            a while. Ctrl-C ends it early, after the messages under way. Exits with 0 when every message was taken, \
            with 1 when one finally failed, with 2 for wrong usage.

              hearsay produce --topic Orders --count 10000 --rate 500 --namesrv 127.0.0.1:9876
            """)

    @Option(help: "The topic; brokers that allow it create it when it does not exist.") var topic: String
    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "Messages to send; 0 = until Ctrl-C.") var count = 1_000
    @Option(help: "Messages per second. Default: as fast as answers come.") var rate: Double?
    @Option(help: "Bytes of each body, which begins with the message's number.") var size = 128
    @Option(help: "The body of every message, instead of --size.") var text: String?
    @Option(help: "The tag of every message.") var tag: String?
    @Option(help: "Sends under way at the same time.") var concurrency = 16
    @Option(help: "How long one message may take, retries included.") var timeout = TimeArgument(.seconds(3))
    @Option(help: "How long one attempt may take.") var attemptTimeout = TimeArgument(.seconds(1))
    @Option(help: "Attempts after the first.") var retries = 2
    @Option(help: "Time between two route queries.") var poll = TimeArgument(.seconds(30))
    @Option(help: "Seed of all chance. Default: another one each time.") var seed: UInt64?
    @Flag(help: "Do not avoid slow and failing brokers.") var noAvoidance = false
    @Flag(help: "No progress lines.") var quiet = false
    @Flag(help: "Print the summary as JSON.") var json = false

    func run() throws {
        try check()
        let addresses = try nameServers.addresses()
        var options = RouteClientOptions()
        options.avoidsFaults = !noAvoidance
        options.sign = try nameServers.signing.signer()
        options.pollInterval = poll.duration
        var policy = SendPolicy()
        policy.retryLimit = retries
        policy.timeout = timeout.duration
        policy.attemptTimeout = attemptTimeout.duration
        do {
            let loop = try EventLoop()
            let client = RouteClient(
                platform: try nameServers.tls.platform(over: loop), nameServers: addresses, options: options,
                seed: seed ?? .random(in: .min ... .max))
            let pacing = ProducePacing(
                count: count == 0 ? nil : count, rate: rate, concurrency: concurrency, now: loop.now)
            let load = ProduceRun(
                platform: loop, client: client, pacing: pacing, policy: policy, message: message)
            let failed = run(load, client, loop)
            if failed { throw ExitCode(1) }
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    /// Runs to the end; answers whether a message failed.
    private func run(_ load: ProduceRun, _ client: RouteClient, _ loop: EventLoop) -> Bool {
        let progress = ProgressLine(platform: loop) { ProducePrinter.progress(load, after: $0) }
        load.onFinished = {
            progress.stop()
            ProducePrinter(isJSON: json, topic: topic, elapsed: progress.elapsed).print(load.summary)
            client.close()
            loop.stop()
        }
        var isStopping = false
        let stop = {
            // The second Ctrl-C does not wait for messages under way.
            if isStopping { loop.stop() }
            isStopping = true
            load.stop()
        }
        loop.onSignal(SIGINT, stop)
        loop.onSignal(SIGTERM, stop)
        if !quiet { progress.start() }
        load.start()
        loop.run()
        return load.summary.failed > 0
    }

    private func check() throws {
        try checkTopic(topic)
        guard count >= 0 else { throw failUsage("--count \(count) is below 0") }
        if let rate {
            guard rate > 0, rate <= 1e6 else { throw failUsage("--rate \(rate) is not above 0, up to 1000000") }
        }
        guard (0...OutgoingMessage.bodyLimit).contains(text?.utf8.count ?? size) else {
            throw failUsage("a body has 0 to \(OutgoingMessage.bodyLimit) bytes")
        }
        guard (1...65_536).contains(concurrency) else { throw failUsage("--concurrency is 1 to 65536") }
        guard (0...100).contains(retries) else { throw failUsage("--retries is 0 to 100") }
        guard timeout.duration > .zero, attemptTimeout.duration > .zero, poll.duration >= .milliseconds(10) else {
            throw failUsage("--timeout and --attempt-timeout must be above 0, --poll at least 10ms")
        }
        guard MessageProperties.isRepresentable(tag ?? "") else { throw failUsage("--tag has control characters") }
    }

    private func message(_ index: Int) -> OutgoingMessage {
        var message = OutgoingMessage(topic: topic, body: body(index))
        message.properties[MessageProperties.Name.tags] = tag
        message.properties[MessageProperties.Name.keys] = "\(index)"
        return message
    }

    private func body(_ index: Int) -> [UInt8] {
        if let text { return Array(text.utf8) }
        let number = Array("\(index) ".utf8.prefix(size))
        return number + [UInt8](repeating: UInt8(ascii: "."), count: size - number.count)
    }
}

/// Prints the result of a load.
struct ProducePrinter {
    var isJSON: Bool
    var topic: String
    var elapsed: Duration

    private struct Report: Encodable {
        var topic: String
        var seconds: Double
        var sent: Int
        var sentWithWarning: Int
        var retried: Int
        var failed: Int
        var perSecond: Double
        var latencyMillis: Latency
        var brokers: [Broker]
        var failures: [Failure]
    }

    private struct Latency: Encodable {
        var p50: Double
        var p90: Double
        var p99: Double
        var p999: Double
        var max: Double
    }

    private struct Broker: Encodable {
        var name: String
        var sent: Int
    }

    private struct Failure: Encodable {
        var reason: String
        var count: Int
    }

    static func progress(_ load: ProduceRun, after elapsed: Duration) -> String {
        let summary = load.summary
        return "\(oneDecimal(elapsed.seconds)) s: sent \(summary.sent), retried \(summary.retried), failed "
            + "\(summary.failed), under way \(load.underWay)"
    }

    func print(_ summary: ProduceSummary) {
        if isJSON { return printJSON(report(summary)) }
        let rate = oneDecimal(Double(summary.sent) / elapsed.seconds)
        printLine("sent \(summary.sent) messages to \(topic) in \(oneDecimal(elapsed.seconds)) s (\(rate)/s)")
        printLine("retried \(summary.retried), failed \(summary.failed), with a warning \(summary.sentWithWarning)")
        if summary.sent > 0 {
            let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)].map {
                "\($0.0) \(oneDecimal(summary.latency.quantile($0.1).milliseconds))"
            }
            let maximum = oneDecimal(summary.latency.maximum.milliseconds)
            printLine("latency in ms: \(quantiles.joined(separator: ", ")), max \(maximum)")
        }
        for broker in summary.byBroker { printLine("  \(broker.name): \(broker.sent)") }
        for failure in summary.byReason { printLine("  failed \(failure.failed): \(failure.reason)") }
    }

    private func report(_ summary: ProduceSummary) -> Report {
        let quantile = { summary.latency.quantile($0).milliseconds }
        return Report(
            topic: topic, seconds: elapsed.seconds, sent: summary.sent, sentWithWarning: summary.sentWithWarning,
            retried: summary.retried, failed: summary.failed,
            perSecond: Double(summary.sent) / max(elapsed.seconds, 1e-9),
            latencyMillis: Latency(
                p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), p999: quantile(0.999),
                max: summary.latency.maximum.milliseconds),
            brokers: summary.byBroker.map { Broker(name: $0.name, sent: $0.sent) },
            failures: summary.byReason.map { Failure(reason: $0.reason, count: $0.failed) })
    }
}
