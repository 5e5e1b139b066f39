import Basics
import CLibuv
import Glibc
import Platform

// What streams own beyond the loop's shared buffers, counted over all of them.

extension TCPStream {
    /// Time between two warnings: one that repeats itself hides the others.
    private static let warningInterval = Duration.seconds(10)

    /// Changes the held bytes and keeps the count.
    func changeHeld<Result>(_ change: (inout HeldBytes) -> Result) -> Result {
        let before = state.pointee.held.capacity
        defer { loop.core.pointee.ownedBytes += state.pointee.held.capacity - before }
        return change(&state.pointee.held)
    }

    /// Whether all streams together own too much and this one more than an equal share of it.
    var ownsTooMuch: Bool {
        let core = loop.core
        guard core.pointee.ownedBytes > core.pointee.ownedBytesLimit else { return false }
        let own = state.pointee.held.capacity + Int(state.pointee.tcp.write_queue_size)
        return own > core.pointee.ownedBytesLimit / max(core.pointee.openStreams, 1)
    }

    /// Closes the stream for the sake of the others.
    func giveUp() {
        let core = loop.core
        let now = loop.now
        if now > core.pointee.nextOwnedWarning {
            core.pointee.nextOwnedWarning = now + Self.warningInterval
            loop.onWarning?(
                "\(core.pointee.openStreams) connections hold more than \(core.pointee.ownedBytesLimit) bytes of partial "
                    + "frames and unsent answers: closing those that hold most, for example \(remoteAddress)")
        }
        finish(.system(PlatformError("hold bytes for \(remoteAddress)", errno: ENOMEM)))
    }
}
