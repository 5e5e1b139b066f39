import Basics

@testable import GossipCore

/// Payloads byte by byte, so that tests can say what no sender would. Defaults give the shortest valid form.
enum WireBytes {
    static func varint(_ value: UInt64) -> [UInt8] {
        var output = ByteWriter()
        output.append(varint: value)
        return output.array()
    }

    static func varint(_ value: Int) -> [UInt8] { varint(UInt64(value)) }

    static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    /// So many letters behind their number.
    static func text(_ length: Int) -> [UInt8] { varint(length) + Array(repeating: 0x61, count: length) }

    static func words(_ count: Int) -> [UInt8] { varint(count) + (0..<count).flatMap { word(UInt64($0)) } }

    /// An element so many times, behind the number.
    static func list(_ count: Int, of element: [UInt8]) -> [UInt8] {
        varint(count) + (0..<count).flatMap { _ in element }
    }

    static func hello(
        label: [UInt8] = text(0), node: [UInt8] = text(1), clock: UInt64 = 0, uptime: Int = 0,
        protocols: [UInt8] = [1, 1], mode: UInt8 = 1, state: UInt8 = 1, timings: [Int] = [0, 0, 0, 0],
        software: [UInt8] = text(0)
    ) -> [UInt8] {
        label + node + word(1) + word(clock) + varint(uptime) + protocols + [mode, state] + word(2)
            + timings.flatMap { varint($0) } + software
    }

    static func digest(
        state: UInt8 = 1, mode: UInt8 = 1, health: UInt8 = 0, replicas: Int = 0, late: Int = 0, items: Int = 0
    ) -> [UInt8] {
        [state, mode, health] + varint(replicas) + varint(late) + word(1) + word(2) + varint(items) + word(3) + word(4)
            + word(5) + [0, 0, 0, 6]
    }

    static func syn(
        clock: UInt64 = 0, digest: [UInt8] = digest(), asks: [UInt8] = [0], stall: [UInt8] = [0]
    ) -> [UInt8] { word(1) + word(clock) + digest + asks + stall }

    static func synAck(
        digest: [UInt8] = digest(), ages: [UInt8] = [0], asks: [UInt8] = [0], stall: [UInt8] = [0]
    ) -> [UInt8] { word(1) + word(2) + word(0) + digest + ages + asks + stall }

    static func ack(ages: [UInt8]) -> [UInt8] { word(1) + word(0) + ages }

    static func age(presence: UInt8 = 1, age: Int = 0, registrationAge: Int = 0) -> [UInt8] {
        word(1) + [presence] + varint(age) + varint(registrationAge) + word(2)
    }

    static func record(
        cluster: [UInt8] = text(0), name: [UInt8] = text(0), address: [UInt8] = text(0), haAddress: [UInt8] = [0],
        zone: [UInt8] = [0], actingMaster: UInt8 = 0, counter: [UInt8] = [0], topics: Int = 0, residue: Int = 0,
        ages: [Int] = [0, 0]
    ) -> [UInt8] {
        cluster + name + [0] + address + haAddress + zone + [actingMaster, 0, 0, 0] + counter + word(1)
            + varint(topics) + varint(residue) + ages.flatMap { varint($0) }
    }

    static func entry(presence: UInt8 = 1, record: [UInt8] = record()) -> [UInt8] { word(1) + [presence] + record }

    static func item(entries: [UInt8] = list(1, of: entry()), image: [UInt8] = [0]) -> [UInt8] {
        word(1) + word(0) + entries + image
    }

    static func image(offset: Int, total: Int, length: Int) -> [UInt8] {
        [1] + varint(offset) + varint(total) + text(length)
    }

    static func itemRequest(items: [UInt8], image: [UInt8] = [0]) -> [UInt8] { word(1) + word(0) + items + image }

    static func tombstone(reason: UInt8 = 0, age: Int = 0) -> [UInt8] {
        word(1) + [reason] + word(2) + varint(age) + [0]
    }

    static func chunk(entries: [UInt8] = [0], images: [UInt8] = [0]) -> [UInt8] {
        word(1) + word(0) + word(0) + entries + images
    }

    static func keyValue(
        namespace: [UInt8] = text(0), key: [UInt8] = text(0), value: [UInt8] = [0], node: [UInt8] = text(1)
    ) -> [UInt8] { namespace + key + value + word(1) + node }

    static func permission(name: [UInt8] = text(0), grants: UInt8 = 0, node: [UInt8] = text(1)) -> [UInt8] {
        name + [grants] + word(1) + node + word(2)
    }

    static func operations(keyValues: [UInt8] = [0], permissions: [UInt8] = [0]) -> [UInt8] {
        word(0) + keyValues + permissions
    }
}
