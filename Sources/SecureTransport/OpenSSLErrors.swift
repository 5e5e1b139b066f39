// OpenSSL's error queue, in an operator's words.

import COpenSSL
import Platform

enum OpenSSLErrors {
    /// The words of the oldest error in the thread's queue, which is the cause of those after it.
    static func words() -> String {
        let code = ERR_peek_error()
        if code == 0 { return "no reason given" }
        guard let text = ERR_reason_error_string(code) else { return "error \(code)" }
        return String(cString: text)
    }

    /// Alerts of the peer are reasons from here on: 1,040 = handshake_failure. RFC 8446, 6.2.
    static let alertBase: Int32 = 1000
}

extension TLSEngine {
    /// What the error at the head of the queue means for the connection.
    func failure(isOpen: Bool) -> SecureFailure {
        let reason = hearsay_error_reason(ERR_peek_error())
        if (OpenSSLErrors.alertBase...OpenSSLErrors.alertBase + 255).contains(reason) {
            return alerted(reason - OpenSSLErrors.alertBase, isOpen: isOpen)
        }
        switch reason {
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_BAD_RECORD_TYPE, SSL_R_UNEXPECTED_MESSAGE,
            SSL_R_BINDER_DOES_NOT_VERIFY, SSL_R_DIGEST_CHECK_FAILED:
            return .damaged
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            if context.keys != nil { return .certificateInsteadOfKey }
            return .peerCertificate(String(cString: X509_verify_cert_error_string(SSL_get_verify_result(ssl))))
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return .noPeerCertificate
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
            return .version
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            return .notTLS
        default:
            if !isOpen, context.side == .server, context.keys != nil, transit.pointee.key == nil {
                let unknown = transit.pointee.unknownKeys
                return unknown.isEmpty ? .noKeyOffered : .unknownKey(unknown)
            }
            return .failed(OpenSSLErrors.words())
        }
    }

    /// What the peer means by a fatal alert.
    private func alerted(_ alert: Int32, isOpen: Bool) -> SecureFailure {
        if !isOpen, context.side == .client, let keys = context.keys {
            switch alert {
            case SSL3_AD_HANDSHAKE_FAILURE, TLS1_AD_DECRYPT_ERROR, TLS13_AD_MISSING_EXTENSION,
                TLS1_AD_UNKNOWN_PSK_IDENTITY:
                return .keyRefused(String(decoding: keys.entries[0].identity, as: UTF8.self))
            default: break
            }
        }
        switch alert {
        case SSL3_AD_BAD_RECORD_MAC: return .damaged
        case TLS1_AD_PROTOCOL_VERSION: return .version
        // A server learns last of a client's certificate: its alert comes when the client already sends.
        case SSL3_AD_BAD_CERTIFICATE...SSL3_AD_CERTIFICATE_UNKNOWN, TLS1_AD_UNKNOWN_CA, TLS1_AD_ACCESS_DENIED,
            TLS1_AD_DECRYPT_ERROR, TLS13_AD_CERTIFICATE_REQUIRED:
            return .certificateRefused(OpenSSLErrors.words())
        case SSL3_AD_HANDSHAKE_FAILURE where !isOpen && context.side == .client:
            return .certificateRefused("handshake failure; perhaps it has pre-shared keys")
        default: return .failed(OpenSSLErrors.words())
        }
    }
}
