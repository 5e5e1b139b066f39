// Connections made to hurt: too many, too slow, half open, or never read. The node keeps to its limits and the others
// are served.

import Foundation
import TestSupport
import Testing

@Suite(.serialized, .ownThread) struct HostileConnectionTests {
    /// Half a thousand connections announce the largest frame, half of it header, and send a little of it now and then.
    @Test func announcedFrames() throws {
        let stage = try HostileStage()
        let connections = try (0..<500).map { _ in try stage.connect() }
        for round in 0..<4 {
            for connection in connections {
                try connection.send(round == 0 ? bigEndian(Int32(16_777_212)) : bigEndian(Int32(200_000)))
            }
            for connection in connections { try connection.send([UInt8](repeating: UInt8(ascii: " "), count: 700)) }
        }
        try stage.expectUnharmed(peak: 32)
        for connection in connections { try connection.expectSilence(for: .zero) }
    }

    /// A header that would not end is refused by its length word, not by its bytes.
    @Test(arguments: [Int32(16_777_204), 262_145, 0x00ff_ffff, 0x01ff_ffff])
    func endlessHeader(size: Int32) throws {
        let stage = try HostileStage()
        let connection = try stage.connect()
        try connection.send(bigEndian(Int32(16_777_212)) + bigEndian(size))
        try connection.expectClose()
        try stage.expectUnharmed(peak: 32)
    }

