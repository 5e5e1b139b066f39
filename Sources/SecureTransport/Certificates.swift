import COpenSSL

/// A node's certificate, its key, and whom it trusts. All in PEM; checked when a `TLSContext` is made of them.
public struct Certificates: Sendable {
    /// The node's certificate, followed by intermediate ones if there are any.
    public var certificate: CredentialFile
    /// Its private key, without a password.
    public var privateKey: CredentialFile
    /// Certificates of the authorities; every certificate that one of them issued is a node's.
    public var authority: CredentialFile

    /// The three files.
    public init(certificate: CredentialFile, privateKey: CredentialFile, authority: CredentialFile) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.authority = authority
    }
}

extension TLSContext {
    /// Loads the certificate and its key, and demands one of the peer. Called once, by `init`.
    func use(_ certificates: Certificates) throws(SecureTransportError) {
        try show(certificates.certificate, certificates.privateKey, password: nil)
        try trust(certificates.authority)
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Loads what is shown to peers: a certificate with those that lead to its authority, and its key.
    func show(
        _ certificate: CredentialFile, _ privateKey: CredentialFile, password: String?
    ) throws(SecureTransportError) {
        let chain = try readCertificates(certificate)
        defer { chain.forEach(X509_free) }
        guard SSL_CTX_use_certificate(raw, chain[0]) == 1 else { throw refusal(certificate, OpenSSLErrors.words()) }
        for intermediate in chain.dropFirst() where hearsay_ssl_add_chain(raw, intermediate) == 1 {
            // The context has one reference now, and `defer` gives another one back.
            X509_up_ref(intermediate)
        }
        let key = try readPrivateKey(privateKey, password: password)
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(raw, key) == 1, SSL_CTX_check_private_key(raw) == 1 else {
            throw refusal(privateKey, "it is not the key of the certificate in \(certificate.name)")
        }
    }

    /// Takes peers' certificates that one of these authorities issued.
    func trust(_ file: CredentialFile) throws(SecureTransportError) {
        let authorities = try readCertificates(file)
        defer { authorities.forEach(X509_free) }
        let store = SSL_CTX_get_cert_store(raw)
        for authority in authorities where X509_STORE_add_cert(store, authority) != 1 {
            throw refusal(file, OpenSSLErrors.words())
        }
    }
}

private func refusal(_ file: CredentialFile, _ reason: String) -> SecureTransportError {
    SecureTransportError(subject: file.name, reason: reason)
}

/// The certificates of a PEM file, at least one; the caller frees them.
private func readCertificates(_ file: CredentialFile) throws(SecureTransportError) -> [OpaquePointer] {
    ERR_clear_error()
    var certificates: [OpaquePointer] = []
    file.bytes.withUnsafeBytes { bytes in
        let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
        while let certificate = PEM_read_bio_X509(source, nil, { _, _, _, _ in 0 }, nil) {
            certificates.append(certificate)
        }
        BIO_free(source)
    }
    // The end of the file shows as an error, too: "no start line".
    let isWhole = hearsay_error_reason(ERR_peek_last_error()) == PEM_R_NO_START_LINE
    ERR_clear_error()
    if isWhole, !certificates.isEmpty { return certificates }
    certificates.forEach(X509_free)
    throw refusal(
        file,
        "\(isWhole ? "there is no certificate in it" : "a certificate in it cannot be read") (PEM expected)")
}

private func readPrivateKey(
    _ file: CredentialFile, password: String?
) throws(SecureTransportError) -> OpaquePointer {
    ERR_clear_error()
    let key = file.bytes.withUnsafeBytes { bytes in
        let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
        defer { BIO_free(source) }
        guard var password = password.map({ Array($0.utf8CString) }) else {
            // No password, instead of a question on the terminal.
            return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
        return PEM_read_bio_PrivateKey(source, nil, nil, &password)
    }
    ERR_clear_error()
    guard let key else {
        let expected = password == nil ? "PEM without a password expected" : "PEM with the configured password expected"
        throw refusal(file, "there is no private key in it that can be read (\(expected))")
    }
    return key
}
