import Basics
import EventLoop
import Glibc
import Platform
import Supervisor
import TestSupport
import Testing

@Suite struct SupervisorTests {
    /// Runs a loop with a supervisor until `body` stops it.
    private func withSupervisor(_ body: (EventLoop, Supervisor) throws -> Void) throws {
        let loop = try EventLoop()
        let supervisor = Supervisor(platform: loop)
        loop.onSignal(SIGCHLD) { supervisor.childEnded() }
        try body(loop, supervisor)
        loop.run()
    }

    @Test func exitStatusIsReported() throws {
        var endings: [ChildProcess.Ending] = []
        try withSupervisor { loop, supervisor in
            supervisor.onEnded = {
                endings.append($0.ending!)
                if endings.count == 2 { loop.stop() }
            }
            try supervisor.start(
                name: "seven", executable: "/bin/sh", arguments: ["-c", "exit 7"], output: "/dev/null")
            try supervisor.start(
                name: "killed", executable: "/bin/sh", arguments: ["-c", "kill -9 $$"], output: "/dev/null")
        }
        #expect(Set(endings) == [.exited(7), .signalled(9)])
    }

    @Test func stopKillsWhatIgnoresTerm() throws {
        var endings: [ChildProcess.Ending] = []
        try withSupervisor { loop, supervisor in
            supervisor.onEnded = { endings.append($0.ending!) }
            try supervisor.start(
                name: "stubborn", executable: "/bin/sh",
                arguments: ["-c", "trap '' TERM; while :; do read x < /dev/zero; done"],
                output: "/dev/null")
            try supervisor.start(name: "polite", executable: "/bin/sleep", arguments: ["1000"], output: "/dev/null")
            supervisor.stop(grace: .milliseconds(200)) { loop.stop() }
        }
        #expect(endings.count == 2)
        #expect(endings.contains(.signalled(SIGTERM)))
    }

    @Test func aMissingProgramIsAnError() throws {
        #expect(throws: PlatformError.self) {
            _ = try ChildProcess.start(name: "x", executable: "/no/such/program", arguments: [], output: "/dev/null")
        }
    }

    @Test func stopWithoutChildrenCompletesAtOnce() throws {
        let loop = try EventLoop()
        var stopped = false
        Supervisor(platform: loop).stop(grace: .seconds(1)) { stopped = true }
        #expect(stopped)
        loop.stop()
        loop.run()
    }
}
