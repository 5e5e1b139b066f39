// Recordings told again to real nodes. Real traffic of Apache's NameServers is among them: the captures of ConformanceTests.

import Basics
import Foundation
import Remoting
import TestSupport
import Testing

@testable import Migration

/// A run of `hearsay replay`.
private func replay(_ bytes: [UInt8], to port: UInt16, _ more: [String] = ["--speed", "max"]) throws -> (
    ending: NodeProcess.Ending, output: String
) {
    let directory = TemporaryDirectory()
    let file = directory.file("a.recording")
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    let process = try NodeProcess(
        ProductsDirectory.executable("hearsay"),
        arguments: ["replay", file, "--to", "127.0.0.1:\(port)"] + more, directory: directory)
    let ending = try process.waitForExit(within: .seconds(60))
    return (ending, process.outputLines.joined(separator: "\n") + process.errorText)
}

/// The captured conversations with one of Apache's NameServers, as `hearsay record` would have written them.
private func capture(_ version: String) throws -> [UInt8] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let path = tests.appendingPathComponent("ConformanceTests/Captures/nameserver-\(version).jsonl").path
    var connections: [String: UInt32] = [:]
    var events = [
        RecordedEvent(microseconds: 0, kind: .began(WallTime(milliseconds: 1_700_000_000_000), server: version))
    ]
    for (index, event) in try CaptureFile(path: path).events.enumerated() {
        let connection = connections[event.connection] ?? UInt32(connections.count + 1)
        connections[event.connection] = connection
        let kind: RecordedEvent.Kind? =
            switch event.content {
            case .open: .opened(client: event.connection)
            case .end: event.toServer ? .closedByClient : nil
            case .frame(let frame): event.toServer ? .toServer(frame.bytes) : .toClient(frame.bytes)
            }
        guard let kind else { continue }
        events.append(RecordedEvent(connection: connection, microseconds: UInt64(index) * 1_000, kind: kind))
    }
    return recording(events + [RecordedEvent(microseconds: 1 << 20, kind: .ended("the capture ends"))])
}

@Suite struct ReplayCommandTests {
    /// A day with Apache's 5.3.3: brokers, clients and the admin tool.
    @Test func apache5() throws {
        let node = try NameServerProcess()
        let (ending, output) = try replay(try capture("5.3.3"), to: node.port)
        #expect(ending == .exit(0), "\(output)")
        #expect(output.contains("all answers say what was recorded"))
    }

