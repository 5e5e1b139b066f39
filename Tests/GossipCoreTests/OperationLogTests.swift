import Basics
import Testing

@testable import GossipCore

@Suite("Operations: last writer wins, whatever the order")
struct OperationLogTests {
    private static let wall = WallTime(milliseconds: 2_000_000_000_000)
    private static let now = HybridClock.reading(wall)

    private func put(_ value: String?, _ stamp: UInt64, _ node: String = "a", key: String = "k") -> KVOperation {
        KVOperation(namespace: "n", key: key, value: value, hlc: stamp, node: node)
    }

    /// A few writes of a few keys, with stamps that collide and values from before replication.
    private func operations(_ random: inout SeededGenerator) -> [KVOperation] {
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
            let stamp = UInt64.random(in: 0...4, using: &random)
            let isDeletion = stamp > 0 && Int.random(in: 0..<3, using: &random) == 0
            // Of one stamp and node there are two values as well: a forged one, or a wall clock put back.
            return put(
                isDeletion ? nil : ["x", "y", "z"].randomElement(using: &random)!,
                stamp == 0 ? 0 : Self.now + stamp, ["a", "b", "c"].randomElement(using: &random)!,
                key: ["k", "l"].randomElement(using: &random)!)
        }
    }

    private func registers(_ operations: some Sequence<KVOperation>) -> [OperationLog.Key: KeyValueRegister] {
        var log = OperationLog()
        for operation in operations { _ = log.join(operation, at: Self.wall) }
        return Dictionary(uniqueKeysWithValues: log.sortedKeys.map { ($0, log[$0]!) })
    }

    @Test("registers are the same for every order and any repetition", arguments: 0..<400 as Range<UInt64>)
    func permuted(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let operations = operations(&random)
        let expected = registers(operations)
        for _ in 0..<6 {
            var replay = operations.shuffled(using: &random)
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                replay.insert(
                    operations.randomElement(using: &random)!, at: Int.random(in: 0...replay.count, using: &random))
            }
            #expect(registers(replay) == expected, "seed \(seed): \(replay)")
        }
    }

    @Test("join is commutative, associative and idempotent", arguments: 0..<400 as Range<UInt64>)
    func lattice(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let all = (0..<3).map { _ in
            operations(&random).map { KeyValueRegister($0) }.reduce(KeyValueRegister(put("x", 0))) { joined($0, $1) }
        }
        let (a, b, c) = (all[0], all[1], all[2])
        #expect(joined(a, b) == joined(b, a))
        #expect(joined(joined(a, b), c) == joined(a, joined(b, c)))
        #expect(joined(a, a) == a)
        #expect(joined(joined(a, b), b) == joined(a, b))
    }

    private func joined(_ left: KeyValueRegister, _ right: KeyValueRegister) -> KeyValueRegister {
        var left = left
        left.join(right)
        return left
    }

    @Test("what one log tells makes another one equal, by any number of frames", arguments: 0..<60 as Range<UInt64>)
    func told(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (from, to) = (OperationLog(), OperationLog())
        for operation in operations(&random) { _ = to.join(operation, at: Self.wall) }
        for number in 0..<200 {
            let value = String(repeating: "v", count: Int.random(in: 0...3_000, using: &random))
            _ = from.join(put(value, Self.now + UInt64(number), key: "k\(number % 80)"), at: Self.wall)
        }
        for operation in operations(&random) { _ = from.join(operation, at: Self.wall) }
        var (cursor, frames) = (UInt64(0), 0)
        while true {
            let part = from.operations(after: cursor, keyValues: true, permissions: true)
            if part.keyValues.isEmpty { break }
            #expect(frame(.operations(part)).count <= WireLimits.frameBytes)
            for operation in part.keyValues { _ = to.join(operation, at: Self.wall) }
            cursor = part.nextCursor
            frames += 1
        }
        for key in from.sortedKeys {
            #expect(joined(to[key]!, from[key]!) == to[key], "seed \(seed): \(key)")
        }
        #expect(from.operations(after: cursor, keyValues: true, permissions: true).keyValues.isEmpty)
        _ = from.join(put("new", Self.now + 1_000, key: "k1"), at: Self.wall)
        #expect(from.operations(after: cursor, keyValues: true, permissions: true).keyValues.count == 1)
    }

    @Test("two values from before replication are contested, in either order, until a write decides")
    func contested() {
        var log = OperationLog()
        #expect(log.join(put("x", 0, "a"), at: Self.wall) == .adopted)
        #expect(log.join(put("x", 0, "b"), at: Self.wall) == .adopted)
        let key = OperationLog.Key(namespace: "n", key: "k")
        #expect(log[key]?.winner?.value == "x" && log.contested.isEmpty)
        #expect(log.join(put("y", 0, "c"), at: Self.wall) == .adopted)
        #expect(log[key]?.winner == nil && log.contested == [key])
        #expect(log.operations(after: 0, keyValues: true, permissions: false).keyValues.map(\.value) == ["x", "y"])
        #expect(log.join(put("x", 1), at: Self.wall) == .adopted)
        #expect(log[key]?.winner?.value == "x" && log.contested.isEmpty)
    }

    @Test("deletions are kept for seven days; what is older than a forgotten one is quarantined")
    func tombstones() {
        var log = OperationLog()
        #expect(log.join(put("x", Self.now), at: Self.wall) == .adopted)
        #expect(log.join(put(nil, Self.now + 5), at: Self.wall) == .adopted)
        let day: Int64 = 86_400_000
        #expect(log.forgetOldDeletions(at: WallTime(milliseconds: Self.wall.milliseconds + 7 * day)) == false)
        #expect(log.join(put("x", Self.now + 1), at: Self.wall) == .known)
        let later = WallTime(milliseconds: Self.wall.milliseconds + 7 * day + 1)
        #expect(log.forgetOldDeletions(at: later) == true)
        #expect(log.count == 0 && log.bytes == 0 && log.tombstones.isEmpty)
        // A node that was away for eight days comes back with what was deleted meanwhile, and with a newer key.
        #expect(log.join(put("x", Self.now + 1), at: later) == .quarantined)
        #expect(log.join(put("x", 0), at: later) == .quarantined)
        #expect(log.join(put(nil, Self.now + 1), at: later) == .known)
        #expect(log.join(put("y", Self.now + 6, key: "other"), at: later) == .adopted)
        #expect(log.sortedKeys.map(\.key) == ["other"])
    }

    @Test("many deletions are forgotten early, and never silently: older writes are quarantined")
    func tooManyTombstones() {
        var log = OperationLog()
        for number in 0...GossipLimits.tombstonesOfKeys {
            _ = log.join(put(nil, Self.now + UInt64(number), key: "k\(number)"), at: Self.wall)
        }
        #expect(log.tombstones.count == GossipLimits.tombstonesOfKeys / 2 + 1)
        #expect(log.join(put("x", Self.now - 1, key: "k0"), at: Self.wall) == .quarantined)
    }

    @Test("limits hold for what peers say, and not for what is in the tables already")
    func limits() {
        var log = OperationLog()
        let value = String(repeating: "v", count: 1 << 20)
        for number in 0..<20 { _ = log.join(put(value, Self.now, key: "k\(number)"), at: Self.wall) }
        #expect(log.bytes <= GossipLimits.operationBytes && log.count == 15)
        log.record(put(value, Self.now, key: "own"))
        #expect(log.count == 16)
        for stamp in [HybridClock.highest, .max] {
            #expect(log.join(put("x", stamp, key: "k0"), at: Self.wall) == .refused)
        }
        #expect(log.join(put(nil, 0, key: "k0"), at: Self.wall) == .refused)
    }

    @Test("stamps survive in their file; a value that is another one now has none")
    func stampFile() throws {
        var log = OperationLog()
        let operations = [
            put("x", Self.now + 1), put("y", Self.now + 2, "b", key: "l"), put(nil, Self.now + 3, key: "m"),
            put("old", 0, key: "o"),
        ]
        for operation in operations { log.record(operation) }
        log.restore(forgotten: 77)
        let file = log.encodedStamps()
        var again = OperationLog()
        let values = ["n": ["k": "x", "l": "edited", "o": "old"]]
        #expect(try again.restore(values, node: "a", stamps: file) == Self.now + 3)
        func register(_ key: String) -> KeyValueRegister? { again[OperationLog.Key(namespace: "n", key: key)] }
        #expect(register("k") == KeyValueRegister(operations[0]))
        #expect(register("l") == KeyValueRegister(put("edited", 0, key: "l")))
        #expect(register("m") == KeyValueRegister(operations[2]))
        #expect(register("o") == KeyValueRegister(operations[3]))
        #expect(again.forgotten == 77)
    }

    @Test("a damaged or shortened file of stamps is none, and no key is lost by it")
    func damaged() {
        var log = OperationLog()
        log.record(put("x", Self.now + 1))
        let file = log.encodedStamps()
        for length in 0..<file.count { expectRefused(Array(file[..<length])) }
        for position in file.indices {
            var damaged = file
            damaged[position] ^= 0x10
            expectRefused(damaged)
        }
    }

    private func expectRefused(_ file: [UInt8]) {
        var log = OperationLog()
        #expect(throws: GossipFormatError.self) { try log.restore(["n": ["k": "x"]], node: "a", stamps: file) }
        #expect(log[OperationLog.Key(namespace: "n", key: "k")]?.stamp == 0)
    }

    @Test("a permission's stamp decides, then its node; the journal tells only what is in force")
    func permissions() {
        var log = OperationLog()
        func wipe(_ stamp: UInt64, _ node: String, grants: Bool = false) -> PermissionOperation {
            PermissionOperation(
                brokerName: "broker-a", grants: grants, hlc: stamp, node: node, registrationHash: 1)
        }
        #expect(log.join(wipe(5, "a")) == .adopted)
        #expect(log.join(wipe(5, "a")) == .known)
        #expect(log.join(wipe(4, "b", grants: true)) == .known)
        #expect(log.operations(after: 0, keyValues: true, permissions: true).permissions.isEmpty)
        log.set(.inForce, ofPermission: "broker-a")
        let told = log.operations(after: 0, keyValues: true, permissions: true)
        #expect(told.permissions == [wipe(5, "a")])
        #expect(log.operations(after: 0, keyValues: true, permissions: false).permissions.isEmpty)
        #expect(log.join(wipe(5, "b", grants: true)) == .adopted)
        log.set(.void, ofPermission: "broker-a")
        #expect(log.operations(after: 0, keyValues: true, permissions: true).permissions.isEmpty)
    }
}

