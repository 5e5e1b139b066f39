import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Migration
import Platform

/// `hearsay shadow`: whether one NameServer may take another's place.
struct ShadowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow", abstract: "Compare what two NameServers answer, and report differences that last.",
        discussion: """
            For moving from one NameServer to another: brokers register with both, and this tells when clients may be \
            switched. It reads what clients and admin tools read (broker groups and clusters, the list of topics, every \
            topic's route in the two dialects that clients of 4.9 and 5.3 and those in C++ and Go use, ORDER_TOPIC_CONFIG), \
            and compares values: order never counts. It changes nothing, works with Apache's NameServers and with ours, and \
            asks gently (--rate).

            A difference counts when every reading shows it for longer than a broker's heartbeat (--settle).

            Exits with 0 when they are equal; with 1 when they differ; with 2 for wrong usage, or when one does not answer.

              hearsay shadow --reference 10.0.0.1:9876 --candidate 10.0.0.7:9876
              hearsay shadow --reference 10.0.0.1:9876 --candidate 10.0.0.7:9876 --every 1m --duration 24h
            """)

    @Option(help: "The NameServer that is trusted: host or host:port (default port 9876).") var reference: String
    @Option(help: "The NameServer that shall take its place.") var candidate: String
    @Option(help: "Read everything again and again, beginning this long apart. Default: once.") var every: TimeArgument?
    @Option(help: "With --every: end after this time. Default: on Ctrl-C.") var duration: TimeArgument?
    @Option(help: "How long every reading must show a difference before it counts.")
    var settle = TimeArgument(ShadowOptions.defaultSettle)
    @Option(help: "Requests a second to each of the two.") var rate = ShadowOptions.defaultRate
    @Option(help: "Topics whose routes are compared: all, none, or names separated by commas.") var topics = "all"
    @Option(
        name: .customLong("namespace"), help: "A KV namespace to compare besides ORDER_TOPIC_CONFIG; may be repeated.")
    var namespaces: [String] = []
    @Flag(help: "Also tell where values are equal and bytes are not.") var bytes = false
    @Option(help: "How long to wait for an answer.") var timeout = TimeArgument(.seconds(3))
    @OptionGroup var tls: TLSClientOptions
    @OptionGroup var signing: SigningOptions
    @Flag(help: "Print JSON: one report a line, after each reading of everything and at the end.") var json = false
    @Flag(help: "No progress on standard error.") var quiet = false

    func run() throws {
        let options = try options()
        let (reference, candidate) = (try address(reference, "--reference"), try address(candidate, "--candidate"))
        guard reference != candidate else { throw failUsage("--reference and --candidate are the same") }
        let report = try report(reference, candidate, options)
        if json {
            printJSON(report)
        } else {
            for line in ShadowTable(colour: Colours.areWanted).lines(report) { printLine(line) }
        }
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }

    private func report(_ reference: Address, _ candidate: Address, _ options: ShadowOptions) throws -> ShadowReport {
        let loop: EventLoop
        do {
            loop = try EventLoop()
        } catch {
            throw failUsage(error)
        }
        var report: ShadowReport?
        let shadow = Shadow(
            platform: try tls.platform(over: loop), reference: reference, candidate: candidate, options: options
        ) {
            report = $0
            loop.stop()
        }
        let progress = ProgressLine(platform: loop) { [unowned shadow] elapsed in words(shadow.progress, elapsed) }
        // Read once, the report itself says all of it.
        if every != nil {
            shadow.onLine = { line in
                let line = "\(utcTimestamp()) \(line)"
                if json || quiet { printError(line) } else { progress.note(line) }
            }
        }
        if json { shadow.onReading = { printJSON($0) } }
        loop.onSignal(SIGINT) { [unowned shadow] in shadow.stop() }
        loop.onSignal(SIGTERM) { [unowned shadow] in shadow.stop() }
        // In a file, a line a second for a day would hide what matters.
        let showsProgress = !quiet && !json && isatty(2) == 1
        if showsProgress { progress.start() }
        shadow.start()
        loop.run()
        if showsProgress { progress.stop() }
        // The loop ends when the report is there, above.
        guard let report else { preconditionFailure("the comparison ended without a report") }
        return report
    }

    private func words(_ progress: Shadow.Progress, _ elapsed: Duration) -> String {
        var words = "\(DurationText.short(elapsed.wholeMilliseconds)): reading \(progress.readings + 1)"
        if progress.topics > 0 { words += ", \(progress.compared) of \(progress.topics) topics" }
        words += ", \(progress.lasting) lasting, \(progress.unsettled) unsettled"
        return words + (progress.failure.map { ", \($0)" } ?? "")
    }

    private func options() throws -> ShadowOptions {
        var options = ShadowOptions()
        guard rate >= 1, rate <= 100_000 else { throw failUsage("--rate is 1 to 100000 requests a second") }
        guard timeout.duration > .zero else { throw failUsage("--timeout must be above 0") }
        if let every {
            guard every.duration >= .milliseconds(100) else { throw failUsage("--every is 100ms or more") }
        }
        if duration != nil, every == nil { throw failUsage("--duration needs --every") }
        options.rate = rate
        options.settle = settle.duration
        options.every = every?.duration
        options.duration = duration?.duration
        options.timeout = timeout.duration
        options.comparesBytes = bytes
        options.sign = try signing.signer()
        options.namespaces += namespaces.filter { $0 != ShadowOptions.orderNamespace }
        switch topics {
        case "all": break
        case "none": options.topics = .none
        default:
            let names = topics.split(separator: ",").map(String.init)
            guard !names.isEmpty else { throw failUsage("--topics names no topic") }
            for name in names { try checkTopic(name) }
            options.topics = .named(names)
        }
        return options
    }

    private func address(_ text: String, _ option: String) throws -> Address {
        guard let address = Address(text, defaultPort: 9876), address.port != 0 else {
            throw failUsage("\(option) '\(text)' is no host:port")
        }
        return address
    }
}
