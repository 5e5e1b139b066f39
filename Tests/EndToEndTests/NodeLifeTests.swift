// One node's life: its key-value file, its end, its start.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct NodeLifeTests {
    @Test func acknowledgedKeysSurviveAKill() throws {
        let cluster = try ClusterUnderTest(nodes: 1, groups: [])
        let node = cluster.nodes[0]
        try node.start()
        for life in 0..<3 {
            let connection = try node.connect()
            for key in 0..<20 {
                try connection.call(100, ["namespace": "N", "key": "\(life).\(key)", "value": "v集\(key)"]).expectOK()
            }
            try connection.call(102, ["namespace": "N", "key": "\(life).0"]).expectOK()
            // At once after the answer: whatever an answer promised is on the disk.
            try node.kill()
            try node.start()
        }
        let table = try node.connect().call(219, ["namespace": "N"]).json()["table"]?.members ?? [:]
        var expected: [String: JSONMeaning] = [:]
        for life in 0..<3 {
            for key in 1..<20 { expected["\(life).\(key)"] = .string("v集\(key)") }
        }
        #expect(table == expected)
    }

    @Test func aBrokenKeyValueFileIsSetAsideAndNotOverwritten() throws {
        let broken = #"{"configTable":{"N":{"k":"v"#
        let directory = TemporaryDirectory()
        let path = try directory.write(broken, to: "kvConfig.json")
        // With a property there is a -c file, and it says where the key-value file is.
        let server = try NameServerProcess(["waitSecondsForService": "45"], directory: directory)
        let complaints = server.process.errorText.split(separator: "\n").filter { $0.contains(" error ") }
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains(path) == true)
        let connection = try server.connect()
        #expect(try connection.call(101, ["namespace": "N", "key": "k"]).code == 22)
        try connection.call(100, ["namespace": "M", "key": "k", "value": "v"]).expectOK()
        #expect(text(of: path) == #"{"configTable":{"M":{"k":"v"}}}"#)
        let aside = try directoryEntries(directory.path).filter { $0.hasPrefix("kvConfig.json.broken-") }
        try #require(aside.count == 1)
        #expect(text(of: directory.file(aside[0])) == broken)
        // The complaint names the place where an operator finds the old file.
        #expect(complaints.first?.contains(aside[0]) == true)
    }

    @Test func sigtermAnswersWhatIsInFlightAndExitsWithZero() throws {
        let server = try NameServerProcess()
        let connection = try server.connect()
        try connection.register()
        let count = 500
        var burst: [UInt8] = []
        for index in 0..<count {
            // Every fiftieth answer waits for the disk, with others behind it.
            let request =
                index % 50 == 25
                ? RawRequest(100, ["namespace": "N", "key": "\(index)", "value": "v"]) : RawRequest(105, ["topic": "A"])
            burst += request.frame(opaque: Int32(1_000 + index))
        }
        try connection.send(burst)
        server.process.signal(SIGTERM)
        for index in 0..<count {
            let answer = try connection.receiveFrame()
            try #require(answer.opaque == Int64(1_000 + index))
            #expect(answer.code == 0)
        }
        try connection.expectClose()
        #expect(try server.process.waitForExit() == .exit(0))
        #expect(throws: TestSupportError.self) { try RawConnection(port: server.port) }
    }

    @Test func sigtermDoesNotWaitForAPeerThatDoesNotRead() throws {
        let server = try NameServerProcess()
        let connection = try server.connect()
        let topics = (0..<2_000).map { RegisteredTopic("topic-\($0)") }
        try connection.register(Registration { $0.topics = topics }).expectOK()
        // Far more answers than the sockets' buffers hold.
        let silent = try server.connect()
        for _ in 0..<200 { try silent.send(RawRequest(206).frame(opaque: 1)) }
        #expect(try server.process.terminate() == .exit(0))
    }

    @Test func aBusyPortIsOneLineAndStatusTwo() throws {
        let busy = StandInListener()
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["serve", "--listen", busy.address])
        #expect(try process.waitForExit() == .exit(2))
        let lines = process.errorText.split(separator: "\n")
        #expect(lines.count == 1, "\(process.errorText)")
        #expect(lines.first?.contains(busy.address) == true, "\(process.errorText)")
        #expect(process.outputLines.isEmpty)
    }

    @Test func printsItsProperties() throws {
        let directory = TemporaryDirectory()
        let file = try directory.write("listenPort=12345\nclusterTest=true\n", to: "namesrv.properties")
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["serve", "-c", file, "-p"])
        #expect(try process.waitForExit() == .exit(0))
        let lines = process.outputLines
        for line in ["listenPort=12345", "clusterTest=true", "orderMessageEnable=false", "configStorePath=\(file)"] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
    }
}

/// The names in the directory at `path`, sorted.
func directoryEntries(_ path: String) throws -> [String] {
    guard let directory = opendir(path) else { throw TestSupportError("no directory \(path)") }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(
            withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
}
