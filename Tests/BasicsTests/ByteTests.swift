import Basics
import Testing

struct ByteWriterTests {
    /// What some appends leave behind.
    private func bytes(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: 0)
        write(&writer)
        return writer.array()
    }

    @Test func integersAreBigEndian() {
        #expect(bytes { $0.append(bigEndian: UInt8(1)) } == [1])
        #expect(bytes { $0.append(bigEndian: Int16(-2)) } == [0xFF, 0xFE])
        #expect(bytes { $0.append(bigEndian: UInt32(0x0102_0304)) } == [1, 2, 3, 4])
        #expect(bytes { $0.append(bigEndian: Int64.min) } == [0x80, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test(
        arguments: [
            (0, "0"), (9, "9"), (10, "10"), (-1, "-1"), (-10, "-10"), (1234567890, "1234567890"),
            (.max, "9223372036854775807"), (.min, "-9223372036854775808"),
        ] as [(Int64, String)])
    func decimals(value: Int64, text: String) {
        #expect(bytes { $0.append(decimal: value) } == Array(text.utf8))
        // Also behind other bytes, and as a narrower integer.
        #expect(
            bytes {
                $0.append("ab")
                $0.append(decimal: value)
            } == Array("ab\(text)".utf8))
        if let narrow = Int32(exactly: value) { #expect(bytes { $0.append(decimal: narrow) } == Array(text.utf8)) }
    }

    @Test func texts() {
        #expect(bytes { $0.append("né") } == [0x6E, 0xC3, 0xA9])
        #expect(bytes { $0.append(utf8: "né") } == [0x6E, 0xC3, 0xA9])
        #expect(bytes { $0.append(utf8: "xnéx".dropFirst().dropLast()) } == [0x6E, 0xC3, 0xA9])
        #expect(bytes { $0.append(utf8: "") } == [])
        #expect(bytes { $0.append([UInt8]()) } == [])
    }

    /// 1,000 appends of mixed widths force several growths; the content must survive each.
    @Test func growthKeepsTheContent() {
        var writer = ByteWriter(capacity: 64)
        var expected: [UInt8] = []
        for index in 0..<1000 {
            writer.append(UInt8(truncatingIfNeeded: index))
            writer.append([1, 2, 3])
            expected += [UInt8(truncatingIfNeeded: index), 1, 2, 3]
        }
        #expect(writer.array() == expected)
        #expect(writer.count == 4000 && writer.capacity >= 4000)
    }

    @Test func patchesAndTruncates() {
        var writer = ByteWriter()
        writer.append([0, 0, 0, 0, 5, 6, 7])
        writer.patch(bigEndian: UInt32(0xAABB_CCDD), at: 0)
        writer.truncate(to: 6)
        #expect(writer.array() == [0xAA, 0xBB, 0xCC, 0xDD, 5, 6])
    }

    @Test func givesMemoryBackOnlyWhenEmpty() {
        var writer = ByteWriter(capacity: 4096)
        writer.append(1)
        writer.shrink(to: 128)
        #expect(writer.capacity == 4096)
        writer.removeAll()
        #expect(writer.capacity == 4096)
        writer.shrink(to: 128)
        #expect(writer.capacity == 128)
        writer.append([9])
        #expect(writer.array() == [9])
    }
}

struct ByteReaderTests {
    @Test func readsFrontToBack() {
        let bytes: [UInt8] = [1, 0xFF, 0xFE, 0, 0, 1, 0, 7, 8]
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            #expect(reader.readInteger(UInt8.self) == 1)
            // Unaligned on purpose.
            #expect(reader.readInteger(Int16.self) == -2)
            #expect(reader.readInteger(UInt32.self) == 256)
            #expect(reader.readBytes(2).map(Array.init) == [7, 8])
            #expect(reader.remaining == 0 && reader.position == 9)
        }
    }

    /// A read that cannot be satisfied gives nil and moves nothing.
    @Test func runsOutWithoutMoving() {
        let bytes: [UInt8] = [1, 2, 3]
        bytes.withUnsafeBytes { raw in
            var reader = ByteReader(raw)
            #expect(reader.readInteger(UInt32.self) == nil)
            #expect(reader.readBytes(4) == nil)
            #expect(reader.readBytes(-1) == nil)
            #expect(reader.readBytes(.max) == nil)
            #expect(reader.position == 0)
            #expect(reader.readBytes(0)?.count == 0)
            #expect(reader.readInteger(UInt16.self) == 0x0102)
            #expect(reader.readInteger(UInt16.self) == nil)
            #expect(reader.remaining == 1)
        }
    }

    @Test func emptyMemory() {
        var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(reader.readInteger(UInt8.self) == nil)
        #expect(reader.readBytes(0)?.count == 0)
    }
}
