import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Migration
import Platform
import RemotingTransport

/// `hearsay record`: a proxy that writes down what brokers and clients say to a NameServer.
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Pass traffic to a NameServer through, and write it to a file.",
        discussion: """
            Brokers and clients are given this address instead of the NameServer's, or beside it. Every byte is passed on \
            unchanged; requests and answers are written down with their times, for hearsay replay. Connections that speak TLS \
            are passed on, and cannot be written down. Whatever happens to the file, traffic goes on. The NameServer sees it \
            come from here: on the NameServer's own machine everybody who reaches this address may administer a Hearsay node.

            The file holds topics, addresses, KV values and NameServer settings, and only its owner may read it; signatures \
            and security tokens are masked. It ends with Ctrl-C or SIGTERM, at --limit, or when it cannot be written; \
            a file that ended otherwise is good up to its last whole record.

            Exits with 0; with 1 when the file could not be written to its end; with 2 for wrong usage or a port in use.

              hearsay record --listen 0.0.0.0:9877 --to 10.0.0.1:9876 --output monday.recording
            """)

    @Option(help: "Listen at this host:port; port 0 lets the system choose.") var listen: String
    @Option(help: "The NameServer: host or host:port (default port 9876).") var to: String
    @Option(help: "The file to write; it must not be there yet.") var output: String
    @Option(help: "Largest file in MiB; traffic goes on when it is reached.") var limit = 1_024
    @Option(help: "End after this time.") var duration: TimeArgument?

    func run() throws {
        guard let listen = Address(listen) else { throw failUsage("--listen '\(listen)' is no host:port") }
        guard let target = Address(to, defaultPort: 9876), target.port != 0 else {
            throw failUsage("--to '\(to)' is no host:port")
        }
        guard (1...1_048_576).contains(limit) else { throw failUsage("--limit is 1 to 1048576 MiB") }
        allowOpenFiles(65_536)
        do {
            let loop = try EventLoop()
            let file = try RecordingFile(creating: output)
            let writer = RecordingWriter(platform: loop, file: file, limit: limit << 20, server: "\(target)")
            let proxy: RecordingProxy
            do {
                proxy = try RecordingProxy(
                    platform: loop, listen: listen, target: target, writer: writer,
                    unfinishedLimit: min(RecordingProxy.unfinishedLimit, MemoryLimit.streamBytes ?? .max))
            } catch {
                // Nobody wants a file without a recording.
                unlink(output)
                throw error
            }
            watch(loop, writer, proxy, target)
            let timer = loop.makeTimer { stop(loop, writer, proxy) }
            if let duration { timer.start(at: loop.now + duration.duration) }
            printLine("recording \(proxy.address) to \(target) into \(output); Ctrl-C ends it")
            loop.run()
            withExtendedLifetime(timer) {}
            try report(writer, proxy)
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    private func watch(_ loop: EventLoop, _ writer: RecordingWriter, _ proxy: RecordingProxy, _ target: Address) {
        loop.onWarning = { printError("\(utcTimestamp()) warning \($0)") }
        proxy.onReach = { reason in
            let words = reason.map { "cannot be reached: \(RemotingCallError.closed($0))" } ?? "can be reached again"
            printError("\(utcTimestamp()) \(reason == nil ? "info" : "warning") \(target) \(words)")
        }
        writer.onEnd = { state in
            let why: String =
                switch state {
                case .full: "\(output) has reached its limit of \(limit) MiB"
                case .failed(let error): "\(error)"
                case .recording, .finished: ""
                }
            printError("\(utcTimestamp()) warning the recording has ended: \(why); traffic goes on")
        }
        for signal in [SIGINT, SIGTERM, SIGHUP] { loop.onSignal(signal) { stop(loop, writer, proxy) } }
    }

    private func stop(_ loop: EventLoop, _ writer: RecordingWriter, _ proxy: RecordingProxy) {
        if writer.isFinishing { return }
        proxy.close()
        writer.finish("it was stopped") { loop.stop() }
    }

    private func report(_ writer: RecordingWriter, _ proxy: RecordingProxy) throws {
        let counters = proxy.counters
        printLine(
            "\(counters.connections) connections, \(counters.requests) requests, \(counters.answers) answers; "
                + "\(writer.records) records, \(writer.bytes) bytes in \(output)")
        if counters.unreadable > 0 {
            printLine("\(counters.unreadable) connections could not be read, and were passed on")
        }
        if case .failed = writer.state { throw ExitCode(1) }
    }
}
