import ArgumentParser
import Glibc

/// Ends the program with one line on standard error and exit status 2: wrong usage, a wrong file, a port in use.
func failUsage(_ message: some CustomStringConvertible) -> ExitCode {
    printError("hearsay: \(message)")
    return ExitCode(2)
}

/// Why a node's configuration cannot be used, besides the faults of a cluster.yaml.
struct ConfigurationFailure: Error, CustomStringConvertible {
    /// One line.
    var description: String

    init(_ message: some CustomStringConvertible) { description = message.description }
}

/// Writes one line to standard error.
func printError(_ line: String) { writeAll(2, line + "\n") }

/// Writes one line to standard output, at once.
func printLine(_ line: String) { writeAll(1, line + "\n") }

/// Writes all bytes to a descriptor; gives up when it is closed.
func writeAll(_ descriptor: Int32, _ text: String) {
    var text = text
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }
}
