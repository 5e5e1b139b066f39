// From records to the handler. Whole records only go to the engine, one at a time; what they hold is gathered and offered
// in one call. The rest that the handler leaves has a block of its own.

import Basics
import Platform

extension SecureStream {
    /// Plaintext gathered before the handler is called: one read's worth.
    private static let batchBytes = 64 << 10

    /// Stops delivering bytes; the handshake goes on.
    public func pauseReading() {
        isPaused = true
        if phase == .open { outer.pauseReading() }
    }

    /// Delivers again: first what was left unconsumed, then new bytes.
    public func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        guard phase == .open else { return }
        offersRest = plain.count > 0 || isDelivering
        outer.resumeReading()
    }

    /// One read of the stream below: its unconsumed bytes, and new ones.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Consumption {
        var offset = keepsToken ? 1 : 0
        keepsToken = false
        while true {
            let (start, held) = (offset, plain.count)
            offset = decrypt(bytes, from: offset)
            if phase == .open, !isPaused {
                let isDue = plain.count > held || offersRest
                offersRest = false
                if isDue, plain.count > 0, plain.count >= needed { deliver() }
                if phase == .open, !isPaused, !offersRest, let readingEnd { endAfterReading(readingEnd) }
            }
            // A handler that paused and read on inside the call gave the loop a turn: the stream below calls again.
            if offset == start || !wantsRecords || offersRest { break }
        }
        return consumption(of: bytes, used: offset)
    }

    private var wantsRecords: Bool { phase == .handshaking || (phase == .open && !isPaused && readingEnd == nil) }

    /// Takes records until a batch is full; where it stopped.
    private func decrypt(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        let full = plain.count + SecureStream.batchBytes
        while wantsRecords, plain.count < full {
            switch TLSRecord.first(in: bytes[offset...]) {
            case .incomplete: return offset
            case .malformed where phase == .open: readingEnd = .secure(.damaged)
            case .malformed: fail(handshakeBytes == 0 ? .notTLS : .damaged)
            case .complete(let length):
                let record = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                offset += length
                if phase == .handshaking { takeHandshake(record) } else { take(record) }
            }
        }
        return offset
    }

    private func takeHandshake(_ record: UnsafeRawBufferPointer) {
        handshakeBytes += record.count
        if handshakeBytes > options.handshakeLimit { fail(.handshakeTooLong) } else { shakeHands(record) }
    }

    private func take(_ record: UnsafeRawBufferPointer) {
        switch engine.read(record, into: plain.room(record.count, expected: needed)) {
        case .bytes(let count): plain.filled(count)
        case .nothing: break
        case .ended: readingEnd = .endOfStream
        // What came before it is sound, and delivered first: how reads happen to cut the bytes makes no difference.
        case .failed(let failure): readingEnd = .secure(failure)
        }
        if plain.count == 0 { plain.free() }
    }

    /// One handler call, and then what it answered.
    private func deliver() {
        guard let inner else { return }
        isDelivering = true
        var output = ByteWriter(capacity: 1024)
        let used = inner.stream(self, received: plain.bytes, output: &output)
        isDelivering = false
        precondition(
            used.consumed >= 0 && used.consumed <= plain.count && used.needed >= 0,
            "stream \(id): consumed \(used.consumed) of \(plain.count), needs \(used.needed)")
        guard phase != .closed else { return }
        plain.consume(used.consumed)
        needed = used.needed
        encrypt(output.bytes)
        if !afterOutput.isEmpty {
            let written = afterOutput
            afterOutput = []
            written.withUnsafeBytes { encrypt($0) }
        }
        if phase == .draining { finishDraining() }
        if phase == .open, max(plain.count, needed) > options.plaintextLimit { fail(.tooMuchUnread) }
    }

    /// The handler has everything: ends as the peer did.
    private func endAfterReading(_ reason: CloseReason) {
        ending = reason
        if reason == .endOfStream {
            phase = .draining
            finishDraining()
        } else {
            phase = .closed
            outer.closeAfterWriting()
        }
    }

    /// What the stream below hears. When the handler is to be called again for bytes that are decrypted already, the
    /// stream below must have a reason to call: the last byte of the last record stays with it.
    private func consumption(of bytes: UnsafeRawBufferPointer, used offset: Int) -> Consumption {
        guard phase == .handshaking || phase == .open else { return Consumption(consumed: bytes.count) }
        if (plain.count > 0 && plain.count >= needed) || readingEnd != nil {
            if offset == bytes.count, offset > 0 {
                keepsToken = true
                return Consumption(consumed: offset - 1)
            }
            return Consumption(consumed: offset)
        }
        guard case .incomplete(let needed) = TLSRecord.first(in: bytes[offset...]) else {
            return Consumption(consumed: offset)
        }
        return Consumption(consumed: offset, needed: offset == bytes.count ? 0 : needed)
    }
}
