import Basics
import CMachine
import Glibc

/// A server's address, looked up once, and connections to it.
struct Endpoint {
    /// Ports of one source address before another one is taken: connecting becomes ten times slower beyond 15,000.
    private static let portsPerSource = 10_000
    /// How long one connection may take.
    private static let connectLimit: Int32 = 3_000

    let address: Address
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// Looks a host name up, blocking.
    init(_ address: Address) throws(LoadError) {
        self.address = address
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard status == 0, let first = found else {
            throw LoadError(.unreachable, "look up \(address.host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        length = first.pointee.ai_addrlen
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: first.pointee.ai_addr, count: Int(length)))
        }
    }

    /// A non-blocking connected socket.
    ///
    /// - Parameter number: how many there were before: loopback connections beyond 10,000 come from further source addresses.
    func connect(_ number: Int) throws(LoadError) -> Int32 {
        let family = Int32(storage.ss_family)
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw failure("open connection \(number + 1)", .machine, errno) }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        bindSource(descriptor, number)
        let status = withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        var code = status == 0 ? 0 : errno
        if code == EINPROGRESS { code = Self.wait(for: descriptor) }
        guard code == 0 else {
            close(descriptor)
            throw failure("connect to \(address)", .unreachable, code)
        }
        return descriptor
    }

    private static func wait(for descriptor: Int32) -> Int32 {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard Glibc.poll(&poll, 1, connectLimit) == 1 else { return ETIMEDOUT }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return code
    }

    /// 127.0.1.1, 127.0.1.2, ...: only where the server is on 127.x.
    private func bindSource(_ descriptor: Int32, _ number: Int) {
        guard number >= Self.portsPerSource, Int32(storage.ss_family) == AF_INET, address.host.hasPrefix("127.") else {
            return
        }
        var source = sockaddr_in()
        source.sin_family = sa_family_t(AF_INET)
        source.sin_addr.s_addr = UInt32(0x7F00_0100 + number / Self.portsPerSource).bigEndian
        _ = machine_bind_without_port(descriptor)
        _ = withUnsafePointer(to: source) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func failure(_ operation: String, _ kind: LoadError.Kind, _ code: Int32) -> LoadError {
        LoadError(kind, "\(operation): \(String(cString: strerror(code)))")
    }
}
