// `hearsay run`: a whole cluster on this machine, and nothing of it left behind.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct RunCommandTests {
    private let hearsay = ProductsDirectory.executable("hearsay")

    private func run(_ cluster: ClusterUnderTest, _ more: String...) throws -> NodeProcess {
        try NodeProcess(hearsay, arguments: ["run", "--config", cluster.file] + more)
    }

    /// Waits until `run` has started every process of the cluster and its nodes list every broker.
    private func children(of run: NodeProcess, _ cluster: ClusterUnderTest) throws -> [pid_t] {
        let count = cluster.nodes.count + cluster.brokers.count
        var children: [pid_t] = []
        let started = poll(within: .seconds(30)) {
            children = processes(startedBy: run.pid)
            return children.count == count || run.ending != nil
        }
        try #require(started && run.ending == nil, "\(children.count) processes; \(run.outputLines) \(run.errorText)")
        for node in cluster.nodes {
            poll(within: .seconds(20)) { (try? node.view().brokers.count) == cluster.brokers.count }
        }
        return children
    }

    @Test func plainLinesShowEverythingAndCtrlCStopsEverything() throws {
        let cluster = try ClusterUnderTest()
        let run = try run(cluster)
        let children = try children(of: run, cluster)
        for node in cluster.nodes {
            try run.line { $0.hasSuffix(" \(node.name) up") ? () : nil }
            for broker in cluster.brokers {
                // The event in the node's words, behind its time and the node's name.
                let event = " \(node.name) \(broker.name) at \(broker.address) registered, "
                try run.line { $0.contains(event) ? () : nil }
            }
        }
        let asked = ContinuousClock.now
        run.signal(SIGINT)
        #expect(try run.waitForExit() == .exit(0), "\(run.outputLines) \(run.errorText)")
        // 2 s are promised; the rest is for a machine that runs other tests at the same time.
        #expect(ContinuousClock.now - asked < .seconds(3))
        #expect(children.filter(isRunning) == [])
        #expect(run.outputLines.last == "all stopped")
        #expect(!run.outputLines.contains { $0.contains("\u{1B}") }, "no terminal, no control sequences")
        #expect(run.errorText == "")
    }

    @Test func aPausedChildIsStoppedTooAndADeadOneIsReported() throws {
        let cluster = try ClusterUnderTest(nodes: 2, groups: [.a])
        let run = try run(cluster)
        let children = try children(of: run, cluster)
        // In the order of their start: the nodes, then the brokers.
        kill(children[1], SIGKILL)
        try run.line { $0.contains("process ns-2 ended: signal 9") ? () : nil }
        try run.line { $0.contains(" ns-2 down") ? () : nil }
        kill(children[2], SIGSTOP)
        run.signal(SIGTERM)
        #expect(try run.waitForExit() == .exit(1), "a child died: \(run.outputLines) \(run.errorText)")
        #expect(children.filter(isRunning) == [])
    }

    @Test func aKilledSupervisorLeavesNothingBehind() throws {
        let cluster = try ClusterUnderTest(nodes: 2, groups: [.a])
        let run = try run(cluster)
        let children = try children(of: run, cluster)
        run.signal(SIGKILL)
        #expect(try run.waitForExit() == .signal(SIGKILL))
        #expect(poll { children.allSatisfy { !isRunning($0) } }, "\(children.filter(isRunning))")
        for child in children where isRunning(child) { kill(child, SIGKILL) }
    }

    @Test func aTerminalShowsTheScreenAndIsGivenBack() throws {
        let cluster = try ClusterUnderTest()
        let terminal = try PseudoTerminal()
        let before = terminal.settings
        // The shell's place is taken by the program, so that signals reach it.
        let run = try NodeProcess(
            "/bin/sh",
            arguments: [
                "-c", "exec '\(hearsay)' run --config '\(cluster.file)' >'\(terminal.path)' <'\(terminal.path)'",
            ])
        let children = try children(of: run, cluster)
        let wanted =
            ["3 of 3 nodes up   4 brokers", "BROKER", "EVENTS"]
            + cluster.nodes.map(\.address) + cluster.brokers.map(\.address)
        for text in wanted { #expect(poll { terminal.text.contains(text) }, "\(text)") }
        // The alternate screen, and the cursor hidden.
        #expect(terminal.text.hasPrefix("\u{1B}[?1049h\u{1B}[?25l"))
        run.signal(SIGINT)
        #expect(try run.waitForExit() == .exit(0), "\(run.errorText)")
        let given = poll { terminal.text.contains("\u{1B}[?25h\u{1B}[?1049l") }
        #expect(given, "\(terminal.text.suffix(200))")
        // Nothing is drawn after that.
        let rest = terminal.text.split(separator: "\u{1B}[?1049l", omittingEmptySubsequences: false)
        #expect(rest.count == 2 && !rest[1].contains("\u{1B}"))
        #expect(terminal.settings == before)
        #expect(children.filter(isRunning) == [])
    }

    @Test func aPortInUseIsOneLineAndStatusTwo() throws {
        let cluster = try ClusterUnderTest()
        for (index, member) in [cluster.nodes[1], cluster.broker("broker-b:1")].enumerated() {
            // Whoever is first there: here, another node.
            let other = try NodeProcess(hearsay, arguments: ["serve", "--listen", member.address])
            try other.line { $0.hasPrefix("The Name Server boot success.") ? () : nil }
            let run = try run(cluster)
            #expect(try run.waitForExit() == .exit(2), "\(index)")
            let lines = run.errorText.split(separator: "\n")
            #expect(lines.count == 1 && lines[0].contains(member.address), "\(run.errorText)")
            #expect(run.outputLines == [])
        }
    }

    @Test(arguments: ["run", "serve", "broker", "check"])
    func aBadFileIsOneLineForEachFaultAndStatusTwo(command: String) throws {
        let directory = TemporaryDirectory()
        let file = try directory.write(
            """
            nodes:
              - name: ns-1
                lissten: 127.0.0.1:9876
            timings:
              heartbeat: 30 seconds
              skan: 10s

            """, to: "cluster.yaml")
        let arguments = command == "check" ? [command, file] : [command, "--config", file]
        let process = try NodeProcess(hearsay, arguments: arguments)
        #expect(try process.waitForExit() == .exit(2))
        let lines = process.errorText.split(separator: "\n").map(String.init)
        #expect(lines.count == 4, "\(lines)")
        #expect(lines.allSatisfy { $0.hasPrefix(file + ":") }, "\(lines)")
        for part in [":2: nodes.listen is missing", ":3: unknown key 'lissten'", ":5:", ":6: unknown key 'skan'"] {
            #expect(lines.contains { $0.hasPrefix(file + part) }, "\(part) in \(lines)")
        }
        #expect(process.outputLines == [])
    }
}

/// The processes that `pid` started and that it has not buried yet, in the order of their start.
private func processes(startedBy pid: pid_t) -> [pid_t] {
    (text(of: "/proc/\(pid)/task/\(pid)/children") ?? "").split(separator: " ").compactMap { pid_t($0) }
}

/// Whether there is such a process; one that has ended and whom nobody buried does not run.
private func isRunning(_ pid: pid_t) -> Bool {
    guard let line = text(of: "/proc/\(pid)/stat"), let name = line.lastIndex(of: ")") else { return false }
    let state = line[name...].dropFirst(2).first
    return state != "Z" && state != "X"
}
