import Basics
import CLibuv
import Glibc
import Platform

extension SocketAddress {
    /// Addresses to listen at; a name is looked up at once, blocking.
    static func toListen(at address: Address) throws(PlatformError) -> SocketAddress {
        if let numeric = SocketAddress(numeric: address) { return numeric }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var answers: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, nil, &hints, &answers)
        defer { if answers != nil { freeaddrinfo(answers) } }
        guard status == 0, let answer = answers?.pointee, let found = SocketAddress(answer, port: address.port) else {
            throw PlatformError(
                operation: "look up \(address.host)", name: "EAI", message: String(cString: gai_strerror(status)))
        }
        return found
    }

    /// Our end of a connected stream.
    static func local(of tcp: UnsafeMutablePointer<uv_tcp_t>) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &storage) {
            uv_tcp_getsockname(tcp, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return status == 0 ? SocketAddress(storage) : nil
    }

    /// Our end of a bound socket.
    static func local(of descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &storage) {
            getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return status == 0 ? SocketAddress(storage) : nil
    }
}

/// Makes a socket that listens; errors name the address. The port may be in TIME_WAIT, but not in use.
func makeListeningSocket(at address: Address, backlog: Int32) throws(PlatformError) -> Int32 {
    let target = try SocketAddress.toListen(at: address)
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(target.family, kind, 0)
    var yes: Int32 = 1
    guard descriptor >= 0,
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size)) == 0,
        target.withSockaddr({ bind(descriptor, $0, $1) }) == 0,
        Glibc.listen(descriptor, backlog) == 0
    else {
        let error = PlatformError("listen on \(address)")
        if descriptor >= 0 { Glibc.close(descriptor) }
        throw error
    }
    return descriptor
}
