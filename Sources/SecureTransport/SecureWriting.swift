// From the handler to records.

import Basics
import Platform

extension SecureStream {
    /// Plaintext encrypted at a time: enough for one write, little enough to hold twice.
    private static let chunkBytes = 64 << 10

    /// Bytes that wait, for the handshake or for the socket; the latter with 22 bytes of TLS to every 16 KiB.
    public var unsentBytes: Int {
        // What a read's output holds already the stream below does not know of: `streamOpened` may write at length.
        phase == .closed ? 0 : outer.unsentBytes + engine.lentBytes + early.count + afterOutput.count
    }

    /// Encrypts and sends bytes in order; before the stream is open they wait for it.
    public func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        if waitsForHandshake {
            early.append(contentsOf: bytes)
            guard early.count > options.earlyLimit else { return }
            ending = .slowPeer
            close()
        } else if phase == .open {
            if isDelivering { afterOutput.append(contentsOf: bytes) } else { encrypt(bytes) }
        }
    }

    /// Encrypts bytes and sends them.
    func encrypt(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count, phase == .open || phase == .draining {
            let end = min(offset + SecureStream.chunkBytes, bytes.count)
            let isWritten = withCiphertext {
                engine.write(UnsafeRawBufferPointer(rebasing: bytes[offset..<end]))
            }
            guard isWritten else {
                // After a damaged record nothing can be sent; how it was damaged counts.
                if readingEnd == nil { fail(engine.failure(isOpen: true)) }
                return
            }
            offset = end
        }
    }

    /// Runs `body`, and sends the records it makes: through the read's own output, or in one write.
    func withCiphertext<Result>(_ body: () -> Result) -> Result {
        if engine.isLent { return body() }
        var records = ByteWriter(capacity: 1024)
        let result = withUnsafeMutablePointer(to: &records) { writer in
            engine.lend(writer)
            defer { engine.lend(nil) }
            return body()
        }
        if records.count > 0 { outer.write(records.bytes) }
        return result
    }
}
