import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Migration
import Platform

/// `hearsay replay`: tells a recording again to a NameServer, and compares the answers.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send recorded traffic to a NameServer, and compare its answers.",
        discussion: """
            Sends the requests of a hearsay record file over as many connections and in the same order: none goes out before \
            what was answered before it is answered again. Answers are compared as values: the code, the fields, and what the \
            body says; not opaque, version, remarks or the order of lists, and not what a NameServer says of itself.

            Recorded signatures are masked; requests are signed anew with --access-key. \
            It changes the tables of the NameServer, so give it an empty one. The recorded one may have known brokers from \
            before: --skip 31s leaves out what was answered until they had all registered again.

            Exits with 0 when all answers say what was recorded; with 1 when one does not, or does not come; with 2 for wrong \
            usage, a file that is no recording, or when the NameServer cannot be reached.

              hearsay replay monday.recording --to 127.0.0.1:9876 --speed max --skip 31s
            """)

    /// How many times as fast as recorded.
    enum Speed: ExpressibleByArgument {
        case times(Double)
        case max

        init?(argument: String) {
            if argument == "max" {
                self = .max
            } else {
                guard let times = Double(argument), times >= 0.01, times <= 1_000 else { return nil }
                self = .times(times)
            }
        }

        var defaultValueDescription: String {
            switch self {
            case .times(let times): oneDecimal(times)
            case .max: "max"
            }
        }
    }

    @Argument(help: "The recording.") var file: String
    @Option(help: "The NameServer: host or host:port (default port 9876).") var to: String
    @Option(help: "How many times as fast as recorded, 0.01 to 1000, or max: as fast as answers come.")
    var speed = Speed.times(1)
    @Option(help: "Do not compare what was answered in the first so much of the recording.")
    var skip = TimeArgument(.zero)
    @Option(help: "How long to wait for an answer.") var timeout = TimeArgument(.seconds(3))
    @OptionGroup var tls: TLSClientOptions
    @OptionGroup var signing: SigningOptions
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "No progress on standard error.") var quiet = false

    func run() throws {
        guard let target = Address(to, defaultPort: 9876), target.port != 0 else {
            throw failUsage("--to '\(to)' is no host:port")
        }
        guard timeout.duration > .zero else { throw failUsage("--timeout must be above 0") }
        var options = ReplayOptions()
        if case .times(let times) = speed { options.speed = times } else { options.speed = nil }
        options.timeout = timeout.duration
        options.skip = skip.duration
        options.sign = try signing.signer()
        allowOpenFiles(65_536)
        let report = try report(target, options)
        if json {
            printJSON(report)
        } else {
            for line in report.lines(colour: Colours.areWanted) { printLine(line) }
        }
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }

    private func report(_ target: Address, _ options: ReplayOptions) throws -> ReplayReport {
        do {
            let loop = try EventLoop()
            var report: ReplayReport?
            let replay = Replay(
                platform: try tls.platform(over: loop), target: target,
                reader: try RecordingReader(RecordingFile(reading: file)), options: options
            ) {
                report = $0
                loop.stop()
            }
            let progress = ProgressLine(platform: loop) { [unowned replay] elapsed in
                let (now, passed) = (replay.progress, DurationText.short(elapsed.wholeMilliseconds))
                return "\(passed): \(now.sent) requests sent, \(now.mismatches) mismatches, "
                    + "at \(DurationText.short(Int64(now.microseconds / 1_000))) of the recording"
            }
            loop.onSignal(SIGINT) { [unowned replay] in replay.stop() }
            loop.onSignal(SIGTERM) { [unowned replay] in replay.stop() }
            let showsProgress = !quiet && !json && isatty(2) == 1
            if showsProgress { progress.start() }
            replay.start()
            loop.run()
            if showsProgress { progress.stop() }
            // The loop ends when the report is there, above.
            guard let report else { preconditionFailure("the replay ended without a report") }
            return report
        } catch let error as PlatformError {
            throw failUsage(error)
        } catch let error as RecordingError {
            throw failUsage("\(file): \(error.reason)")
        }
    }
}
