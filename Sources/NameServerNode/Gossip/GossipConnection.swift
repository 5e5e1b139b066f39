import Basics
import GossipCore
import Platform

/// One connection to a peer, dialled or accepted: bytes to frames, and back.
final class GossipConnection: StreamHandler {
    /// Unsent bytes above which nothing more is sent to a peer: it asks again when it has caught up.
    private static let sendLimit = 256 << 10
    /// How long frames that came in one read are handled before everybody else has a turn.
    private static let turnTime = Duration.milliseconds(1)

    /// The contact that was dialled; nil for an accepted connection.
    let contact: Int?
    private(set) var isOpen = false
    private weak var shell: GossipShell?
    private var stream: (any ByteStream)?

    init(shell: GossipShell, contact: Int?) {
        self.shell = shell
        self.contact = contact
    }

    /// The stream, as soon as it is known.
    func attach(_ stream: any ByteStream) {
        self.stream = stream
        remote = stream.remoteAddress
    }

    /// The other end, as far as known.
    private(set) var remote: Address?

    func streamOpened(_ stream: any ByteStream) {
        attach(stream)
        isOpen = true
        shell?.opened(self, LinkID(stream.id))
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        guard let shell else { return Consumption(consumed: bytes.count) }
        let link = LinkID(stream.id)
        let start = shell.now
        var consumed = 0
        while consumed < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[consumed...])
            do throws(GossipFormatError) {
                switch try GossipFrame.first(in: rest) {
                case .incomplete(let needed): return Consumption(consumed: consumed, needed: needed)
                case .frame(let length):
                    shell.received(UnsafeRawBufferPointer(rebasing: rest[..<length]), on: link)
                    consumed += length
                }
            } catch {
                shell.malformed(link, error)
                return Consumption(consumed: bytes.count)
            }
            if consumed < bytes.count, shell.now - start >= Self.turnTime {
                stream.pauseReading()
                stream.resumeReading()
                break
            }
        }
        return Consumption(consumed: consumed)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        self.stream = nil
        shell?.closed(self, LinkID(stream.id), reason)
    }

    /// Sends, unless the peer has not taken what was sent before. Says whether it did.
    func send(_ frames: [UInt8]) -> Bool {
        guard let stream, stream.unsentBytes < Self.sendLimit else { return false }
        frames.withUnsafeBytes { stream.write($0) }
        return true
    }

    func close() { stream?.closeAfterWriting() }
}
