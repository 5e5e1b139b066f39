// HKDF with SHA-256 (RFC 5869). Every use of key material has its own label, so that no derived key says anything about
// another one or about the material.

import COpenSSL

/// The key of the gossip layer's `KeyedHash`, derived from what the nodes share; nodes of other labels have other keys.
///
/// - Parameters:
///   - keyMaterial: bytes of a pre-shared key, or any other bytes that all nodes of the cluster have.
///   - label: the cluster's label.
/// - Returns: 16 bytes.
public func deriveHashKey(from keyMaterial: [UInt8], label: String) -> [UInt8] {
    derive(16, from: keyMaterial, use: "hash key", context: [UInt8](label.utf8))
}

/// Eight bytes that differ when the keys differ, and that say nothing about the key: safe to tell a peer, or anybody.
public func fingerprint(of key: [UInt8]) -> UInt64 {
    derive(8, from: key, use: "fingerprint").reduce(0) { $0 << 8 | UInt64($1) }
}

/// `count` bytes for one use.
func derive(_ count: Int, from keyMaterial: [UInt8], use: String, context: [UInt8] = []) -> [UInt8] {
    hkdf(count, material: keyMaterial, salt: [UInt8]("hearsay 1".utf8), info: [UInt8](use.utf8) + [0] + context)
}

/// RFC 5869, extract and expand.
func hkdf(_ count: Int, material: [UInt8], salt: [UInt8], info: [UInt8]) -> [UInt8] {
    precondition(count > 0 && count <= 255 * 32, "HKDF gives 1 to 8160 bytes, not \(count)")
    let extracted = hmac(key: salt, material)
    var result: [UInt8] = []
    var block: [UInt8] = []
    var number: UInt8 = 0
    while result.count < count {
        number += 1
        block = hmac(key: extracted, block + info + [number])
        result += block
    }
    return [UInt8](result[..<count])
}

private func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    // OpenSSL takes a null key for "the one before".
    let key = key.isEmpty ? [UInt8](repeating: 0, count: 32) : key
    let done = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
    precondition(done != nil && length == 32, "HMAC-SHA256 failed")
    return [UInt8](digest[..<32])
}
