import ClusterConfiguration
import Foundation
import TestSupport
import Testing

@testable import Experiments

/// `hearsay experiment` as a process of its own, and the files that the repository ships for it.
@Suite struct CommandTests {
    /// Where the repository's experiments are, from this file.
    private static let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("bench/experiments").path

    private static var shippedFiles: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: shipped)) ?? []).filter { $0.hasSuffix(".yaml") }
            .sorted()
    }

    private func experiment(_ arguments: [String]) throws -> (ending: NodeProcess.Ending, process: NodeProcess) {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["experiment"] + arguments)
        return (try process.waitForExit(within: .seconds(60)), process)
    }

    // MARK: - Shipped files

    @Test func everyShippedExperimentIsValid() throws {
        #expect(CommandTests.shippedFiles.count >= 12)
        for file in CommandTests.shippedFiles {
            let scenario = try Scenario.load(path: "\(CommandTests.shipped)/\(file)")
            #expect("\(scenario.name).yaml" == file, "the name on the command line is that of the result")
            #expect(!scenario.faults.isEmpty && !scenario.checks.isEmpty && !scenario.question.isEmpty, "\(file)")
        }
    }

    @Test func theREADMEHasAPageForEveryExperimentAndFigure() throws {
        let readme = try #require(text(of: "\(CommandTests.shipped)/README.md"))
        for file in CommandTests.shippedFiles {
            #expect(readme.contains("\n### \(file.dropLast(5))\n"), "\(file) has no section")
        }
        for figure in Figure.allCases {
            #expect(readme.contains("| `\(figure.rawValue)` | \(figure.title) |"), "\(figure) is not in the table")
            #expect(readme.contains("| \(figure.definition) |"), "\(figure) is defined differently")
        }
    }

    /// What the README tells people to write is what they can write.
    @Test func theREADMEsExampleIsValid() throws {
        let readme = try #require(text(of: "\(CommandTests.shipped)/README.md"))
        let blocks = readme.components(separatedBy: "```yaml\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        #expect(blocks.count >= 1)
        for block in blocks where block.hasPrefix("name:") { _ = try ScenarioText.read(block) }
        for block in blocks where !block.hasPrefix("name:") {
            _ = try ScenarioText.read(ScenarioText.minimal + "\n" + block)
        }
    }

    // MARK: - The command

    @Test func listShowsNamesAndTitles() throws {
        let (ending, process) = try experiment(["list", "--directory", CommandTests.shipped])
        #expect(ending == .exit(0))
        #expect(process.outputLines.count == CommandTests.shippedFiles.count + 1)
        #expect(process.outputLines.first?.hasPrefix("NAME") == true)
        #expect(
            process.outputLines.contains { $0.hasPrefix("one-way-cut ") && $0.hasSuffix("is lost for five minutes") })
        let json = try experiment(["list", "--directory", CommandTests.shipped, "--json"]).process
        #expect(json.outputLines.contains { $0.contains("\"name\":\"one-way-cut\"") })
    }

    @Test func listTellsOfFaultyFilesAndMissingDirectories() throws {
        let directory = TemporaryDirectory()
        try directory.write("name: x\n", to: "bad.yaml")
        try directory.write(ScenarioText.minimal, to: "small.yaml")
        let (ending, process) = try experiment(["list", "--directory", directory.path])
        #expect(ending == .exit(2))
        #expect(process.outputLines.contains { $0.hasPrefix("small ") && $0.hasSuffix(" A small one") })
        #expect(process.errorText.contains("bad.yaml:1: title is missing"))
        let missing = try experiment(["list", "--directory", directory.file("nothing")])
        #expect(missing.ending == .exit(2) && missing.process.errorText.contains("name it with --directory"))
    }

    @Test func newWritesTheTemplateOnce() throws {
        let process = try experiment(["new", "my-own"]).process
        let file = process.directory.file("my-own.yaml")
        #expect(try Scenario.load(path: file).name == "my-own")
        let wrong = try experiment(["new", "../up"])
        #expect(wrong.ending == .exit(2) && wrong.process.errorText.contains("is no name"))
    }

    @Test(arguments: [
        (["run"], "<file|name>"),
        (["run", "nothing-there"], "bench/experiments/nothing-there.yaml: no such file or directory"),
        (["run", "x.yaml", "--arms", "off,loud"], "--arms 'loud' is none of off, observe, protect, replicate, apache"),
        (["run", "x.yaml", "--driver", "real"], "'real'"),
        (["compare", "nothing", "here"], "nothing"),
        (["compare", "one"], "<b>"),
    ])
    func wrongUsageExitsWithTwo(arguments: [String], message: String) throws {
        let (ending, process) = try experiment(arguments)
        #expect(ending == .exit(2))
        #expect(process.errorText.contains(message), "\(process.errorText)")
    }

    @Test func faultsOfAllFilesAreToldBeforeAnythingRuns() throws {
        let directory = TemporaryDirectory()
        let files = try ["a.yaml", "b.yaml"].map { try directory.write("name: same\ntitle: t\n", to: $0) }
        let good = try directory.write(ScenarioText.minimal, to: "small.yaml")
        let (ending, process) = try experiment(["run", good, good] + files + ["--output", directory.file("out")])
        #expect(ending == .exit(2))
        #expect(process.errorText.contains("a.yaml:1: brokers is missing"))
        #expect(process.errorText.contains("b.yaml:1: topics is missing"))
        #expect(process.errorText.contains("is called small, as one before it"))
        #expect(!FileManager.default.fileExists(atPath: directory.file("out")))
    }
}
