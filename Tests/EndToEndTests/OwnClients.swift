import Glibc
import TestSupport

/// `hearsay produce`, `consume` and `route` against a cluster under test, all nodes named.
final class OwnClient {
    let process: NodeProcess

    private init(_ command: String, _ arguments: [String], _ cluster: any NameServers) throws {
        process = try NodeProcess(
            ProductsDirectory.executable("hearsay"),
            arguments: [command] + arguments + ["--namesrv", cluster.nameServers, "--json"])
    }

    /// A producer; each body begins with the message's number.
    static func producer(_ cluster: any NameServers, _ topic: String, _ more: String...) throws -> OwnClient {
        try OwnClient("produce", ["--topic", topic, "--size", "8", "--quiet"] + more, cluster)
    }

    /// A consumer of the whole topic from its beginning.
    static func consumer(_ cluster: any NameServers, _ topic: String, _ more: String...) throws -> OwnClient {
        try OwnClient("consume", ["--topic", topic, "--print", "--quiet"] + more, cluster)
    }

    /// What `hearsay route` says, and its exit status.
    static func route(
        _ cluster: any NameServers, _ topic: String, _ more: String...
    ) throws -> (NodeProcess.Ending, JSONMeaning) {
        let client = try OwnClient("route", [topic] + more, cluster)
        let ending = try client.process.waitForExit()
        return (ending, try client.lastLine())
    }

    /// The numbers at the front of the bodies a consumer has printed, in order.
    var receivedNumbers: [Int] {
        process.outputLines.compactMap { line in
            let mark = #""body":""#
            guard let start = line.firstRange(of: mark)?.upperBound else { return nil }
            return Int(line[start...].prefix { $0.isNumber })
        }
    }

    /// Asks it to end (SIGINT, unless it ends by itself) and answers its summary.
    func summary(interrupting: Bool = false) throws -> JSONMeaning {
        if interrupting { process.signal(SIGINT) }
        let ending = try process.waitForExit(within: .seconds(60))
        guard ending == .exit(0) else {
            throw TestSupportError("\(ending): \(process.outputLines.suffix(3)) \(process.errorText.suffix(1000))")
        }
        return try lastLine()
    }

    private func lastLine() throws -> JSONMeaning {
        guard let line = process.outputLines.last else { throw TestSupportError("no output: \(process.errorText)") }
        return try JSONMeaning(line)
    }
}

extension JSONMeaning {
    /// In a summary: messages by broker, `broker-a` or, where the replica is told, `broker-a:1`.
    func messagesByBroker(_ count: String) -> [String: Int64] {
        var result: [String: Int64] = [:]
        for broker in self["brokers"]?.elements ?? [] {
            let id = broker["id"]?.text.map { ":" + $0 } ?? ""
            result[(broker["name"]?.text ?? "") + id] = broker[count]?.integer
        }
        return result
    }
}
