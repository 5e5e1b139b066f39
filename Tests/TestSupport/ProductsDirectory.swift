// Where `swift build` put the executables: the tests start the very binaries of their own build.

import Foundation

/// The build products of the running test bundle.
public enum ProductsDirectory {
    /// The directory that holds the executables, e.g. `.build/debug`.
    ///
    /// `HEARSAY_PRODUCTS` overrides it. Otherwise the search starts at the running test executable (which stands
    /// beside the products, also with `--scratch-path` and sanitizers) and at the bundle named on the command line
    /// (when a runner has loaded it), and goes upwards to the first directory with a `hearsay` in it.
    public static let path: String = {
        if let override = ProcessInfo.processInfo.environment["HEARSAY_PRODUCTS"] { return override }
        var starts = [(try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""]
        starts += CommandLine.arguments.filter { $0.contains(".xctest") }
        for start in starts {
            var directory = URL(fileURLWithPath: start).deletingLastPathComponent()
            while directory.path != "/" {
                let candidate = directory.appendingPathComponent("hearsay").path
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory),
                    !isDirectory.boolValue, FileManager.default.isExecutableFile(atPath: candidate)
                {
                    return directory.path
                }
                directory.deleteLastPathComponent()
            }
        }
        return URL(fileURLWithPath: starts[0]).deletingLastPathComponent().path
    }()

    /// The path of the executable called `name`.
    public static func executable(_ name: String) -> String {
        path + "/" + name
    }
}
