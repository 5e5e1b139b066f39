import Basics
import Platform

extension EventLoop {
    /// See `Platform.resolve`. A lookup occupies one of libuv's worker threads, of which at most half look up names.
    public func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        guard !core.pointee.isStopping else { return }
        resolutions.start(address, on: self, completion)
    }
}

/// The calls of `resolve` that wait for their answers.
final class Resolutions {
    private var waiting: [ObjectIdentifier: Resolution] = [:]

    /// How many wait.
    var count: Int { waiting.count }

    fileprivate func start(
        _ address: Address, on loop: EventLoop, _ completion: @escaping (Result<[Address], PlatformError>) -> Void
    ) {
        let resolution = Resolution(completion: completion)
        waiting[ObjectIdentifier(resolution)] = resolution
        resolution.start(address, on: loop)
    }

    /// The loop stops: nobody is answered any more.
    func abandonAll() {
        for resolution in waiting.values { resolution.abandon() }
        waiting.removeAll()
    }

    fileprivate func remove(_ resolution: Resolution) { waiting[ObjectIdentifier(resolution)] = nil }
}

/// One call of `resolve`, kept by the loop until it is answered.
final class Resolution {
    /// More than fit into the largest answer of a name server, 64 KiB with 16 bytes for each IPv4 address: all of them
    /// are known before the first sixteen are chosen.
    private static let lookupLimit = 4096

    private let completion: (Result<[Address], PlatformError>) -> Void
    private var lookup: Lookup?
    /// For answers that are known at once but must not come at once.
    private var timer: LoopTimer?

    fileprivate init(completion: @escaping (Result<[Address], PlatformError>) -> Void) { self.completion = completion }

    fileprivate func start(_ address: Address, on loop: EventLoop) {
        if let numeric = SocketAddress(numeric: address) { return answer(.success([numeric]), nextTurnOf: loop) }
        do throws(PlatformError) {
            lookup = try Lookup(address, limit: Resolution.lookupLimit, on: loop) { [unowned self, unowned loop] in
                answer($0, on: loop)
            }
        } catch {
            answer(.failure(error), nextTurnOf: loop)
        }
    }

    private func answer(_ result: Result<[SocketAddress], PlatformError>, nextTurnOf loop: EventLoop) {
        let timer = LoopTimer(loop.timers) { [unowned self, unowned loop] in answer(result, on: loop) }
        self.timer = timer
        timer.start(at: loop.now)
    }

    private func answer(_ result: Result<[SocketAddress], PlatformError>, on loop: EventLoop) {
        let completion = completion
        loop.resolutions.remove(self)
        completion(result.map { Resolution.chosen($0.map(\.address)) })
    }

    fileprivate func abandon() {
        lookup?.abandon()
        timer?.cancel()
    }

    /// The answer that `Platform.resolve` promises, out of all addresses of one name in the resolver's order.
    static func chosen(_ addresses: [Address]) -> [Address] {
        var chosen: [Address] = []
        for address in addresses.sorted(by: { $0.host < $1.host }) where address != chosen.last {
            chosen.append(address)
        }
        return Array(chosen.prefix(resolvedAddressLimit))
    }
}