    /// 4.9.8 has no switch that keeps the order configuration from brokers; that is the one thing that differs.
    @Test func apache4() throws {
        let node = try NameServerProcess()
        let (ending, output) = try replay(try capture("4.9.8"), to: node.port, ["--speed", "max", "--json"])
        struct Report: Decodable {
            struct Kind: Decodable {
                var code: Int
                var sent: Int
                var different: Int
                var unanswered: Int
            }
            var kinds: [Kind]
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        let wrong = report.kinds.filter { $0.different + $0.unanswered > 0 }
        #expect(wrong.map(\.code) == [103] && wrong.first?.unanswered == 0, "\(output)")
        #expect(ending == .exit(1))
        #expect(report.kinds.reduce(0) { $0 + $1.sent } > 90)
    }

    /// Recorded from one of our nodes through the proxy, and told again to another: over two connections, of which one
    /// reads what the other has written.
    @Test func recordedAndReplayed() throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port)
        let (broker, client) = (try RawConnection(port: recorder.port), try RawConnection(port: recorder.port))
        for round in 1...50 {
            try broker.register(
                Registration {
                    ($0.topics, $0.dataVersion) = (
                        [.a, RegisteredTopic("N", read: round)], .init(Int64(round))
                    )
                })
            #expect(try client.queues("N")?["broker-a"]?.read == Int64(round))
        }
        let events = try recorder.finish()
        #expect(events.count > 200)
        let bytes = contents(of: recorder.file) ?? []
        for more in [["--speed", "max"], ["--speed", "10"]] {
            let fresh = try NameServerProcess()
            let (ending, output) = try replay(bytes, to: fresh.port, more)
            #expect(ending == .exit(0), "\(output)")
            #expect(output.contains("GET_ROUTEINFO_BY_TOPIC    50    50"), "\(output)")
        }
        // A cut file is told up to the cut.
        let fresh = try NameServerProcess()
        let (ending, output) = try replay(Array(bytes.dropLast(bytes.count / 2)), to: fresh.port)
        #expect(ending == .exit(0) && output.contains("note: the recording is readable up to byte"), "\(output)")
    }

    /// A node that is not as the recorded one was: what differs is named with its request.
    @Test func whatDiffersIsShown() throws {
        let recorded = try NameServerProcess(["orderMessageEnable": "true"])
        let recorder = try RecorderProcess(to: recorded.port)
        let connection = try RawConnection(port: recorder.port)
        let key: KeyValuePairs<String, String?> = [
            "namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:8",
        ]
        #expect(try connection.call(100, key).code == 0)
        try connection.register()
        #expect(try connection.route("A").code == 0)
        _ = try connection.route("nowhere")
        _ = try recorder.finish()
        let bytes = contents(of: recorder.file) ?? []
        let other = try NameServerProcess()
        let (ending, output) = try replay(bytes, to: other.port)
        #expect(ending == .exit(1), "\(output)")
        #expect(output.contains("1 answer differs"))
        #expect(output.contains("GET_ROUTEINFO_BY_TOPIC: topic A, at 0."), "\(output)")
        #expect(output.contains("orderTopicConf"))
        // What was answered early need not agree.
        let another = try NameServerProcess()
        let skipping = try replay(bytes, to: another.port, ["--speed", "max", "--skip", "1h"])
        #expect(skipping.ending == .exit(0), "\(skipping.output)")
    }

    /// A server that answers nothing costs its time, and is told.
    @Test func noAnswer() throws {
        let silent = StandInListener()
        var events = [RecordedEvent(connection: 1, microseconds: 0, kind: .opened(client: "c"))]
        let request = RawRequest(105, ["topic": "A"]).frame(opaque: 5)
        events.append(RecordedEvent(connection: 1, microseconds: 1, kind: .toServer(request)))
        let node = try NameServerProcess()
        let answer = try node.connect().call(RawRequest(105, ["topic": "A"]))
        // The opaque of a fresh raw connection need not be ours: the answer is written anew.
        var command = try #require(RemotingCommand(frame: answer.bytes))
        command.opaque = 5
        events.append(RecordedEvent(connection: 1, microseconds: 2, kind: .toClient(command.encoded())))
        let (ending, output) = try replay(
            recording(events), to: silent.port, ["--speed", "max", "--timeout", "200ms"])
        #expect(ending == .exit(1) && output.contains("no answer in time"), "\(output)")
        #expect(output.contains("does not say that it ended"))
    }

    /// Time is kept, divided by the speed; at the greatest speed an hour passes at once.
    @Test(arguments: [("1", 400_000, 400), ("4", 1_200_000, 300), ("max", 3_600_000_000, 0)])
    func recordedSpeed(speed: String, microseconds: UInt64, atLeast: Int64) throws {
        let node = try NameServerProcess()
        let events = [
            RecordedEvent(connection: 1, microseconds: 0, kind: .opened(client: "c")),
            RecordedEvent(
                connection: 1, microseconds: microseconds, kind: .toServer(RawRequest(206).frame(opaque: 1))),
        ]
        let (ending, output) = try replay(recording(events), to: node.port, ["--speed", speed, "--json"])
        #expect(ending == .exit(0))
        #expect(try #require(try JSONMeaning(output)["elapsedMicroseconds"]?.integer) >= atLeast * 1_000)
    }

    @Test func wrongUsage() throws {
        let node = try NameServerProcess()
        #expect(try replay([1, 2, 3], to: node.port).ending == .exit(2))
        #expect(try replay(recording([]), to: node.port, ["--speed", "0"]).ending == .exit(2))
        let gone = try NameServerProcess()
        #expect(try gone.process.terminate() == .exit(0))
        let (ending, output) = try replay(try capture("5.3.3"), to: gone.port)
        #expect(ending == .exit(2) && output.contains("cannot be reached"))
    }
}
