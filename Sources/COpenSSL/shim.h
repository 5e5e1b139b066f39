// OpenSSL's headers, and the macros that Swift's importer cannot reach. Version 3.0 or later.
#ifndef HEARSAY_COPENSSL_SHIM_H
#define HEARSAY_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// No renegotiation, no compression, no tickets of either kind, no session cache, no 0-RTT, and memory for records only
// while there are records. The choice between several suites is the server's.
static inline void hearsay_ssl_harden(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
}

static inline int hearsay_ssl_set_versions(SSL_CTX *context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) && SSL_CTX_set_max_proto_version(context, maximum);
}

static inline int hearsay_ssl_set_groups(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}

// Takes over the caller's reference when it succeeds.
static inline int hearsay_ssl_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

// A read found nothing: not the end of the stream.
static inline void hearsay_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void hearsay_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline int hearsay_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

// `CN = ns-2, O = example`: printable ASCII, whatever is in the name.
static inline int hearsay_print_name(BIO *out, const X509_NAME *name) {
    return X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE);
}

// A random serial number of 63 bits.
static inline int hearsay_x509_draw_serial(X509 *certificate) {
    unsigned char bytes[8];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return 0;
    bytes[0] &= 0x7F;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    int isDone = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return isDone;
}

// Makes a key (P-256) and a certificate for it, signed by itself and good for ten years from yesterday on, and uses both.
static inline int hearsay_ssl_use_generated_certificate(SSL_CTX *context) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int isDone = 0;
    if (key && certificate) {
        X509_NAME *name = X509_get_subject_name(certificate);
        isDone = X509_set_version(certificate, X509_VERSION_3) && hearsay_x509_draw_serial(certificate) &&
                 X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L) &&
                 X509_gmtime_adj(X509_getm_notAfter(certificate), 315360000L) &&
                 X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"hearsay, for testing", -1, -1, 0) &&
                 X509_set_issuer_name(certificate, name) && X509_set_pubkey(certificate, key) &&
                 X509_sign(certificate, key, EVP_sha256()) && SSL_CTX_use_certificate(context, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key) == 1;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return isDone;
}

// What every HMAC-SHA1 begins as: finding the algorithms by their names costs more than a short message. NULL = there is none.
static inline EVP_MAC_CTX *hearsay_hmac_sha1_template(void) {
    char name[] = "SHA1";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (context && EVP_MAC_CTX_set_params(context, params)) return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

// HMAC-SHA1 of two stretches of bytes, 20 bytes into `out`; 1 when it is done.
static inline int hearsay_hmac_sha1(const EVP_MAC_CTX *template, const void *key, size_t key_length, const void *head,
                                    size_t head_length, const void *body, size_t body_length, unsigned char *out) {
    EVP_MAC_CTX *context = template ? EVP_MAC_CTX_dup(template) : NULL;
    size_t length = 0;
    int isDone = context && EVP_MAC_init(context, (const unsigned char *)key, key_length, NULL) &&
                 EVP_MAC_update(context, (const unsigned char *)head, head_length) &&
                 EVP_MAC_update(context, (const unsigned char *)body, body_length) &&
                 EVP_MAC_final(context, out, &length, 20) && length == 20;
    EVP_MAC_CTX_free(context);
    return isDone;
}

#endif
