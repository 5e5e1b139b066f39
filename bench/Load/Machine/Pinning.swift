import CMachine
import Glibc

/// Which cores the server and the load may use.
public struct Pinning: Hashable, Sendable {
    /// The server's.
    public var server: Int
    /// The generator's.
    public var load: Int

    /// Two cores, which may be one and the same.
    public init(server: Int, load: Int) {
        self.server = server
        self.load = load
    }

    /// `0,1`: the server's core and the load's.
    public init?(_ text: String) {
        let cores = text.split(separator: ",").map { Int($0) }
        guard cores.count == 2, let server = cores[0], let load = cores[1], server >= 0, load >= 0 else { return nil }
        self.init(server: server, load: load)
    }

    /// Pins every thread that the process has now; those it starts later inherit it from their parent thread.
    static func pin(process: pid_t, to core: Int) throws(LoadError) {
        guard let folder = opendir("/proc/\(process)/task") else {
            throw LoadError(.machine, "pin process \(process): there is no such process")
        }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let thread = Int32(name) else { continue }
            guard machine_pin(thread, Int32(core)) == 0 else {
                throw LoadError(
                    .machine, "pin thread \(thread) to core \(core): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Pins the calling thread to the load's core.
    public func pinLoad() throws(LoadError) { try Self.pinThisThread(to: load) }

    static func pinThisThread(to core: Int) throws(LoadError) {
        guard machine_pin(0, Int32(core)) == 0 else {
            throw LoadError(.machine, "pin the load to core \(core): \(String(cString: strerror(errno)))")
        }
    }
}