@Suite("The hybrid clock")
struct HybridClockTests {
    private let wall = WallTime(milliseconds: 1_000_000)

    @Test("stamps rise, also while the wall clock stands or goes back")
    func rises() {
        var clock = HybridClock()
        var last: UInt64 = 0
        for milliseconds in [1_000, 1_000, 1_005, 900, -7, 1_005, 2_000] as [Int64] {
            let stamp = clock.stamp(at: WallTime(milliseconds: milliseconds))
            #expect(stamp > last)
            last = stamp
        }
        #expect(last == 2_000 << 16)
    }

    @Test("a stamp from a minute ahead or less is followed, a later one is not")
    func bounded() {
        var clock = HybridClock()
        let bound = UInt64(1_060_000) << 16
        #expect(clock.observe(bound, at: wall) == true)
        #expect(clock.stamp(at: wall) == bound + 1)
        #expect(clock.observe((UInt64(1_060_001) << 16) + 1, at: wall) == false)
        #expect(clock.stamp(at: wall) == bound + 2)
    }

    @Test("a write is later than what it replaces, and drags no other write along")
    func replaces() {
        var clock = HybridClock()
        let far = UInt64(9_000_000) << 16
        #expect(clock.stamp(at: wall, after: far) == far + 1)
        #expect(clock.stamp(at: wall) == UInt64(1_000_000) << 16 + 1)
    }
}
