// The tests' own instruments: processes and sockets that must not lie.

import Glibc
import TestSupport
import Testing

@Suite struct SupportTests {
    private func shell(_ script: String) throws -> NodeProcess {
        try NodeProcess("/bin/sh", arguments: ["-c", script])
    }

    @Test func linesAndExitOfAProcess() throws {
        let process = try shell("echo one; echo two; echo oops >&2; pwd; echo $HOME; exit 7")
        #expect(try process.line { $0 == "two" ? 2 : nil } == 2)
        #expect(try process.waitForExit() == .exit(7))
        let directory = process.directory.path
        #expect(poll { process.outputLines == ["one", "two", directory, directory] })
        #expect(process.errorText == "oops\n")
    }

    @Test func missingLineNamesTheOutput() throws {
        let process = try shell("echo something; echo why >&2")
        let error = #expect(throws: TestSupportError.self) { try process.line { $0 == "ready" ? true : nil } }
        let text = error?.description ?? ""
        #expect(text.contains("something") && text.contains("why"))
    }

    @Test func terminateAndMissingExecutable() throws {
        let process = try shell("echo up; exec sleep 600")
        try process.line { $0 == "up" ? () : nil }
        #expect(try process.terminate() == .signal(SIGTERM))
        process.signal(SIGKILL)
        #expect(throws: TestSupportError.self) { try NodeProcess("/nowhere/hearsay") }
    }

    @Test func releasedProcessIsKilledAndItsDirectoryGone() throws {
        var process: NodeProcess? = try shell("echo up; exec sleep 600")
        try process?.line { $0 == "up" ? () : nil }
        let pid = try #require(process?.pid)
        let path = try #require(process?.directory.path)
        #expect(kill(pid, 0) == 0)
        process = nil
        #expect(poll { kill(pid, 0) != 0 && access(path, F_OK) != 0 })
    }

    @Test func framesCloseAndSilence() throws {
        let listener = StandInListener()
        let connection = try RawConnection(port: listener.port)
        let frames = [RawRequest(1).frame(opaque: 1), RawRequest(2, ["k": "v\"\n集"], body: "body").frame(opaque: -2)]
        try connection.send(Array(frames.joined()))
        for frame in frames { #expect(try listener.receiveFrame().bytes == frame) }
        try listener.expectSilence(for: .milliseconds(20))
        try connection.expectSilence(for: .milliseconds(20))
        #expect(throws: TestSupportError.self) { try connection.expectClose(within: .milliseconds(20)) }
        #expect(throws: TestSupportError.self) { try connection.receiveFrame(within: .milliseconds(20)) }
        let parsed = RawFrame(frames[1])
        #expect(parsed.fields == ["k": "v\"\n集"] && parsed.opaque == -2 && parsed.bodyText == "body")
    }

    @Test(arguments: [
        // Bare integer keys, any order, white space.
        (#"{0:"a",1:[1,2.5e3,-7],"x":null}"#, #"{"x" : null, "1":[1,2.5e3,-7],"0":"\u0061"}"#, true),
        // A pair of surrogates is one character.
        (#"["\uD83D\uDE00"]"#, #"["😀"]"#, true),
        // Order of an array counts unless it is asked not to.
        ("[1,2]", "[2,1]", false),
        (#"{"a":true}"#, #"{"a":false}"#, false),
    ])
    func meaningOfJSON(left: String, right: String, equal: Bool) throws {
        #expect((try JSONMeaning(left) == JSONMeaning(right)) == equal)
        #expect(try JSONMeaning("[1,2]").withoutArrayOrder == JSONMeaning("[2,1]").withoutArrayOrder)
    }

    @Test(arguments: ["", "{", "[1,]", #"{"a":1,"a":2}"#, "{a:1}", "[1]x", #""\q""#])
    func textThatIsNoJSON(text: String) {
        #expect(throws: TestSupportError.self) { try JSONMeaning(text) }
    }
}
