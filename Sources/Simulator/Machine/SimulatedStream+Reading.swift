import Basics
import Platform

extension SimulatedStream {
    /// One read at most, as EventLoop's buffer.
    private static let readBytes = 64 << 10
    /// Unconsumed bytes of one stream at most, as EventLoop's.
    private static let heldLimit = 64 << 20

    // MARK: Kernel

    func arrived(_ bytes: [UInt8]) {
        if socketError == nil, !isPeerEnded {
            inbox.append(bytes)
            inboxBytes += bytes.count
            readable()
        }
        if platform.shadow != nil { mirrored(bytes) }
    }

    /// The shadow may have hung up where we did not: then the broker would have come again.
    private func mirrored(_ bytes: [UInt8]) {
        if let shadow = platform.shadow, mirror?.isSocketClosed == true, let listener {
            makeMirror(on: shadow, listener.address.port)
            mirror?.occur(Happening.accept.rawValue)
        }
        mirror?.arrived(bytes)
    }

    func peerEnded() {
        isPeerEnded = true
        readable()
        mirror?.peerEnded()
    }

    /// A reset came: what is in the inbox can still be read.
    func resetByPeer() { failed("ECONNRESET", "connection reset by peer") }

    /// The kernel gives the connection up.
    func failed(_ name: String, _ message: String) {
        guard !isSocketClosed, socketError == nil else { return }
        let operation = phase == .connecting ? "connect to \(remoteAddress)" : "read from \(remoteAddress)"
        let error = PlatformError(operation: operation, name: name, message: message)
        socketError = error
        outgoing?.abandon()
        mirror?.failed(name, message)
        if phase == .connecting, listener == nil {
            return platform.later(after: 0) { [self] in finish(.system(error)) }
        }
        readable()
    }

    /// Reads now if the process runs and wants to, and notes for later if it is paused.
    private func readable() {
        if isReadQueued || !mayRead { return }
        if platform.host.pause != nil { isReadQueued = true }
        occur(Happening.read.rawValue)
    }

    // MARK: Process

    private var mayRead: Bool { phase == .open && !isPaused && !isThrottled && !offersHeld }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        guard isPaused, phase != .closed else { return }
        isPaused = false
        offersHeld = !held.isEmpty || platform.delivering == id
        updateReading()
    }

    /// Makes what is waiting come, as an event of its own.
    func updateReading() {
        guard phase == .open, !isPaused, !isThrottled else { return }
        if offersHeld {
            if awaitsRedelivery { return }
            awaitsRedelivery = true
            schedule(.redeliver)
        } else if !isReadQueued, inboxBytes > 0 || isPeerEnded || socketError != nil {
            isReadQueued = true
            schedule(.read)
        }
    }

    func redeliver() {
        awaitsRedelivery = false
        guard offersHeld, phase == .open, !isPaused, !isThrottled else { return }
        offersHeld = false
        if !held.isEmpty, held.count >= needed {
            let offered = held
            held = []
            offered.withUnsafeBytes { deliver($0, offered) }
        }
        updateReading()
    }

    func read() {
        while mayRead, platform.delivering == 0 {
            if inboxBytes > 0 {
                readSome()
            } else if let socketError {
                return finish(.system(socketError))
            } else if isPeerEnded {
                return drain(.endOfStream)
            } else {
                return
            }
        }
    }

    /// One read: the first segment, or several put together, at most `readBytes`.
    private func readSome() {
        if inboxHead == inbox.count - 1, inboxOffset == 0, inboxBytes <= SimulatedStream.readBytes {
            let segment = inbox[inboxHead]
            dropInbox()
            incoming?.consumed(segment.count)
            return received(segment)
        }
        let count = min(inboxBytes, SimulatedStream.readBytes)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let segment = inbox[inboxHead]
            let taken = min(count - bytes.count, segment.count - inboxOffset)
            bytes.append(contentsOf: segment[inboxOffset..<inboxOffset + taken])
            inboxOffset += taken
            if inboxOffset == segment.count {
                inboxHead += 1
                inboxOffset = 0
            }
        }
        inboxBytes -= count
        if inboxBytes == 0 { dropInbox() }
        incoming?.consumed(count)
        received(bytes)
    }

    func dropInbox() {
        inbox.removeAll(keepingCapacity: false)
        (inboxHead, inboxOffset, inboxBytes) = (0, 0, 0)
    }

    private func received(_ bytes: [UInt8]) {
        if held.isEmpty, bytes.count >= needed { return bytes.withUnsafeBytes { deliver($0, bytes) } }
        held.append(contentsOf: bytes)
        if held.count < needed {
            if held.count > SimulatedStream.heldLimit { tooLarge() }
            return
        }
        let offered = held
        held = []
        offered.withUnsafeBytes { deliver($0, offered) }
    }

    /// One handler call, then one write of all it answered.
    private func deliver(_ bytes: UnsafeRawBufferPointer, _ whole: [UInt8]) {
        precondition(platform.delivering == 0, "a handler call inside a handler call")
        guard let handler else { return }
        noteDelivery(bytes)
        platform.delivering = id
        let used = handler.stream(self, received: bytes, output: &platform.output)
        platform.delivering = 0
        precondition(
            used.consumed >= 0 && used.consumed <= bytes.count && used.needed >= 0,
            "stream \(id): consumed \(used.consumed) of \(bytes.count), needs \(used.needed)")
        if phase != .closed {
            needed = used.needed
            if used.consumed == 0 {
                held = whole
            } else if used.consumed < bytes.count {
                held = Array(whole[used.consumed...])
            }
            if max(held.count, used.needed) > SimulatedStream.heldLimit {
                tooLarge()
            } else {
                if used.consumed > 0 { touch() }
                flush()
            }
        }
        platform.output.removeAll()
        platform.afterOutput.removeAll()
    }

    private func tooLarge() {
        finish(
            .system(
                PlatformError(
                    operation: "read a frame from \(remoteAddress)", name: "EMSGSIZE", message: "message too long")))
    }

    private func noteDelivery(_ bytes: UnsafeRawBufferPointer) {
        world.trace.mix(UInt64(truncatingIfNeeded: world.time), label, Trace.hash(of: bytes))
        if world.trace.wantsLines {
            let text = world.describe?(bytes) ?? "\(bytes.count) bytes"
            world.trace.add("\(world.timeText) \(name) <- \(remoteAddress) \(text)")
        }
    }
}
