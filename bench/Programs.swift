import ArgumentParser
import Load

/// Where the programs are, and on which cores they run.
struct Programs: ParsableArguments {
    @Option(help: "The hearsay program to start; the one beside this program when left out.") var hearsay: String?
    @Option(help: "The plain C server to start; the one beside this program when left out.") var limit: String?
    @Option(help: "Cores of the server and of the load, as in 0,1.") var pin: String?

    var node: Program { get throws(LoadError) { try program(hearsay, "hearsay") } }
    var limitServer: Program { get throws(LoadError) { try program(limit, "limit-server") } }

    var pinning: Pinning? {
        get throws(LoadError) {
            guard let pin else { return nil }
            guard let pinning = Pinning(pin) else {
                throw LoadError(.usage, "--pin \(pin): two cores, as in 0,1")
            }
            return pinning
        }
    }

    private func program(_ path: String?, _ name: String) throws(LoadError) -> Program {
        if let path { return try Program(path) }
        return try Program.sibling(name)
    }
}

/// Runs a measurement; what went wrong is one line and exit status 2.
func exiting(_ measure: () throws -> Void) throws {
    do {
        try measure()
    } catch let error as LoadError {
        writeLine(2, "hearsay-bench: \(error)")
        throw ExitCode(2)
    }
}
