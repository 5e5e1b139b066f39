import Basics
import Remoting

/// Takes secrets out of frames before they are written down (protocol.md 1.10: what RocketMQ's clients sign with).
///
/// A signature does not give the secret key away, but it lets who has it try keys in peace; a security token is a
/// password. Access keys are names, and stay.
enum SecretMask {
    /// Fields whose values are replaced.
    static let fields = ["Signature", "SecurityToken"]
    /// What stands there instead.
    static let mask = "masked-by-hearsay-record"

    /// The frame as it may be written down.
    static func masked(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        guard case .frame(let frame)? = try? Frame.first(in: bytes), mayHoldSecret(frame.header),
            var command = try? RemotingCommand(decoding: frame)
        else { return [UInt8](bytes) }
        var isMasked = false
        for name in fields where command[name] != nil {
            command[name] = mask
            isMasked = true
        }
        return isMasked ? command.encoded(as: frame.serializeType) : [UInt8](bytes)
    }

    /// A look at the bytes, since nearly no header does; names with escapes, which no client writes, are looked at closely.
    private static func mayHoldSecret(_ header: UnsafeRawBufferPointer) -> Bool {
        fields.contains { header.contains(text: $0) } || header.contains(UInt8(ascii: "\\"))
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func contains(text: String) -> Bool {
        let pattern = Array(text.utf8)
        guard count >= pattern.count else { return false }
        var index = startIndex
        while let found = self[index...].firstIndex(of: pattern[0]), count - found >= pattern.count {
            if self[found..<found + pattern.count].elementsEqual(pattern) { return true }
            index = found + 1
        }
        return false
    }
}
