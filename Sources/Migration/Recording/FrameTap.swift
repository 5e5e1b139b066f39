import Basics
import Remoting

/// Finds the frames in one direction of a connection, while the bytes themselves go their own way.
struct FrameTap {
    /// What it found.
    enum Finding {
        case frame(UnsafeRawBufferPointer)
        /// What follows is no remoting protocol, for this reason; nothing more is found.
        case unreadable(String)
    }

    /// The beginning of a TLS handshake (protocol.md 5.6).
    private static let tlsHandshake: UInt8 = 0x16

    private var held: [UInt8] = []
    /// Bytes that must be held before it is worth looking again: large frames come in many pieces.
    private var needed = 0
    private var isAtBeginning: Bool
    private var isOver = false

    /// Bytes of a frame that is not whole yet.
    var heldBytes: Int { held.count }

    /// - Parameter mayBeProxied: whether a PROXY header may come first.
    init(mayBeProxied: Bool) { isAtBeginning = mayBeProxied }

    /// Takes the next bytes and tells of each frame that they complete, in order.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ found: (Finding) -> Void) {
        if isOver || bytes.isEmpty { return }
        if held.isEmpty {
            let rest = split(bytes, found)
            if !isOver { held = [UInt8](bytes[(bytes.count - rest)...]) }
        } else {
            held += bytes
            guard held.count >= needed else { return }
            let whole = held
            let rest = whole.withUnsafeBytes { split($0, found) }
            held = isOver ? [] : rest == whole.count ? whole : Array(whole.suffix(rest))
        }
    }

    /// Finds nothing more, and holds nothing.
    mutating func giveUp() {
        isOver = true
        held = []
    }

    /// Tells of the frames at the front; answers how many bytes are left behind them.
    private mutating func split(_ bytes: UnsafeRawBufferPointer, _ found: (Finding) -> Void) -> Int {
        var rest = bytes[...]
        needed = 0
        do {
            if isAtBeginning {
                switch try ProxyHeader.recognise(bytes) {
                case .incomplete: return rest.count
                case .header(let length, _): rest = rest.dropFirst(length)
                case .absent: break
                }
                isAtBeginning = false
                if rest.first == Self.tlsHandshake { return end("the client speaks TLS", found) }
            }
            while true {
                switch try Frame.first(in: UnsafeRawBufferPointer(rebasing: rest)) {
                case .frame(let frame):
                    found(.frame(UnsafeRawBufferPointer(rebasing: rest.prefix(frame.length))))
                    rest = rest.dropFirst(frame.length)
                case .incomplete(let needed):
                    self.needed = needed
                    return rest.count
                }
            }
        } catch {
            return end("\(error)", found)
        }
    }

    private mutating func end(_ reason: String, _ found: (Finding) -> Void) -> Int {
        isOver = true
        found(.unreadable(reason))
        return 0
    }
}
