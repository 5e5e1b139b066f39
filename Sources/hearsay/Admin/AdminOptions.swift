import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Platform
import Remoting
import RemotingTransport

/// Which nodes an administrative command goes to, and how it says what they answered.
struct AdminOptions: ParsableArguments {
    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "How long to wait for a node.") var timeout = TimeArgument(.seconds(3))
    @Flag(help: "Print JSON.") var json = false

    /// What one node answered.
    private struct Outcome: Encodable {
        var node: String
        var code: Int32?
        /// Why it was not done, or what is to be known besides.
        var remark: String?
        var values: [String: String]?

        var isDone: Bool { code == ResponseCode.success }
    }

    /// Sends the request to every node at once and prints what each answered; `values` reads what an answer tells.
    ///
    /// Throws exit status 1 when a node did not do it.
    func send(_ request: RemotingCommand, values: (RemotingCommand) throws -> [String: String]? = { _ in nil }) throws {
        let nodes = try nameServers.cluster().nodes
        let answers = try answers(request, nodes.map(\.address))
        let outcomes = zip(nodes, answers).map { node, answer -> Outcome in
            switch answer {
            case .failure(let error): return Outcome(node: node.name, remark: error.description)
            case .success(let answer):
                var outcome = Outcome(node: node.name, code: answer.code, remark: answer.remark)
                guard outcome.isDone else { return outcome }
                do {
                    outcome.values = try values(answer)
                } catch {
                    outcome.code = nil
                    outcome.remark = "its answer cannot be read: \(error)"
                }
                return outcome
            }
        }
        if json { printJSON(outcomes) } else { for outcome in outcomes { print(outcome) } }
        if !outcomes.allSatisfy(\.isDone) { throw ExitCode(1) }
    }

    private func answers(
        _ request: RemotingCommand, _ addresses: [Address]
    ) throws -> [Result<RemotingCommand, RemotingCallError>] {
        guard timeout.duration > .zero else { throw failUsage("--timeout must be above 0") }
        var options = RemotingConnectionOptions()
        options.connectTimeout = timeout.duration
        options.sign = try nameServers.signing.signer()
        var answers = [Result<RemotingCommand, RemotingCallError>](
            repeating: .failure(.timeout), count: addresses.count)
        do {
            let loop = try EventLoop()
            let platform = try nameServers.tls.platform(over: loop)
            var waiting = addresses.count
            for (index, address) in addresses.enumerated() {
                let connection = RemotingConnection(platform: platform, address: address, options: options)
                connection.call(request, timeout: timeout.duration) { answer in
                    answers[index] = answer
                    connection.close()
                    waiting -= 1
                    if waiting == 0 { loop.stop() }
                }
            }
            loop.run()
        } catch let error as PlatformError {
            throw failUsage(error)
        }
        return answers
    }

    private func print(_ outcome: Outcome) {
        switch (outcome.isDone, outcome.values) {
        case (false, _):
            let code = outcome.code.map { " (code \($0))" } ?? ""
            printError(printable("\(outcome.node): not done\(code): \(outcome.remark ?? "no reason given")"))
        case (true, nil):
            printLine(printable("\(outcome.node): done\(outcome.remark.map { "; \($0)" } ?? "")"))
        case (true, let values?):
            if values.isEmpty { printLine("\(outcome.node): nothing") }
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                printLine(printable("\(outcome.node): \(key)=\(value)"))
            }
        }
    }
}
