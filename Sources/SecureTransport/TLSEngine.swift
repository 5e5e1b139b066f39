// TLS for one connection, without IO: records in, plaintext out, and the other way round. Everything here runs with
// `Transit.output` set by the caller.

import Basics
import COpenSSL
import Platform

/// OpenSSL's SSL, and what it reads from and writes to.
struct TLSEngine: ~Copyable {
    enum Progress {
        case waiting
        case done
        case failed(SecureFailure)
    }

    enum Reading {
        case bytes(Int)
        /// The record was no data.
        case nothing
        /// The peer will send nothing more.
        case ended
        case failed(SecureFailure)
    }

    let ssl: OpaquePointer
    let transit: UnsafeMutablePointer<Transit>
    let context: TLSContext

    init(_ context: TLSContext) {
        guard let ssl = SSL_new(context.raw) else { fatalError("no memory for a TLS connection") }
        self.ssl = ssl
        self.context = context
        transit = .allocate(capacity: 1)
        transit.initialize(to: Transit())
        SSL_set_ex_data(ssl, 0, transit)
        // One BIO for both directions: SSL_set_bio takes one reference then.
        let bio = Transit.makeBIO(transit)
        SSL_set_bio(ssl, bio, bio)
        if context.side == .server { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
    }

    deinit {
        SSL_free(ssl)
        transit.deinitialize(count: 1)
        transit.deallocate()
    }

    /// Goes on with the handshake; `record` is one whole record, or nothing at the start of a client's.
    func handshake(_ record: UnsafeRawBufferPointer) -> Progress {
        transit.pointee.input = record
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        if status == 1 {
            // A server without our key would have had to show a certificate, which nothing vouches for.
            let hasKey = context.keys == nil || SSL_session_reused(ssl) == 1
            return hasKey ? .done : .failed(.certificateInsteadOfKey)
        }
        return SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ ? .waiting : .failed(failure(isOpen: false))
    }

    /// Decrypts one whole record; `room` has at least as many bytes.
    func read(_ record: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Reading {
        transit.pointee.input = record
        ERR_clear_error()
        var count = 0
        let status = SSL_read_ex(ssl, room.baseAddress, room.count, &count)
        if status == 1 { return .bytes(count) }
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ: return .nothing
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(failure(isOpen: true))
        }
    }

    /// Encrypts bytes, at least one; false when the connection is broken.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        ERR_clear_error()
        var count = 0
        return SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count) == 1 && count == bytes.count
    }

    /// Tells the peer, once, that nothing more will come.
    func shutdown() {
        guard SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    /// Whether there is a place for ciphertext.
    var isLent: Bool { transit.pointee.output != nil }

    /// Ciphertext that stands there.
    var lentBytes: Int { transit.pointee.output?.pointee.count ?? 0 }

    /// Where ciphertext goes from now on.
    func lend(_ output: UnsafeMutablePointer<ByteWriter>?) { transit.pointee.output = output }

    /// What was agreed on.
    var session: SecureSession {
        var session = SecureSession(
            version: String(cString: SSL_get_version(ssl)),
            suite: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))),
            keyID: nil, certificateSubject: nil)
        if let keys = context.keys {
            session.keyID = String(decoding: keys.entries[transit.pointee.key ?? 0].identity, as: UTF8.self)
        } else if let certificate = SSL_get0_peer_certificate(ssl), let name = X509_get_subject_name(certificate) {
            let text = BIO_new(BIO_s_mem())
            defer { BIO_free(text) }
            hearsay_print_name(text, name)
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = BIO_read(text, &bytes, 256)
            session.certificateSubject = String(decoding: bytes[..<Int(max(count, 0))], as: UTF8.self)
        }
        return session
    }
}
