// From the socket to the handler. Every read lands in the loop's one buffer, behind room for what the stream holds from
// before; only a frame's beginning that is left over when the handler returns gets memory of its own. A frame that has
// grown large is read straight into that block, so that no byte is copied more than a few times. Large frames share one
// turn's time (`LoopCore.bulkBytesPerTurn`): a stream beyond it gives libuv no room, which then asks again in the next turn.

import Basics
import CLibuv
import Glibc
import Platform

extension TCPStream {
    /// From this many held bytes on, reads go to the stream's own block instead of the loop's buffer.
    private static let directReadBytes = LoopCore.readBufferBytes / 2
    /// Unconsumed bytes of one stream at most. Above every frame limit (16 MiB by default), so handlers refuse first.
    private static let heldLimit = 64 << 20

    // MARK: Whether to read

    func pauseReading() {
        state.pointee.isPaused = true
        updateReading()
    }

    func resumeReading() {
        guard state.pointee.isPaused, state.pointee.phase != .closed else { return }
        state.pointee.isPaused = false
        state.pointee.offersHeld = state.pointee.held.count > 0 || loop.core.pointee.delivering == id
        updateReading()
    }

    /// Makes libuv read, or not, as the flags say.
    func updateReading() {
        let wanted = state.pointee.phase == .open && !state.pointee.isPaused && !state.pointee.isThrottled
        if wanted, state.pointee.offersHeld { loop.redelivery.add(self) }
        let reads = wanted && !state.pointee.offersHeld
        guard reads != state.pointee.isReading, state.pointee.phase != .closed else { return }
        state.pointee.isReading = reads
        if reads {
            uv_read_start(handle, TCPStream.allocate, TCPStream.didRead)
        } else {
            uv_read_stop(handle)
        }
    }

    /// Offers the held bytes again; by then the handler may have paused anew, or the stream may be closed.
    func redeliver() {
        guard state.pointee.offersHeld, state.pointee.phase == .open, !state.pointee.isPaused,
            !state.pointee.isThrottled
        else { return }
        state.pointee.offersHeld = false
        if state.pointee.held.count > 0, state.pointee.held.count >= state.pointee.needed {
            deliver(state.pointee.held.bytes)
        }
        updateReading()
    }

    // MARK: The path of every read

    private static let allocate: uv_alloc_cb = { handle, _, buffer in
        Unmanaged<TCPStream>.fromOpaque(handle!.pointee.data)._withUnsafeGuaranteedRef { stream in
            let room = stream.room()
            buffer!.pointee = uv_buf_t(base: room.baseAddress?.assumingMemoryBound(to: CChar.self), len: room.count)
        }
    }

    private static let didRead: uv_read_cb = { handle, count, _ in
        Unmanaged<TCPStream>.fromOpaque(handle!.pointee.data)._withUnsafeGuaranteedRef { stream in
            if count > 0 {
                stream.received(count)
            } else if count < 0, count != Int(UV_ENOBUFS.rawValue) {
                stream.readEnded(Int32(count))
            }
        }
    }

