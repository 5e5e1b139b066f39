// The two ends of a connection's pipe, as OpenSSL sees them: a BIO that reads from memory somebody lends for one call,
// and that appends to a ByteWriter lent in the same way. Unlike OpenSSL's memory BIOs it owns no bytes, so an idle
// connection has no buffers and nothing is copied twice.

import Basics
import COpenSSL

/// What a connection's callbacks see. Lives at one address as long as the connection's SSL.
struct Transit {
    /// Ciphertext that was not read yet; empty outside a call.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Where ciphertext goes; nil outside a call.
    var output: UnsafeMutablePointer<ByteWriter>?
    /// Position of the key that the peer chose; servers only.
    var key: Int?
    /// Ids of keys that the peer offered and that are none of ours.
    var unknownKeys: [String] = []

    /// Ids that are worth showing; OpenSSL itself offers one.
    private static let unknownKeyLimit = 4

    /// Remembers an identity for the log, if it looks like one of ours.
    mutating func noteUnknown(_ identity: UnsafeBufferPointer<UInt8>) {
        guard unknownKeys.count < Transit.unknownKeyLimit else { return }
        let isID = identity.count == 16 && identity.allSatisfy { hexadecimalDigit($0) != nil }
        unknownKeys.append(isID ? String(decoding: identity, as: UTF8.self) : "of another program")
    }

    /// The transit of a connection, in a callback.
    static func of(_ ssl: OpaquePointer) -> UnsafeMutablePointer<Transit> {
        SSL_get_ex_data(ssl, 0)!.assumingMemoryBound(to: Transit.self)
    }

    private static func of(bio: OpaquePointer) -> UnsafeMutablePointer<Transit> {
        BIO_get_data(bio)!.assumingMemoryBound(to: Transit.self)
    }

    /// A BIO over `transit`.
    static func makeBIO(_ transit: UnsafeMutablePointer<Transit>) -> OpaquePointer {
        guard let bio = BIO_new(method) else { fatalError("no memory for a BIO") }
        BIO_set_data(bio, transit)
        BIO_set_init(bio, 1)
        return bio
    }

    /// Made once, and never changed after that.
    nonisolated(unsafe) private static let method: OpaquePointer = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hearsay transit")!
        BIO_meth_set_read(method) { bio, buffer, capacity in
            let transit = Transit.of(bio: bio!)
            hearsay_bio_clear_retry(bio)
            let count = min(transit.pointee.input.count, Int(capacity))
            guard count > 0, let source = transit.pointee.input.baseAddress else {
                hearsay_bio_retry_read(bio)
                return -1
            }
            UnsafeMutableRawPointer(buffer!).copyMemory(from: source, byteCount: count)
            transit.pointee.input = UnsafeRawBufferPointer(rebasing: transit.pointee.input[count...])
            return Int32(count)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            hearsay_bio_clear_retry(bio)
            guard let output = Transit.of(bio: bio!).pointee.output else { return -1 }
            output.pointee.append(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()
}
