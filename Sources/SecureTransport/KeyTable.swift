// Pre-shared keys in OpenSSL's form. OpenSSL calls back in the middle of a handshake; C callbacks capture nothing, so
// they find the table at the SSL_CTX and the connection's `Transit` at the SSL.

import COpenSSL

/// The keys of one context, the primary first.
final class KeyTable {
    struct Entry {
        /// What goes over the wire: the id's digits, at an address that stays.
        let identity: UnsafeMutableBufferPointer<UInt8>
        /// An SSL_SESSION that was never a session: how OpenSSL wants an external key.
        let session: OpaquePointer
    }

    /// The one suite for keys: its hash is bound to the key, so both sides must name the same. RFC 8446, 4.2.11.
    static let suite = "TLS_AES_128_GCM_SHA256"
    private static let suiteNumber: [UInt8] = [0x13, 0x01]

    let entries: [Entry]

    init(_ keyring: Keyring, _ context: OpaquePointer) {
        let probe = SSL_new(context)
        guard let cipher = SSL_CIPHER_find(probe, KeyTable.suiteNumber) else {
            preconditionFailure("OpenSSL without \(KeyTable.suite)")
        }
        entries = ([keyring.primary] + keyring.secondaries).map { key in
            let identity = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: key.id.utf8.count)
            _ = identity.initialize(from: key.id.utf8)
            let secret = key.secret
            guard let session = SSL_SESSION_new(),
                SSL_SESSION_set1_master_key(session, secret, secret.count) == 1,
                SSL_SESSION_set_cipher(session, cipher) == 1,
                SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1
            else { preconditionFailure("no memory for a TLS session") }
            return Entry(identity: identity, session: session)
        }
        SSL_free(probe)
    }

    deinit {
        for entry in entries {
            entry.identity.deallocate()
            SSL_SESSION_free(entry.session)
        }
    }

    /// The table of a connection, in a callback.
    static func of(_ ssl: OpaquePointer) -> KeyTable {
        let context = SSL_get_SSL_CTX(ssl)!
        return Unmanaged<KeyTable>.fromOpaque(SSL_CTX_get_ex_data(context, 0)!).takeUnretainedValue()
    }

    /// The position of the key with this identity.
    func index(of identity: UnsafeBufferPointer<UInt8>) -> Int? {
        entries.firstIndex { $0.identity.elementsEqual(identity) }
    }
}

extension TLSContext {
    /// Makes keys the only way in. Called once, by `init`.
    func usePreSharedKeys() {
        guard let keys else { preconditionFailure("no keys") }
        SSL_CTX_set_ex_data(raw, 0, Unmanaged.passUnretained(keys).toOpaque())
        precondition(SSL_CTX_set_ciphersuites(raw, KeyTable.suite) == 1, "OpenSSL without \(KeyTable.suite)")
        switch side {
        case .client:
            // With no authority to trust, a server that answers with a certificate is refused.
            SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
            SSL_CTX_set_psk_use_session_callback(raw) { ssl, _, identity, length, session in
                let primary = KeyTable.of(ssl!).entries[0]
                // A copy: OpenSSL writes into it, and marks it as spent when a handshake fails. A server copies by itself.
                guard let copy = SSL_SESSION_dup(primary.session) else { return 0 }
                identity!.pointee = UnsafePointer(primary.identity.baseAddress)
                length!.pointee = primary.identity.count
                session!.pointee = copy
                return 1
            }
        case .server:
            SSL_CTX_set_psk_find_session_callback(raw) { ssl, identity, length, session in
                let offered = UnsafeBufferPointer(start: identity, count: length)
                let transit = Transit.of(ssl!)
                let keys = KeyTable.of(ssl!)
                if let index = keys.index(of: offered) {
                    SSL_SESSION_up_ref(keys.entries[index].session)
                    session!.pointee = keys.entries[index].session
                    transit.pointee.key = index
                } else {
                    // The handshake goes on without a key, and fails for want of a certificate.
                    session!.pointee = nil
                    transit.pointee.noteUnknown(offered)
                }
                return 1
            }
        }
    }
}
