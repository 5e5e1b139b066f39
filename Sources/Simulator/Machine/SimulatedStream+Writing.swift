import Basics
import Platform

extension SimulatedStream {
    var unsentBytes: Int {
        switch phase {
        case .connecting: unsent.count
        case .open, .draining: unsent.count + (platform.delivering == id ? platform.afterOutput.count : 0)
        case .closed: 0
        }
    }

    /// Whether bytes wait for the kernel.
    var wantsSpace: Bool { !unsent.isEmpty && phase != .connecting }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        switch phase {
        case .connecting:
            if unsent.count + bytes.count > options.unsentLimit { return finish(.slowPeer) }
            unsent.append(contentsOf: bytes)
        case .open where platform.delivering == id: platform.afterOutput.append(bytes)
        case .open: send(bytes)
        case .draining, .closed: break
        }
    }

    /// Sends what the handler call just made appended to the output, and then what it wrote.
    func flush() {
        if platform.output.count > 0 { send(platform.output.bytes) }
        if platform.afterOutput.count > 0 { send(platform.afterOutput.bytes) }
        if phase == .draining { finishIfDrained() }
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        guard phase == .open || phase == .draining else { return }
        if let comparison {
            comparison.sent(bytes, byShadow: platform.isShadow)
            if platform.isShadow { return touch() }
        }
        guard let outgoing else { return }
        if let socketError { return finish(.system(socketError)) }
        let taken = unsent.isEmpty ? min(bytes.count, outgoing.space) : 0
        if taken > 0 { outgoing.send(UnsafeRawBufferPointer(rebasing: bytes[..<taken])) }
        if taken == bytes.count { touch() } else { enqueue(UnsafeRawBufferPointer(rebasing: bytes[taken...])) }
    }

    private func enqueue(_ bytes: UnsafeRawBufferPointer) {
        if unsent.count + bytes.count > options.unsentLimit { return finish(.slowPeer) }
        unsent.append(contentsOf: bytes)
        if unsent.count > options.highWaterMark { isThrottled = true }
    }

    /// The kernel has room again.
    func flushUnsent() {
        guard phase == .open || phase == .draining, let outgoing, !unsent.isEmpty else { return }
        if let socketError { return finish(.system(socketError)) }
        let taken = min(unsent.count, outgoing.space)
        if taken == 0 { return }
        unsent.withUnsafeBytes { outgoing.send(UnsafeRawBufferPointer(rebasing: $0[..<taken])) }
        unsent.removeFirst(taken)
        if unsent.isEmpty { touch() }
        if isThrottled, unsent.count <= options.highWaterMark / 2 {
            isThrottled = false
            updateReading()
        }
        finishIfDrained()
    }
}
