// The real proxy between raw clients and a real node.

import Foundation
import Glibc
import TestSupport
import Testing

@testable import Migration

/// A running `hearsay record`.
struct RecorderProcess {
    let process: NodeProcess
    let port: UInt16
    let file: String

    init(to target: UInt16, _ more: [String] = [], shell: String? = nil) throws {
        let directory = TemporaryDirectory()
        file = directory.file("a.recording")
        let executable = ProductsDirectory.executable("hearsay")
        let arguments =
            ["record", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:\(target)", "--output", file] + more
        if let shell {
            process = try NodeProcess(
                "/bin/sh", arguments: ["-c", "\(shell); exec \"$0\" \"$@\"", executable] + arguments,
                directory: directory)
        } else {
            process = try NodeProcess(executable, arguments: arguments, directory: directory)
        }
        port = try process.line { line in
            guard line.hasPrefix("recording 127.0.0.1:") else { return nil }
            return UInt16(line.dropFirst("recording 127.0.0.1:".count).prefix { $0.isNumber })
        }
    }

    /// SIGTERM, and what is in the file.
    func finish(_ status: Int32 = 0) throws -> [RecordedEvent] {
        #expect(try process.terminate() == .exit(status), "\(process.errorText)")
        let result = read(contents(of: file) ?? [])
        #expect(result.error == nil && result.hasEnded, "\(String(describing: result.error))")
        return result.events
    }
}

extension [RecordedEvent] {
    /// `began`, `1 opened`, `1 > 42 bytes`, …
    fileprivate var words: [String] {
        map { event in
            switch event.kind {
            case .began: "began"
            case .opened: "\(event.connection) opened"
            case .toServer(let frame): "\(event.connection) > \(frame.count)"
            case .toClient(let frame): "\(event.connection) < \(frame.count)"
            case .closedByClient: "\(event.connection) closed by client"
            case .closedByServer: "\(event.connection) closed by server"
            case .unreadable(let reason): "\(event.connection) unreadable: \(reason)"
            case .skipped(let count): "skipped \(count)"
            case .ended(let reason): "ended: \(reason)"
            }
        }
    }
}

@Suite struct RecordCommandTests {
    /// Bytes pass unchanged both ways and are in the file, in order.
    @Test func whatPassesIsWrittenDown() throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port)
        let (first, second) = (try RawConnection(port: recorder.port), try RawConnection(port: node.port))
        let request = Registration().request
        let (through, direct) = (request.frame(opaque: 1), request.frame(opaque: 1))
        try first.send(through)
        try second.send(direct)
        let (answer, expected) = (try first.receiveFrame(), try second.receiveFrame())
        #expect(answer == expected)
        // A few requests in one piece.
        let lookups = (2...4).map { RawRequest(105, ["topic": "A"]).frame(opaque: $0) }
        try first.send(Array(lookups.joined()))
        let answers = try lookups.map { _ in try first.receiveFrame() }
        first.close()
        try poll { try node.connect().clusterInfo().contains("brokerAddrTable\":{}") == false }
        let events = try recorder.finish()
        #expect(
            events.words == ["began", "1 opened", "1 > \(through.count)", "1 < \(answer.bytes.count)"]
                + lookups.map { "1 > \($0.count)" } + answers.map { "1 < \($0.bytes.count)" }
                + ["1 closed by client", "ended: it was stopped"])
        #expect(
            events.contains { $0.kind == .toServer(through) } && events.contains { $0.kind == .toClient(answer.bytes) })
        #expect(events.map(\.microseconds) == events.map(\.microseconds).sorted())
        let status = try FileManager.default.attributesOfItem(atPath: recorder.file)
        #expect(status[.posixPermissions] as? Int == 0o600)
    }

    /// What is no remoting protocol passes, too, and its end.
    @Test func whatCannotBeReadPasses() throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port)
        let garbage = try RawConnection(port: recorder.port)
        try garbage.send([0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        try garbage.expectClose()
        let hello = try RawConnection(port: recorder.port)
        // The beginning of a TLS hello, and then silence: no more is needed to tell.
        try hello.send([0x16, 3, 1, 0, 200, 1])
        hello.close()
        let words = try waitForWords(recorder) { $0.count(where: { $0.contains("closed") }) == 2 }
        #expect(words.contains { $0.hasPrefix("1 unreadable: bad frame length") }, "\(words)")
        #expect(
            words.contains("1 closed by server") && words.contains("2 unreadable: the client speaks TLS"), "\(words)")
    }

    /// Until the file shows it, since a client cannot know when its end has arrived.
    private func waitForWords(_ recorder: RecorderProcess, _ isDone: ([String]) -> Bool) throws -> [String] {
        poll { isDone(read(contents(of: recorder.file) ?? []).events.words) }
        return try recorder.finish().words
    }

    /// Where the file ends, traffic does not: at its limit, and on a full disk.
    @Test(
        arguments: [
            (
                ["--limit", "1"], nil, "has reached its limit of 1 MiB", Int32(0),
                "ended: the file has reached its limit"
            ),
            // No file may grow beyond 64 blocks of half a kilobyte or a whole one, as the shell counts.
            ([], "trap '' XFSZ; ulimit -f 64", "File too large", 1, nil),
        ] as [([String], String?, String, Int32, String?)])
    func fileThatCannotGrow(more: [String], shell: String?, words: String, status: Int32, last: String?) throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port, more, shell: shell)
        let connection = try RawConnection(port: recorder.port)
        let body = String(repeating: "x", count: 100_000)
        try poll {
            // Unknown codes are answered, and change nothing.
            let answer = try connection.call(9_999, [:], body: body)
            #expect(answer.code == 3)
            return recorder.process.errorText.contains(words)
        }
        for _ in 0..<20 { #expect(try connection.call(9_999, [:], body: body).code == 3) }
        #expect(recorder.process.errorText.contains("the recording has ended"))
        #expect(try recorder.process.terminate() == .exit(status))
        let bytes = contents(of: recorder.file) ?? []
        let result = read(bytes)
        #expect(result.error == nil && result.hasEnded == (last != nil))
        #expect(bytes.count <= 1 << 20)
        if let last { #expect(result.events.words.last == last) }
    }

    @Test func secretsAreNotWrittenDown() throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port)
        let connection = try RawConnection(port: recorder.port)
        #expect(
            try connection.call(105, ["topic": "T", "AccessKey": "me", "Signature": "c2lnbmVk"]).code == 17)
        _ = try recorder.finish()
        let text = String(decoding: contents(of: recorder.file) ?? [], as: UTF8.self)
        #expect(text.contains("masked-by-hearsay-record") && !text.contains("c2lnbmVk"))
    }

    /// A client that reads nothing is not read from for ever, and neither answers nor memory are lost.
    @Test func slowClient() throws {
        let node = try NameServerProcess()
        let recorder = try RecorderProcess(to: node.port)
        let broker = try node.connect()
        try broker.register(Registration { $0.topics = (0..<2_000).map { RegisteredTopic("topic-\($0)") } })
        let connection = try RawConnection(port: recorder.port)
        let request = RawRequest(206).frame(opaque: 1)
        let batch = Array((0..<2_000).map { _ in request }.joined())
        // 2,000 answers of 30 KB: 60 MB, that somebody has to hold until they are read.
        let sent = try connection.sendUntilStuck(batch, for: .milliseconds(300))
        let resident = try #require(residentKilobytes(recorder.process.pid))
        #expect(resident < 100_000)
        for _ in 0..<(sent / request.count) {
            let answer = try connection.receiveFrame()
            guard answer.code == 0, answer.bytes.count > 20_000 else {
                Issue.record("\(answer.headerText)")
                return
            }
        }
        withExtendedLifetime(broker) {}
    }

    private func residentKilobytes(_ pid: pid_t) -> Int? {
        let line = text(of: "/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
    }

    /// A NameServer that is not there: the client hears of it, the operator once, and also when it is back.
    @Test func whileTheNameServerIsAway() throws {
        let away = try NameServerProcess()
        let port = away.port
        #expect(try away.process.terminate() == .exit(0))
        let recorder = try RecorderProcess(to: port)
        for _ in 0..<3 { #expect(try RawConnection(port: recorder.port).closes(within: .seconds(5))) }
        let warnings = recorder.process.errorText.split(separator: "\n").filter { $0.contains("cannot be reached") }
        #expect(warnings.count == 1, "\(recorder.process.errorText)")
        _ = try recorder.finish()
    }

    @Test func wrongUsage() throws {
        let directory = TemporaryDirectory()
        let there = try directory.write("something of value", to: "there")
        for (arguments, words) in [
            (["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--output", there], "File exists"),
            (["--listen", "nowhere", "--to", "127.0.0.1:1", "--output", "x"], "is no host:port"),
            (["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--output", "x", "--limit", "0"], "--limit is"),
        ] {
            let process = try NodeProcess(
                ProductsDirectory.executable("hearsay"), arguments: ["record"] + arguments, directory: directory)
            #expect(try process.waitForExit() == .exit(2))
            #expect(process.errorText.contains(words), "\(process.errorText)")
        }
        #expect(text(of: there) == "something of value")
    }
}