    /// Lookups that arrive byte by byte over many connections at once are all answered.
    @Test func slowDrip() throws {
        let stage = try HostileStage()
        let connections = try (0..<50).map { _ in try stage.connect() }
        for byte in RawRequest(105, ["topic": "Steady"]).frame(opaque: 5) {
            for connection in connections { try connection.send([byte]) }
        }
        for connection in connections { #expect(try connection.receiveFrame().code == 0) }
        try stage.expectUnharmed(peak: 32)
    }

    /// What ends its direction gets its answers and is closed; what says nothing is closed after a while.
    @Test func halfOpen() throws {
        let stage = try HostileStage(limits: ["idleConnection: 4s"])
        let lookup = RawRequest(105, ["topic": "Steady"]).frame(opaque: 5)
        let silent = try (0..<50).map { _ in try stage.connect() }
        let inside = try (0..<50).map { _ in try stage.connect() }
        for connection in inside { try connection.send(Array(lookup.dropLast())) }
        for length in [0, 3, 4, 8, lookup.count - 1] {
            let cut = try stage.connect()
            try cut.send(Array(lookup.prefix(length)))
            cut.closeWriting()
            try cut.expectClose()
        }
        let whole = try stage.connect()
        try whole.send(lookup + lookup)
        whole.closeWriting()
        for _ in 0..<2 { #expect(try whole.receiveFrame().code == 0) }
        try whole.expectClose()
        for connection in silent + inside { try connection.expectClose() }
        try stage.expectUnharmed(peak: 32)
    }

    @Test func floodOfConnections() throws {
        let count = min(5_000, raiseDescriptorLimit(to: 6_000) - 1_000)
        let stage = try HostileStage()
        let before = stage.openDescriptors
        for index in 0..<count {
            let connection = try stage.connect()
            if index % 2 == 0 { connection.reset() } else { connection.close() }
        }
        try stage.expectUnharmed(peak: 32)
        let silent = try (0..<count).map { _ in try stage.connect() }
        #expect(poll { stage.openDescriptors >= before + count })
        try stage.expectUnharmed(peak: 48)
        for connection in silent { connection.close() }
        #expect(poll { stage.openDescriptors <= before })
        try stage.expectUnharmed(peak: 48)
    }

    @Test func moreConnectionsThanAllowed() throws {
        let stage = try HostileStage(limits: ["connections: 8"])
        // The bystanders have two.
        var served = try (0..<6).map { _ in try stage.connect() }
        for connection in served { #expect(try connection.call(206).code == 0) }
        for _ in 0..<50 { #expect(try stage.connect().closes(within: .seconds(10))) }
        for connection in served { #expect(try connection.call(206).code == 0) }
        #expect(stage.process.errorText.contains("the limit of 8 connections is reached"))
        served.removeLast(3)
        #expect(poll { (try? stage.connect().call(206).code) == 0 })
        #expect(poll { (try? stage.expectUnharmed(peak: 32)) != nil })
    }

    /// The node runs out of descriptors long before its limit of connections.
    @Test func moreConnectionsThanDescriptors() throws {
        let stage = try HostileStage(resources: "ulimit -n 64")
        var connections = try (0..<100).map { _ in try stage.connect() }
        #expect(connections.last?.closes(within: .seconds(10)) == true)
        #expect(poll { stage.process.errorText.contains("out of file descriptors") })
        // Those accepted before are served.
        for connection in connections.prefix(20) { #expect(try connection.call(206).code == 0) }
        // A change that cannot be stored for want of a descriptor is answered and reported.
        #expect(try connections[0].call(100, ["namespace": "N", "key": "k", "value": "v"]).code == 0)
        connections.removeAll()
        #expect(poll { (try? stage.connect().call(206).code) == 0 })
        let control = try stage.connect()
        #expect(try control.call(101, ["namespace": "N", "key": "k"]).fields?["value"] == "v")
        // Not a line for each refused connection.
        #expect(stage.process.errorText.split(separator: "\n").count < 20)
        try stage.expectUnharmed(peak: 32)
    }

    // MARK: Peers that do not read

    /// A topic of many brokers: its route is some 70 KB.
    private func registerFatTopic(_ connection: RawConnection) throws {
        let name = String(repeating: "n", count: 100)
        for index in 0..<200 {
            let answer = try connection.register(
                Registration {
                    $0.broker = "\(name)\(index)"
                    $0.address = "10.2.0.\(index):10911"
                    $0.topics = [RegisteredTopic("Fat"), RegisteredTopic("FatToo")]
                })
            #expect(answer.code == 0)
        }
        #expect(try connection.route("Fat").body.count > 60_000)
    }

    /// A hundred thousand lookups of it, padded so that they do not fit into the kernel's buffers.
    private var fatLookups: [UInt8] {
        let lookup = RawRequest(105, ["topic": "Fat", "padding": String(repeating: "p", count: 400)]).frame(opaque: 5)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(100_000 * lookup.count)
        for _ in 0..<100_000 { bytes += lookup }
        return bytes
    }

    /// - Parameter limit: a line of the limits that says when such a peer is dropped at last.
    @Test(arguments: ["idleConnection: 4s", "unsentBytes: 1MiB\n  frameBytes: 1MiB"])
    func pipeliningWithoutReading(limit: String) throws {
        let stage = try HostileStage(limits: [limit])
        let broker = try stage.connect()
        try registerFatTopic(broker)
        let attacker = try stage.connect()
        let bytes = fatLookups
        var sent = 0
        // Sent as long as the node reads, which is not long; then it closes, while we still have not read a byte.
        let isDropped = poll {
            do {
                sent += try attacker.sendUntilStuck(Array(bytes[sent...]), for: .milliseconds(50))
                return false
            } catch {
                return true
            }
        }
        #expect(isDropped)
        #expect(sent < bytes.count / 2, "\(sent) of \(bytes.count) bytes")
        #expect(try stage.counter("lookups") < 50_000)
        try stage.expectUnharmed(peak: 48)
    }

    /// The same from one that reads: every answer comes, in order.
    @Test func pipeliningAndReading() throws {
        let stage = try HostileStage()
        let connection = try stage.connect()
        try registerFatTopic(connection)
        let count: Int32 = 1_000
        var bytes: [UInt8] = []
        for opaque in 1...count { bytes += RawRequest(105, ["topic": "Fat"]).frame(opaque: opaque) }
        let reader = try stage.connect()
        try reader.send(bytes)
        for opaque in 1...count {
            let answer = try reader.receiveFrame()
            guard answer.opaque == Int64(opaque), answer.code == 0 else {
                Issue.record("\(opaque): \(answer.headerText)")
                break
            }
        }
        try reader.expectSilence(for: .zero)
        try stage.expectUnharmed(peak: 48)
    }

    /// Three thousand requests in one read, each with an answer of 45 KB or work to do: a turn is bounded in bytes and time,
    /// and turns do not become more.
    @Test(arguments: [206, 311])
    func amplification(code: Int32) throws {
        let stage = try HostileStage()
        let broker = try stage.connect()
        let wide = Registration {
            $0.explicitBody = manyTopics(5_000)
            $0.checksum = .absent
        }
        #expect(try broker.register(wide).code == 0)
        let attackers = try (0..<4).map { _ in try stage.connect() }
        let request = rawFrame(header: "{\"code\":\(code)}")
        for attacker in attackers { try attacker.send([UInt8]([[UInt8]](repeating: request, count: 3_000).joined())) }
        try stage.expectUnharmed(peak: 48)
        for _ in 0..<5 { try stage.expectUnharmed(peak: 48) }
        for attacker in attackers { attacker.reset() }
        #expect(stage.slowestBystander < .seconds(5))
        try stage.expectUnharmed(peak: 48)
    }

    /// Each change of the configuration is stored before its answer; many at once are not as many copies of all of it.
    @Test func manyChangesOfLargeConfiguration() throws {
        let stage = try HostileStage()
        let control = try stage.connect()
        let value = String(repeating: "v", count: 200_000)
        for index in 0..<5 {
            #expect(try control.call(100, ["namespace": "N", "key": "\(index)", "value": value]).code == 0)
        }
        let attackers = try (0..<30).map { _ in try stage.connect() }
        for attacker in attackers {
            try attacker.send(RawRequest(102, ["namespace": "N", "key": "none"]).frame(opaque: 1))
        }
        for attacker in attackers { #expect(try attacker.receiveFrame(within: .seconds(30)).code == 0) }
        try stage.expectUnharmed(peak: 48)
    }
}
