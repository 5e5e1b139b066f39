import ArgumentParser
import ClusterConfiguration
import Experiments
import Platform

/// `hearsay experiment run`: all arms of one or more scenarios, with a report each.
struct ExperimentRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Run scenarios, print the figures of every arm and the verdict of every check, and write a report each.",
        discussion: """
            Writes report.html, results.json and history.jsonl to DIR/NAME for each scenario. Exits with 0 when every check \
            held, with 1 when one was violated, with 2 when something could not be run.
            """)

    @Argument(help: ArgumentHelp("Scenario files, or names of those in --directory.", valueName: "file|name"))
    var scenarios: [String]
    @OptionGroup var directory: ScenarioDirectory
    @Option(help: "Where it runs.") var driver = DriverKind.live
    @Option(help: "Decides what chance decides. Default: the file's.") var seed: UInt64?
    @Option(help: "Only these arms, with commas between. Default: the file's.") var arms: String?
    @Option(help: ArgumentHelp("Where results go.", valueName: "dir")) var output = "experiment-results"
    @Option(
        help: ArgumentHelp(
            "Starts an Apache NameServer, for the arm apache, which it adds; {port} and {config} are filled in.",
            valueName: "command"))
    var apacheCommand: String?
    @Flag(help: "Print the result as JSON, one object per scenario.") var json = false
    @Flag(help: "No progress lines.") var quiet = false

    func validate() throws {
        if scenarios.isEmpty {
            throw ValidationError("name a scenario; hearsay experiment list shows the shipped ones")
        }
        _ = try chosenArms()
    }

    func run() throws {
        let prepared = try load()
        var worst: Int32 = 0
        for scenario in prepared {
            do {
                if try !run(scenario) { worst = max(worst, 1) }
            } catch let error as ExperimentError {
                printError("hearsay: \(scenario.name) could not be run: \(error)")
                worst = 2
            }
        }
        if worst > 0 { throw ExitCode(worst) }
    }

    /// All files, before anything starts; prints the faults of all of them.
    private func load() throws -> [Scenario] {
        var loaded: [Scenario] = []
        var isFaulty = false
        for word in scenarios {
            do throws(ConfigurationErrors) {
                var scenario = try Scenario.load(path: directory.path(of: word))
                if let arms = try? chosenArms() {
                    scenario.arms = arms
                } else if apacheCommand != nil, !scenario.arms.contains(.apache) {
                    scenario.arms.append(.apache)
                }
                if let other = loaded.first(where: { $0.name == scenario.name }) {
                    printError(
                        "hearsay: \(word) is called \(other.name), as one before it; results would overwrite each other"
                    )
                    isFaulty = true
                }
                loaded.append(scenario)
            } catch {
                printError("\(error)")
                isFaulty = true
            }
        }
        if isFaulty { throw ExitCode(2) }
        return loaded
    }

    private func chosenArms() throws -> [Arm]? {
        guard let arms else { return nil }
        return try arms.split(separator: ",").map { word in
            guard let arm = Arm(rawValue: String(word)) else {
                throw ValidationError(
                    "--arms '\(word)' is none of \(Arm.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return arm
        }
    }

    /// Runs one scenario; answers whether all checks held.
    private func run(_ scenario: Scenario) throws -> Bool {
        let folder = "\(output)/\(scenario.name)"
        do {
            try makeDirectories(folder)
        } catch {
            throw ExperimentError("\(error)")
        }
        let parts = ExperimentParts(kind: driver, folder: folder, apacheCommand: apacheCommand)
        let experiment = Experiment(
            scenario: scenario, driver: parts.driver(seed: seed ?? scenario.seed), kind: driver, seed: seed,
            startedAt: utcTimestamp(), environment: [softwareVersion, machineDescription()])
        let progress = ExperimentProgress(scenario, isQuiet: quiet)
        let result = try experiment.run { progress.show($0) }
        try parts.write(result)
        if json {
            printJSON(ExperimentSummary(result, folder: folder))
        } else {
            for line in ExperimentTable(result).lines { printLine(line) }
            printLine("report: \(folder)/report.html")
        }
        return result.held
    }
}
