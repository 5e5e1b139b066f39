// RocketMQ's request signatures (acl/…/AclUtils.combineRequestContent and AclSigner of 4.9 and 5.3, auth/…/
// DefaultAuthenticationContextBuilder of 5.3, ClientRPCHook of the C++ client, interceptor.go of the Go client).
//
//   Signature = base64(HMAC-SHA1(secret key, values of all ext fields but Signature, in the order of their names, + body))
//
// Neither the request code nor any time is in it: whoever can listen can repeat a request, and send the same fields as another
// one. TLS keeps others from listening.

import COpenSSL
import Remoting

/// What a client signs, and the check of it.
public enum RequestSignature {
    // The Java, C++ and Go clients send the first two; C++ also OnsChannel, Java and Go SecurityToken when configured. A C++
    // client without credentials sends all of its own empty.
    /// The ext field with the account's name.
    public static let accessKeyField = "AccessKey"
    /// The ext field with the signature.
    public static let signatureField = "Signature"

    /// Base64 of the 20 bytes of SHA-1.
    static let length = 28

    /// Whether the request's `Signature` was made with the secret; compared in constant time.
    ///
    /// A Java client that is configured for a zone adds `__ZONE_NAME` and `__ZONE_MODE` after signing (its
    /// DynamicalExtFieldRPCHook comes last), others before; they choose among brokers and grant nothing, so both will do.
    static func verifies(
        _ header: borrowing CommandHeader, body: UnsafeRawBufferPointer, with secret: SecretKey
    ) -> Bool {
        let content = SignedContent(header)
        let given = header.field("Signature") ?? UnsafeRawBufferPointer(start: nil, count: 0)
        var isRight = equals(given, of: content.bytes(zone: true), body, secret)
        if content.hasZone { isRight = equals(given, of: content.bytes(zone: false), body, secret) || isRight }
        return isRight
    }

    private static func equals(
        _ given: UnsafeRawBufferPointer, of fields: [UInt8], _ body: UnsafeRawBufferPointer, _ secret: SecretKey
    ) -> Bool {
        let made = make(fields: fields, body: body, secret: secret)
        guard given.count == length, made.count == length else { return false }
        return CRYPTO_memcmp(given.baseAddress, made, length) == 0
    }

    /// Adds `AccessKey` and `Signature` to a request of ours, as RocketMQ's clients do.
    public static func sign(_ command: inout RemotingCommand, accessKey: String, secretKey: SecretKey) {
        command[signatureField] = nil
        command[accessKeyField] = accessKey
        let fields = (command.fields ?? []).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let content = fields.reduce(into: [UInt8]()) { $0 += $1.value.utf8 }
        let signature = command.body.withUnsafeBytes { make(fields: content, body: $0, secret: secretKey) }
        command[signatureField] = String(decoding: signature, as: UTF8.self)
    }

    /// The signature's 28 characters; empty when OpenSSL has no SHA-1.
    static func make(fields: [UInt8], body: UnsafeRawBufferPointer, secret: SecretKey) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        guard
            hearsay_hmac_sha1(
                template, secret.bytes, secret.bytes.count, fields, fields.count, body.baseAddress, body.count, &digest)
                == 1
        else { return [] }
        var text = [UInt8](repeating: 0, count: length + 1)
        EVP_EncodeBlock(&text, digest, Int32(digest.count))
        text.removeLast()
        return text
    }

    /// Made once and only copied after, so any thread may use it.
    private nonisolated(unsafe) static let template = hearsay_hmac_sha1_template()
}

/// The ext fields of a request as they are signed: by name, the last of equal ones.
private struct SignedContent {
    private var fields: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = []
    private(set) var hasZone = false

    /// At most `FrameLimits.fieldCount` fields.
    init(_ header: borrowing CommandHeader) {
        var all: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?, order: Int)] = []
        header.forEachField { all.append(($0, $1, all.count)) }
        all.sort { left, right in
            if left.name.elementsEqual(right.name) { return left.order < right.order }
            return left.name.lexicographicallyPrecedes(right.name)
        }
        for (index, field) in all.enumerated() {
            if index + 1 < all.count, all[index + 1].name.elementsEqual(field.name) { continue }
            guard let value = field.value, !(field.name == "Signature") else { continue }
            if Self.isZone(field.name) { hasZone = true }
            fields.append((field.name, value))
        }
    }

    func bytes(zone: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields where zone || !Self.isZone(field.name) { bytes += field.value }
        return bytes
    }

    private static func isZone(_ name: UnsafeRawBufferPointer) -> Bool {
        name == "__ZONE_NAME" || name == "__ZONE_MODE"
    }
}

extension UnsafeRawBufferPointer {
    fileprivate static func == (left: UnsafeRawBufferPointer, right: StaticString) -> Bool {
        left.count == right.utf8CodeUnitCount
            && left.elementsEqual(UnsafeRawBufferPointer(start: right.utf8Start, count: right.utf8CodeUnitCount))
    }
}
