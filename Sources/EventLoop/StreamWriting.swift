// From the handler to the socket. The socket is tried first; what it does not take is copied into one block together
// with libuv's request for it, and freed when it is sent.

import Basics
import CLibuv
import Glibc
import Platform

extension TCPStream {
    var unsentBytes: Int {
        switch state.pointee.phase {
        case .connecting: state.pointee.transition?.connector?.early.count ?? 0
        case .open, .draining:
            queuedBytes + (loop.core.pointee.delivering == id ? loop.core.pointee.afterOutput.count : 0)
        case .closed: 0
        }
    }

    /// Bytes in libuv's queue of this stream.
    private var queuedBytes: Int { Int(state.pointee.tcp.write_queue_size) }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        switch state.pointee.phase {
        case .connecting: transition.connector?.writeEarly(bytes)
        case .open where loop.core.pointee.delivering == id: loop.core.pointee.afterOutput.append(bytes)
        case .open: send(bytes)
        case .draining, .closed: break
        }
    }

    /// Sends what the handler call just made appended to the output, and then what it wrote.
    func flush() {
        let core = loop.core
        if core.pointee.output.count > 0 { send(core.pointee.output.bytes) }
        if core.pointee.afterOutput.count > 0 { send(core.pointee.afterOutput.bytes) }
        if state.pointee.phase == .draining { finishIfDrained() }
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        guard state.pointee.phase == .open || state.pointee.phase == .draining else { return }
        var taken = 0
        if queuedBytes == 0 {
            var buffer = uv_buf_t(bytes)
            let status = uv_try_write(handle, &buffer, 1)
            if status < 0, status != UV_EAGAIN.rawValue { return failWriting(status) }
            taken = max(Int(status), 0)
        }
        if taken == bytes.count {
            state.pointee.group.idle?.touch(state)
        } else {
            enqueue(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
        }
    }

    /// Queues a copy: [uv_write_t | bytes].
    private func enqueue(_ bytes: UnsafeRawBufferPointer) {
        let options = state.pointee.group.options
        if queuedBytes + bytes.count > options.unsentLimit { return finish(.slowPeer) }
        let header = MemoryLayout<uv_write_t>.stride
        guard let block = malloc(header + bytes.count) else { fatalError("no memory for \(bytes.count) unsent bytes") }
        let copy = UnsafeMutableRawBufferPointer(start: block + header, count: bytes.count)
        copy.copyMemory(from: bytes)
        let request = block.bindMemory(to: uv_write_t.self, capacity: 1)
        // The block's size, for the count when it is freed.
        request.pointee.data = UnsafeMutableRawPointer(bitPattern: header + bytes.count)
        var buffer = uv_buf_t(UnsafeRawBufferPointer(copy))
        let status = uv_write(request, handle, &buffer, 1) { request, status in
            let stream = Unmanaged<TCPStream>.fromOpaque(request!.pointee.handle.pointee.data).takeUnretainedValue()
            stream.loop.core.pointee.ownedBytes -= Int(bitPattern: request!.pointee.data)
            free(request)
            stream.loop.core.pointee.liveBlocks -= 1
            stream.didWrite(status)
        }
        guard status == 0 else {
            free(block)
            return failWriting(status)
        }
        loop.core.pointee.liveBlocks += 1
        loop.core.pointee.ownedBytes += header + bytes.count
        if ownsTooMuch { return giveUp() }
        if queuedBytes > options.highWaterMark, !state.pointee.isThrottled {
            state.pointee.isThrottled = true
            updateReading()
        }
    }

    private func didWrite(_ status: Int32) {
        guard state.pointee.phase != .closed else { return }
        if status < 0 { return failWriting(status) }
        state.pointee.group.idle?.touch(state)
        if state.pointee.isThrottled, queuedBytes <= state.pointee.group.options.highWaterMark / 2 {
            state.pointee.isThrottled = false
            updateReading()
        }
        finishIfDrained()
    }

    private func failWriting(_ status: Int32) {
        finish(.system(PlatformError("write to \(remoteAddress)", status: status)))
    }
}

extension uv_buf_t {
    /// libuv's form of bytes that it only reads.
    init(_ bytes: UnsafeRawBufferPointer) {
        let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        self.init(base: base?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }
}
