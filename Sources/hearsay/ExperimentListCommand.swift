import ArgumentParser
import ClusterConfiguration
import ClusterView
import Experiments
import Glibc

/// `hearsay experiment list`: the scenarios of a directory.
struct ExperimentListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the scenarios of a directory: name, how long a live run takes, title.",
        discussion: """
            Looks for .yaml files in bench/experiments below the current directory, where the repository has the shipped \
            ones, or in --directory. Exits with 0, or with 2 when there is no such directory or a file in it is faulty.
            """)

    @OptionGroup var directory: ScenarioDirectory
    @Flag(help: "Print JSON, one object per scenario.") var json = false

    private struct Entry: Encodable {
        var name: String
        var title: String
        var question: String
        var file: String
        var arms: [String]
        var liveSeconds: Double
    }

    func run() throws {
        guard let files = listing() else {
            throw failUsage(
                "no directory '\(directory.directory)'; the shipped scenarios are in bench/experiments of the repository, "
                    + "name it with --directory")
        }
        var table = TextTable([.left("NAME"), .right("LIVE RUN"), .left("TITLE")])
        var isFaulty = false
        for file in files {
            do throws(ConfigurationErrors) {
                let scenario = try Scenario.load(path: file)
                let seconds = scenario.duration.seconds / Double(scenario.timeScale) * Double(scenario.arms.count)
                if json {
                    printJSON(
                        Entry(
                            name: scenario.name, title: scenario.title, question: scenario.question, file: file,
                            arms: scenario.arms.map(\.rawValue), liveSeconds: seconds))
                } else {
                    table.add([scenario.name, ExperimentProgress.clock(seconds), scenario.title])
                }
            } catch {
                printError("\(error)")
                isFaulty = true
            }
        }
        if !json { for line in table.lines { printLine(line) } }
        if isFaulty { throw ExitCode(2) }
    }

    /// Paths of scenario files, sorted; nil when there is no such directory.
    private func listing() -> [String]? {
        guard let folder = opendir(directory.directory) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".yaml"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { "\(directory.directory)/\($0)" }
    }
}

/// `hearsay experiment new`: a scenario to change.
struct ExperimentNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a scenario with a comment on everything it can say, to be changed.",
        discussion: "Never overwrites. Exits with 0, or with 2 when the file is there already or cannot be written.")

    @Argument(help: "Letters, digits and '-'; the file is NAME.yaml.") var name: String

    func run() throws {
        guard NameRule.word.allows(name) else {
            throw failUsage("'\(name)' is no name; write \(NameRule.word.description)")
        }
        let file = "\(name).yaml"
        do throws(ExperimentError) {
            try writeFile(file, ScenarioTemplate.text(name: name), overwrites: false)
        } catch {
            throw failUsage(error)
        }
        printLine("\(file) written; change it, then: hearsay experiment run \(file)")
    }
}

/// Writes a whole file.
func writeFile(_ path: String, _ text: String, overwrites: Bool = true) throws(ExperimentError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (overwrites ? O_TRUNC : O_EXCL), 0o644)
    guard descriptor >= 0 else {
        throw ExperimentError("\(path): \(errno == EEXIST ? "is there already" : String(cString: strerror(errno)))")
    }
    writeAll(descriptor, text)
    guard close(descriptor) == 0 else { throw ExperimentError("\(path): \(String(cString: strerror(errno)))") }
}

/// `Linux 6.1.0, 2 cores`.
func machineDescription() -> String {
    var system = utsname()
    guard uname(&system) == 0 else { return "unknown machine" }
    func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "\(text(system.sysname)) \(text(system.release)), \(text(system.machine)), "
        + "\(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores"
}
