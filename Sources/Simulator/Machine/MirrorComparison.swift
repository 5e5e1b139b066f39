import Basics

/// What a node and its shadow sent on one mirrored connection, compared byte by byte as it comes.
final class MirrorComparison {
    private let world: World
    private let remote: Address
    private let host: Host
    /// Sent by one and not yet by the other.
    private var ahead: [UInt8] = []
    private var isShadowAhead = false
    private var hasEnded = false

    init(_ world: World, _ remote: Address, _ host: Host) {
        self.world = world
        self.remote = remote
        self.host = host
    }

    func sent(_ bytes: UnsafeRawBufferPointer, byShadow: Bool) {
        if hasEnded { return }
        if ahead.isEmpty || isShadowAhead == byShadow {
            isShadowAhead = byShadow
            ahead.append(contentsOf: bytes)
            return
        }
        let common = min(ahead.count, bytes.count)
        let isSame = ahead.withUnsafeBytes { waiting in
            (0..<common).allSatisfy { waiting[$0] == bytes[$0] }
        }
        if !isSame {
            hasEnded = true
            let node = byShadow ? ahead : [UInt8](bytes)
            let shadow = byShadow ? [UInt8](bytes) : ahead
            world.onMirrorDifference?(host, "to \(remote): node \(quoted(node)), stock \(quoted(shadow))")
        }
        ahead.removeFirst(common)
        if common < bytes.count {
            isShadowAhead = byShadow
            ahead.append(contentsOf: bytes[common...])
        }
    }

    /// One of them hung up: nothing is compared any more.
    func ended() { hasEnded = true }

    private func quoted(_ bytes: [UInt8]) -> String {
        let printable = bytes.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: ".") }
        return "\(bytes.count) bytes \"\(String(decoding: printable, as: UTF8.self))\""
    }
}
