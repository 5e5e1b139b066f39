import Glibc
import TestSupport

/// A TCP port of 127.0.0.1 that nobody else gets while this lives, and that a process under test can listen at.
///
/// The port is bound but not listened at: with SO_REUSEADDR on both sides (libuv sets it too) Linux lets another socket
/// bind and listen there, and gives the port to nobody who asks for just any. So a killed process finds its port again.
final class PortReservation: Sendable {
    let port: UInt16
    private let descriptor: Int32

    var address: String { "127.0.0.1:\(port)" }

    init() throws {
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
        port = UInt16(bigEndian: own.sin_port)
        if failed { throw TestSupportError("no free port on 127.0.0.1: errno \(errno)") }
    }

    deinit {
        close(descriptor)
    }
}
