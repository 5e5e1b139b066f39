// A port that stands for a broker's own: what the NameServer sends there (905) is received here, over however many
// connections it likes to use.

import Foundation
import Glibc

/// A listening socket on loopback that collects the frames of all its connections.
public final class StandInListener {
    /// The port the system chose.
    public let port: UInt16
    private let descriptor: Int32
    private var connections: [RawConnection] = []

    /// `127.0.0.1:port`, as a broker would register it.
    public var address: String { "127.0.0.1:\(port)" }

    /// Listens on a free port of 127.0.0.1; traps when the machine refuses.
    public init() {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var own = sockaddr_in(host: "127.0.0.1", port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) != 0 || listen(descriptor, 64) != 0
                    || getsockname(descriptor, $0, &size) != 0
            }
        }
        self.descriptor = descriptor
        precondition(!failed, "listen on 127.0.0.1: errno \(errno)")
        port = UInt16(bigEndian: own.sin_port)
    }

    deinit {
        close(descriptor)
    }

    /// The next frame from any connection.
    ///
    /// - Throws: `TestSupportError` when none is whole within `limit`.
    public func receiveFrame(within limit: Duration = RawConnection.patience) throws -> RawFrame {
        if let frame = try nextFrame(within: limit) { return frame }
        throw TestSupportError("no frame for \(address) within \(limit), \(connections.count) connections")
    }

    /// Proves that no frame arrives for `duration`.
    public func expectSilence(for duration: Duration) throws {
        if let frame = try nextFrame(within: duration) {
            throw TestSupportError("\(address) received \(frame.headerText)")
        }
    }

    private func nextFrame(within limit: Duration) throws -> RawFrame? {
        let deadline = ContinuousClock.now + limit
        while true {
            for connection in connections {
                if let frame = try connection.takeFrame() { return frame }
            }
            var entries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            entries += connections.map { pollfd(fd: $0.fileDescriptor, events: Int16(POLLIN), revents: 0) }
            let rest = deadline - ContinuousClock.now
            let count = Glibc.poll(&entries, nfds_t(entries.count), rest.pollMilliseconds)
            if count == 0 { return nil }
            for (connection, entry) in zip(connections, entries.dropFirst()) where entry.revents != 0 {
                let before = ContinuousClock.now
                if !connection.receiveSome(until: before) || connection.hasEnded { connection.close() }
            }
            connections.removeAll { $0.fileDescriptor < 0 }
            if entries[0].revents != 0 { acceptOne() }
        }
    }

    private func acceptOne() {
        SpawnLock.shared.withLock {
            let accepted = accept(descriptor, nil, nil)
            guard accepted >= 0 else { return }
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            connections.append(RawConnection(accepted: accepted))
        }
    }
}