    private func room() -> UnsafeMutableRawBufferPointer {
        let core = loop.core
        let held = state.pointee.held.count
        let isShareUsed = core.pointee.bulkBytesLeft <= 0
        if isShareUsed, state.pointee.needed > TCPStream.directReadBytes || held >= TCPStream.directReadBytes {
            return UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        if held >= TCPStream.directReadBytes {
            let needed = state.pointee.needed
            let room = changeHeld { held in
                if held.capacity == held.count, let spare = core.pointee.spare, spare.capacity > held.count {
                    core.pointee.spare = nil
                    held.move(into: spare)
                }
                return held.room(needed: needed)
            }
            return UnsafeMutableRawBufferPointer(rebasing: room.prefix(LoopCore.bulkReadBytes))
        }
        let room = isShareUsed ? LoopCore.smallReadBytes : LoopCore.readBufferBytes - held
        return UnsafeMutableRawBufferPointer(start: core.pointee.readBuffer + held, count: room)
    }

    /// `count` bytes were read into the room.
    private func received(_ count: Int) {
        let held = state.pointee.held.count
        loop.core.pointee.bulkBytesLeft -= count
        if held >= TCPStream.directReadBytes {
            state.pointee.held.filled(count)
            if held + count >= state.pointee.needed { return deliver(state.pointee.held.bytes) }
            return ownsTooMuch ? giveUp() : ()
        }
        let buffer = loop.core.pointee.readBuffer
        if held + count < state.pointee.needed {
            // A drip of bytes costs its own bytes, not the whole frame's beginning each time.
            if held == 0 { loop.core.pointee.liveBlocks += 1 }
            let new = UnsafeRawBufferPointer(start: buffer + held, count: count)
            changeHeld { $0.append(new, needed: state.pointee.needed) }
            return ownsTooMuch ? giveUp() : ()
        }
        if held > 0 { buffer.copyMemory(from: state.pointee.held.bytes.baseAddress!, byteCount: held) }
        deliver(UnsafeRawBufferPointer(start: buffer, count: held + count))
    }

    /// One handler call, then one write of all it answered.
    private func deliver(_ bytes: UnsafeRawBufferPointer) {
        let core = loop.core
        precondition(core.pointee.delivering == 0, "a handler call inside a handler call")
        guard let handler = state.pointee.handler else { return }
        // The handler goes over all of it, however little of it came last.
        if bytes.count > LoopCore.readBufferBytes { core.pointee.bulkBytesLeft -= bytes.count }
        core.pointee.delivering = id
        let used = handler.stream(self, received: bytes, output: &core.pointee.output)
        core.pointee.delivering = 0
        precondition(
            used.consumed >= 0 && used.consumed <= bytes.count && used.needed >= 0,
            "stream \(id): consumed \(used.consumed) of \(bytes.count), needs \(used.needed)")
        if state.pointee.phase != .closed {
            keep(UnsafeRawBufferPointer(rebasing: bytes[used.consumed...]), needed: used.needed)
            if used.consumed > 0, state.pointee.phase != .closed { state.pointee.group.idle?.touch(state) }
            flush()
        }
        core.pointee.output.removeAll()
        core.pointee.output.shrink(to: LoopCore.outputBytesKept)
        core.pointee.afterOutput.removeAll()
        core.pointee.afterOutput.shrink(to: LoopCore.outputBytesKept)
    }

    /// Holds what the handler left, in a block of exactly that size; usually there is nothing.
    private func keep(_ rest: UnsafeRawBufferPointer, needed: Int) {
        state.pointee.needed = needed
        let held = state.pointee.held.count
        if max(rest.count, needed) > TCPStream.heldLimit {
            return finish(.system(PlatformError("read a frame from \(remoteAddress)", errno: EMSGSIZE)))
        }
        if rest.count == 0 {
            if held > 0 { releaseHeld() }
            return
        }
        if rest.baseAddress == UnsafeRawPointer(state.pointee.held.base) { return }
        if held == 0 { loop.core.pointee.liveBlocks += 1 }
        changeHeld { $0.keep(rest) }
        if ownsTooMuch { giveUp() }
    }

    func releaseHeld() {
        let core = loop.core
        changeHeld { held in
            if core.pointee.spare == nil, LoopCore.spareBytes.contains(held.capacity) {
                core.pointee.spare = held
                held = HeldBytes()
            } else {
                held.free()
            }
        }
        core.pointee.liveBlocks -= 1
    }

    // MARK: The end of the peer's bytes

    private func readEnded(_ status: Int32) {
        state.pointee.isReading = false
        if status != UV_EOF.rawValue {
            finish(.system(PlatformError("read from \(remoteAddress)", status: status)))
        } else {
            // A half-closed peer still gets its answers.
            drain(.endOfStream)
        }
    }

    /// Takes, before the socket is closed, what has arrived unread: the kernel would answer it with a reset, and that
    /// can overtake our last answer. Bounded, since the peer may go on sending.
    func discardReceived() {
        var descriptor: Int32 = -1
        guard uv_fileno(uvHandle, &descriptor) == 0 else { return }
        for _ in 0..<16 {
            if read(descriptor, loop.core.pointee.readBuffer, LoopCore.readBufferBytes) <= 0 { return }
        }
    }
}
