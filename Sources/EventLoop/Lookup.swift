import Basics
import CLibuv
import Glibc
import Platform

/// One name being looked up on a worker thread. It cannot be hurried, only abandoned.
final class Lookup {
    private let address: Address
    private let limit: Int
    private var completion: ((Result<[SocketAddress], PlatformError>) -> Void)?
    private let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)

    /// Starts; `completion` is called once on the loop, unless the lookup is abandoned. It hears at most `limit`
    /// addresses, in the resolver's order.
    init(
        _ address: Address, limit: Int, on loop: EventLoop,
        completion: @escaping (Result<[SocketAddress], PlatformError>) -> Void
    ) throws(PlatformError) {
        self.address = address
        self.limit = limit
        self.completion = completion
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let status = uv_getaddrinfo(
            loop.uv, request,
            { request, status, answers in
                let lookup = Unmanaged<Lookup>.fromOpaque(request!.pointee.data).takeRetainedValue()
                lookup.finished(status, answers)
                uv_freeaddrinfo(answers)
            }, address.host, nil, &hints)
        guard status == 0 else {
            Unmanaged.passUnretained(self).release()
            throw PlatformError("look up \(address.host)", status: status)
        }
    }

    deinit { request.deallocate() }

    /// Nobody waits any more. One that has not begun is taken off the queue.
    func abandon() {
        completion = nil
        uv_cancel(UnsafeMutableRawPointer(request).assumingMemoryBound(to: uv_req_t.self))
    }

    private func finished(_ status: Int32, _ answers: UnsafeMutablePointer<addrinfo>?) {
        guard let completion else { return }
        self.completion = nil
        var addresses: [SocketAddress] = []
        var next = answers
        while let answer = next?.pointee, addresses.count < limit {
            if let found = SocketAddress(answer, port: address.port) { addresses.append(found) }
            next = answer.ai_next
        }
        if status == 0, !addresses.isEmpty { return completion(.success(addresses)) }
        let failure = status == 0 ? UV_EAI_NODATA.rawValue : status
        completion(.failure(PlatformError("look up \(address.host)", status: failure)))
    }
}
