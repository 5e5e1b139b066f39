import Simulator
import TestSupport
import Testing

/// `hearsay simulate` as a process of its own.
@Suite struct ExecutableTests {
    private func simulate(_ arguments: String...) throws -> (ending: NodeProcess.Ending, lines: [String]) {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["simulate"] + arguments)
        let ending = try process.waitForExit(within: .seconds(60))
        return (ending, process.outputLines)
    }

    /// Invariant 26: two processes and this one agree on the whole trace (Swift seeds its hashing in each anew).
    @Test func oneSeedIsOneRunInEveryProcess() throws {
        let runs = try (0..<2).map { _ in try simulate("--seed", "5", "--duration", "5m", "--json") }
        #expect(runs[0].ending == .exit(0))
        #expect(runs[0].lines == runs[1].lines && runs[0].lines.count == 1)
        var options = SimulationOptions(cluster: ClusterOptions(seed: 5))
        options.duration = .seconds(300)
        options.traceLines = 40
        let hash = String(Simulation(options).run().traceHash, radix: 16)
        #expect(runs[0].lines.first?.contains("\"traceHash\":\"\(hash)\"") == true, "\(runs[0].lines), here \(hash)")
    }

    /// The faults come first, then the verdict; a sweep ends with its summary.
    @Test func printsFaultsFirst() throws {
        let one = try simulate("--seed", "2", "--duration", "2m")
        #expect(one.ending == .exit(0))
        #expect(one.lines.first?.hasPrefix("seed 2, ") == true && one.lines.last == "all checks held", "\(one.lines)")
        let sweep = try simulate("--seeds", "5", "--duration", "1m")
        #expect(sweep.ending == .exit(0))
        #expect(sweep.lines.last?.hasPrefix("5 seeds from 1, 0 failed") == true, "\(sweep.lines)")
    }

    @Test(arguments: [["--nodes", "0"], ["--seeds", "2", "--trace"], ["--only", "a"], ["--mode", "loud"]])
    func refusesWrongUsage(arguments: [String]) throws {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["simulate"] + arguments)
        #expect(try process.waitForExit(within: .seconds(60)) == .exit(2))
    }
}
