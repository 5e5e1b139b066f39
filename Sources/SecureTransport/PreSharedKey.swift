/// A secret that the nodes of a cluster share. Whoever has it is a node: it proves membership, not which node.
public struct PreSharedKey: Sendable {
    /// Fewer bytes could be guessed from what goes over the wire.
    public static let minimumBytes = 16
    /// More bytes add nothing.
    public static let maximumBytes = 1024

    /// Names the key on the wire and in logs, in 16 hexadecimal digits; derived from it, and of no use to find it.
    public let id: String
    let material: [UInt8]

    /// A key of 16 to 1,024 bytes.
    public init(material: [UInt8]) throws(SecureTransportError) {
        guard material.count >= PreSharedKey.minimumBytes, material.count <= PreSharedKey.maximumBytes else {
            throw SecureTransportError(
                subject: "pre-shared key",
                reason: "it has \(material.count) bytes; \(PreSharedKey.minimumBytes) to "
                    + "\(PreSharedKey.maximumBytes) are allowed")
        }
        self.material = material
        id = hexadecimal(derive(8, from: material, use: "key id"))
    }

    /// Reads one line of 32 to 2,048 hexadecimal digits, an even number; white space around it is ignored.
    public init(file: CredentialFile) throws(SecureTransportError) {
        func refuse(_ reason: String) -> SecureTransportError {
            SecureTransportError(
                subject: file.name,
                reason: "\(reason); expected one line of at least \(2 * PreSharedKey.minimumBytes) hexadecimal digits, "
                    + "as `openssl rand -hex 32` prints")
        }
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let head = file.bytes.drop(while: isBlank)
        let line = head.prefix(head.count - head.reversed().prefix(while: isBlank).count)
        if line.isEmpty { throw refuse("the file is empty") }
        if line.contains(0x0A) { throw refuse("there is more than one line") }
        var material: [UInt8] = []
        var high: UInt8?
        for byte in line {
            guard let digit = hexadecimalDigit(byte) else { throw refuse("there is something else than digits") }
            if let upper = high {
                material.append(upper << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { throw refuse("the number of digits is odd (\(line.count))") }
        guard material.count >= PreSharedKey.minimumBytes, material.count <= PreSharedKey.maximumBytes else {
            throw refuse("there are \(line.count) digits")
        }
        try self.init(material: material)
    }

    /// What TLS is given: 32 bytes.
    var secret: [UInt8] { derive(32, from: material, use: "tls psk") }

    /// The gossip layer's hash key under this key; see the free function.
    public func deriveHashKey(label: String) -> [UInt8] { SecureTransport.deriveHashKey(from: material, label: label) }
}

extension PreSharedKey: Hashable, CustomStringConvertible, CustomReflectable {
    /// Never shows the key.
    public var description: String { "key \(id)" }
    /// Never shows the key, not even to `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// The keys of one node. To change the key without a gap: add the new one as a secondary everywhere, make it the primary
/// everywhere, and then remove the old one.
public struct Keyring: Sendable, Hashable {
    /// Shown when this node dials.
    public var primary: PreSharedKey
    /// Accepted, besides the primary, from those who dial this node.
    public var secondaries: [PreSharedKey]

    /// A primary and any number of secondaries.
    public init(primary: PreSharedKey, secondaries: [PreSharedKey] = []) {
        self.primary = primary
        self.secondaries = secondaries
    }

    /// The keys of some files, the primary's first.
    public init(files: [CredentialFile]) throws(SecureTransportError) {
        var keys: [PreSharedKey] = []
        for file in files { keys.append(try PreSharedKey(file: file)) }
        guard let primary = keys.first else {
            throw SecureTransportError(subject: "preSharedKeys", reason: "at least one file is needed")
        }
        self.init(primary: primary, secondaries: [PreSharedKey](keys.dropFirst()))
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = [UInt8]("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
