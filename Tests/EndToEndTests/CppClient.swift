import TestSupport
import Testing

import class Foundation.FileManager
import struct Foundation.URL

/// What a client is told of a cluster.
protocol NameServers {
    /// All nodes: `127.0.0.1:1;127.0.0.1:2`.
    var nameServers: String { get }
}

extension ClusterUnderTest: NameServers {}
extension GossipCluster: NameServers {}

extension ClusterMember: NameServers {
    /// This node alone.
    var nameServers: String { address }
}

/// Apache's C++ client in a process of its own (cpp_client.py).
final class CppClient {
    let process: NodeProcess

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    private init(
        _ arguments: [String], directory: TemporaryDirectory, credentials: (accessKey: String, secretKey: String)? = nil
    ) throws {
        let python = Self.root + "/.build-python/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw TestSupportError("Apache's C++ client is not installed: run '.ci/install tests' ('make test' does)")
        }
        process = try NodeProcess(
            python, arguments: ["-u", Self.root + "/Tests/EndToEndTests/cpp_client.py"] + arguments,
            environment: credentials.map { ["ACCESS_KEY": $0.accessKey, "SECRET_KEY": $0.secretKey] } ?? [:],
            directory: directory)
        try process.line { $0 == "ready" ? () : nil }
    }

    /// A producer that sends `count` messages, numbered from 0, in equal shares to `topics`, one topic after the other.
    ///
    /// - Parameters:
    ///   - pause: seconds after each message.
    ///   - holdingAt: the numbers of topics before which it waits for `release(_:)`.
    ///   - credentials: what it signs its requests with.
    static func producer(
        _ cluster: any NameServers, topics: [String], count: Int, pause: Double, holdingAt: Int...,
        credentials: (accessKey: String, secretKey: String)? = nil
    ) throws -> CppClient {
        let directory = TemporaryDirectory()
        for topic in holdingAt { try directory.write("", to: "hold-\(topic)") }
        return try CppClient(
            ["produce", cluster.nameServers, topics.joined(separator: ","), "\(count)", "\(pause)"],
            directory: directory, credentials: credentials)
    }

    /// A push consumer of all `topics`.
    static func consumer(_ cluster: any NameServers, topics: [String], group: String) throws -> CppClient {
        try CppClient(
            ["consume", cluster.nameServers, topics.joined(separator: ","), group], directory: TemporaryDirectory())
    }

    /// Lets a producer go on to topic number `topic`.
    func release(_ topic: Int) throws {
        try FileManager.default.removeItem(atPath: process.directory.file("hold-\(topic)"))
    }

    /// The numbers on lines that begin with `word`, in order.
    func numbers(_ word: String) -> [Int] {
        process.outputLines.compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 2)
            return parts.count > 1 && parts[0] == word ? Int(parts[1]) : nil
        }
    }

    /// Waits until message `number` has been acknowledged.
    func waitUntilSent(_ number: Int, within limit: Duration = .seconds(60)) throws {
        try process.line(within: limit) { $0 == "sent \(number)" ? () : nil }
    }

    /// Waits until every message has had its turn.
    func waitUntilDone(within limit: Duration = .seconds(60)) throws {
        try process.line(within: limit) { $0 == "done" ? () : nil }
    }
}

/// Waits until `consumers` together have received all of `numbers`.
func expectReceived(by consumers: [CppClient], _ numbers: Range<Int>, within limit: Duration) throws {
    var missing = Set(numbers)
    poll(within: limit, every: .milliseconds(50)) {
        missing = consumers.reduce(Set(numbers)) { $0.subtracting($1.numbers("received")) }
        return missing.isEmpty
    }
    #expect(missing.isEmpty, "\(missing.count) lost: \(missing.sorted().prefix(20))")
}
