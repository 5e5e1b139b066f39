import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Platform
import Remoting

/// `hearsay-bench`: figures of a NameServer that anyone can repeat.
@main
struct HearsayBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearsay-bench",
        abstract: "Measure a RocketMQ NameServer: heartbeats, changed registrations, lookups, memory, start-up.",
        discussion: """
            Closed loop: each connection keeps --depth requests in flight, so the figures say what the server can do, \
            not how latency looks at a given rate. Every answer's code is checked. Without --server it starts \
            `hearsay serve` itself and also measures start-up time and memory.
            """, subcommands: [GossipCommand.self])

    @Option(help: "A running NameServer, host:port, instead of one started here.") var server: String?
    @Option(help: "The hearsay program to start.") var hearsay = ".build/release/hearsay"
    @Option(help: "Seconds of measuring per workload; a quarter of it warms up before.") var seconds = 2.0
    @Option(help: "Connections.") var connections = 8
    @Option(help: "Requests in flight per connection.") var depth = 8
    @Option(help: "Idle connections opened for the memory figure.") var idle = 5_000

    func run() throws {
        do {
            let target = try server.map { try Target.running(at: $0) } ?? Target.started(hearsay: hearsay)
            defer { target.stop() }
            printLine("server: \(target.label)   load: \(connections) connections × \(depth) in flight, closed loop")
            if let milliseconds = target.startUpMilliseconds {
                printLine("start to first answer: \(tenths(milliseconds)) ms")
            }
            if let bytes = target.residentBytes() { printLine("resident, nothing registered: \(megabytes(bytes))") }
            try measureRates(target)
            try measureIdleConnections(target)
        } catch let error as PlatformError {
            writeLine(2, "hearsay-bench: \(error)")
            throw ExitCode(2)
        }
    }

    private func measureRates(_ target: Target) throws {
        var table = TextTable([
            .left("WORKLOAD"), .right("REQUESTS/S"), .right("SERVER CPU US/REQUEST"), .right("BODY MB/S"),
            .right("WRONG"),
        ])
        for workload in Workload.all {
            let result = try LoadRun(
                target: target, workload: workload, connections: connections, depth: depth, seconds: seconds
            ).run()
            table.add([
                workload.name, "\(Int(result.requestsPerSecond))",
                result.cpuMicroseconds.map { tenths($0) } ?? "-",
                workload.bodyBytes > 0
                    ? tenths(result.requestsPerSecond * Double(workload.bodyBytes) / 1e6) : "-",
                "\(result.wrong)",
            ])
        }
        for line in table.lines { printLine(line) }
    }

    private func measureIdleConnections(_ target: Target) throws {
        guard target.residentBytes() != nil else { return }
        let perConnection = try IdleRun(target: target, count: idle).bytesPerConnection()
        printLine(
            "memory per idle connection: \(perConnection) bytes (resident, \(idle) connections, one request each)")
    }
}

/// One decimal.
func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return "\(scaled / 10).\(abs(scaled % 10))"
}

/// Binary megabytes with one decimal.
func megabytes(_ bytes: Int) -> String { tenths(Double(bytes) / 1_048_576) + " MiB" }

func printLine(_ line: String) { writeLine(1, line) }

func writeLine(_ descriptor: Int32, _ line: String) {
    let bytes = Array((line + "\n").utf8)
    bytes.withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
}
