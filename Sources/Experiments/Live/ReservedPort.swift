import Basics
import Glibc

/// A TCP port of 127.0.0.1 that nobody else gets while this lives, and that a process of ours can listen at.
///
/// The port is bound but not listened at: with SO_REUSEADDR on both sides (libuv and Java set it) Linux lets another
/// socket bind and listen there, and gives the port to nobody who asks for just any. So a killed process finds its port
/// again.
final class ReservedPort {
    /// `127.0.0.1` and the port.
    let address: Address
    private let descriptor: Int32

    /// Throws when the system has no port left.
    init() throws(ExperimentError) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        own.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) != 0 || getsockname(descriptor, $0, &size) != 0
            }
        }
        self.descriptor = descriptor
        address = Address(host: "127.0.0.1", port: UInt16(bigEndian: own.sin_port))
        if failed { throw ExperimentError("no free port on 127.0.0.1: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }
}
