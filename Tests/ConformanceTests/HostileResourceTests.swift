// A machine that runs out of what a node needs: memory that somebody has limited, and a disk that is full. Descriptors:
// HostileConnectionTests.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized, .ownThread) struct HostileResourceTests {
    /// The sanitizers' shadow alone is terabytes of addresses.
    private static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

    /// Frames that never end take no more than a share of the memory that the node may have: in a container of half a
    /// gigabyte, anybody who can connect could end it otherwise.
    @Test(.enabled(if: !isSanitized)) func unfinishedFramesUnderALimitOfMemory() throws {
        let stage = try HostileStage(resources: "ulimit -v 600000")
        let begun = bigEndian(Int32(16_777_212)) + bigEndian(Int32(100)) + [UInt8](repeating: 32, count: 8 << 20)
        var connections: [RawConnection] = []
        for _ in 0..<90 {
            let connection = try stage.connect()
            connections.append(connection)
            // It may be closed meanwhile, as one of those that hold most.
            try? connection.send(begun)
        }
        #expect(connections.contains { $0.closes(within: .zero) })
        try stage.expectUnharmed(peak: 200)
        connections.removeAll()
        try stage.expectUnharmed(peak: 200)
    }

    /// A change that the disk does not take is in force and reported, what was there stays whole, and once there is room
    /// all of it is written again.
    @Test func diskFull() throws {
        // No file may grow beyond 64 blocks of half a kilobyte or a whole one, as the shell counts.
        let stage = try HostileStage(resources: "trap '' XFSZ; ulimit -f 64")
        let connection = try stage.connect()
        func put(_ key: String, _ value: String) throws -> Int64? {
            try connection.call(100, ["namespace": "N", "key": key, "value": value]).code
        }
        func value(_ key: String) throws -> String? {
            try connection.call(101, ["namespace": "N", "key": key]).fields?["value"]
        }
        #expect(try put("small", "1") == 0)
        let file = try #require(stage.file(named: "kvConfig.json"))
        #expect(text(of: file) == #"{"configTable":{"N":{"small":"1"}}}"#)
        let large = String(repeating: "x", count: 100_000)
        #expect(try put("large", large) == 0)
        #expect(try put("small", "2") == 0)
        #expect(try value("large") == large && value("small") == "2")
        #expect(text(of: file) == #"{"configTable":{"N":{"small":"1"}}}"#)
        #expect(stage.process.errorText.contains("a change is in force but not on disk"))
        #expect(stage.process.errorText.contains("EFBIG"))
        #expect(try connection.call(102, ["namespace": "N", "key": "large"]).code == 0)
        #expect(text(of: file) == #"{"configTable":{"N":{"small":"2"}}}"#)
        #expect(stage.file(named: "kvConfig.json.tmp") == nil)
        try stage.expectUnharmed(peak: 32)
    }
}
