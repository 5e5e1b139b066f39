import COpenSSL
import SecureTransport

/// Issues certificates in this process, so that none in the repository can expire and no private key lies in it.
public final class TestAuthority {
    private let name: String
    private let key = TestAuthority.makeKey()
    private let certificate: OpaquePointer

    /// A new authority.
    public init(_ name: String) {
        self.name = name
        certificate = TestAuthority.sign(
            subject: name, key: key, issuer: nil, issuerKey: key, days: 1, isAuthority: true)
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// A node's three files; `days` < 0 is a certificate that has expired.
    public func issue(_ node: String, days: Int = 1) -> Certificates {
        let nodeKey = TestAuthority.makeKey()
        defer { EVP_PKEY_free(nodeKey) }
        let issued = TestAuthority.sign(
            subject: node, key: nodeKey, issuer: certificate, issuerKey: key, days: days, isAuthority: false)
        defer { X509_free(issued) }
        return Certificates(
            certificate: CredentialFile(
                name: "\(node).pem", bytes: TestAuthority.pem { PEM_write_bio_X509($0, issued) }),
            privateKey: CredentialFile(
                name: "\(node).key",
                bytes: TestAuthority.pem { PEM_write_bio_PrivateKey($0, nodeKey, nil, nil, 0, nil, nil) }),
            authority: file)
    }

    /// The authority's own certificate.
    public var file: CredentialFile {
        CredentialFile(name: "\(name).pem", bytes: TestAuthority.pem { PEM_write_bio_X509($0, certificate) })
    }

    private static func makeKey() -> OpaquePointer {
        let maker = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(maker) }
        var key: OpaquePointer?
        precondition(
            EVP_PKEY_keygen_init(maker) == 1 && EVP_PKEY_CTX_set_group_name(maker, "P-256") == 1
                && EVP_PKEY_generate(maker, &key) == 1)
        return key!
    }

    private static func sign(
        subject: String, key: OpaquePointer, issuer: OpaquePointer?, issuerKey: OpaquePointer, days: Int,
        isAuthority: Bool
    ) -> OpaquePointer {
        let certificate = X509_new()!
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...Int(Int32.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * 86_400)
        X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(certificate), "CN", Int32(MBSTRING_UTF8), subject, -1, -1, 0)
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer ?? certificate))
        if isAuthority {
            let constraint = X509V3_EXT_conf_nid(nil, nil, NID_basic_constraints, "critical,CA:TRUE")
            X509_add_ext(certificate, constraint, -1)
            X509_EXTENSION_free(constraint)
        }
        precondition(X509_sign(certificate, issuerKey, EVP_sha256()) > 0)
        return certificate
    }

    private static func pem(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
        let memory = BIO_new(BIO_s_mem())
        defer { BIO_free(memory) }
        precondition(write(memory) == 1)
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = BIO_read(memory, &bytes, 8192)
        return [UInt8](bytes[..<Int(count)])
    }
}
