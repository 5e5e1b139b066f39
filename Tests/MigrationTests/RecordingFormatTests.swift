import Basics
import Remoting
import Testing

@testable import Migration

/// A recording of these events.
func recording(_ events: [RecordedEvent]) -> [UInt8] {
    var bytes = ByteWriter()
    RecordingFormat.begin(&bytes)
    for event in events { RecordingFormat.append(event, to: &bytes) }
    return bytes.array()
}

/// Reads bytes that come in pieces of a size; answers what was read, and the damage.
func read(_ bytes: [UInt8], piece: Int = 1 << 16) -> (events: [RecordedEvent], hasEnded: Bool, error: RecordingError?) {
    var position = 0
    var events: [RecordedEvent] = []
    do throws(RecordingError) {
        var reader = try RecordingReader { () throws(RecordingError) in
            defer { position += piece }
            return position < bytes.count ? Array(bytes[position..<min(position + piece, bytes.count)]) : nil
        }
        do throws(RecordingError) {
            while let event = try reader.next() { events.append(event) }
        } catch {
            #expect(error.records == events.count)
            return (events, reader.hasEnded, error)
        }
        return (events, reader.hasEnded, nil)
    } catch {
        return ([], false, error)
    }
}

@Suite struct RecordingFormatTests {
    private static let everyKind: [RecordedEvent] = [
        RecordedEvent(microseconds: 0, kind: .began(WallTime(milliseconds: 1_700_000_000_000), server: "h:9876")),
        RecordedEvent(connection: 1, microseconds: 5, kind: .opened(client: "127.0.0.1:50000")),
        RecordedEvent(connection: 1, microseconds: 1 << 40, kind: .toServer([0, 1, 255])),
        RecordedEvent(connection: 1, microseconds: 7, kind: .toClient([])),
        RecordedEvent(connection: 1, microseconds: 8, kind: .closedByClient),
        RecordedEvent(connection: .max, microseconds: .max, kind: .closedByServer),
        RecordedEvent(connection: 2, microseconds: 9, kind: .unreadable("the client speaks TLS")),
        RecordedEvent(microseconds: 10, kind: .skipped(3)),
        RecordedEvent(microseconds: 11, kind: .ended("stöpped")),
    ]

    @Test(arguments: [1, 7, 1 << 16]) func whatWasWrittenIsRead(piece: Int) {
        let result = read(recording(Self.everyKind), piece: piece)
        #expect(result.events == Self.everyKind && result.hasEnded && result.error == nil)
    }

    /// The table in RecordingFormat.swift, byte by byte.
    @Test func goldenBytes() {
        let bytes = recording([RecordedEvent(connection: 2, microseconds: 258, kind: .toServer([0xAB]))])
        #expect(
            bytes == [
                0x48, 0x45, 0x41, 0x52, 0x53, 0x41, 0x59, 0x52, 0, 1, 0, 0, 0x96, 0x3C, 0x92, 0xE9,  //
                0, 0, 0, 14, 0xDB, 0xDF, 0xFE, 0xF4, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 2, 0xAB,
            ], "\(bytes.map { String($0, radix: 16) })")
    }

    /// Cut anywhere, every whole record is read, and the place where it breaks off is named.
    @Test func truncatedAnywhere() {
        let whole = recording(Self.everyKind)
        var ends: [Int] = [RecordingLimits.fileHeaderBytes]
        for count in 1...Self.everyKind.count { ends.append(recording(Array(Self.everyKind.prefix(count))).count) }
        for length in 0..<whole.count {
            let result = read(Array(whole.prefix(length)), piece: 10)
            let expected = ends.lastIndex { $0 <= length } ?? 0
            #expect(result.events == Array(Self.everyKind.prefix(expected)), "\(length)")
            if ends.contains(length) {
                #expect(result.error == nil && !result.hasEnded, "\(length)")
            } else {
                #expect(result.error != nil, "\(length)")
                if length > ends[0] { #expect(result.error?.offset == ends[expected], "\(length)") }
            }
        }
    }

    /// No damaged byte is read as something else: what is read is a beginning of what was written.
    @Test func damagedAnywhere() {
        let whole = recording(Self.everyKind)
        for index in whole.indices {
            var damaged = whole
            damaged[index] ^= 0x10
            let result = read(damaged)
            #expect(result.error != nil, "\(index)")
            #expect(
                Self.everyKind.starts(with: result.events) && result.events.count < Self.everyKind.count, "\(index)")
        }
    }

    @Test func noRecording() {
        #expect(read([]).error?.reason == "this is no recording of hearsay record")
        #expect(read(Array("HEARSAYRnothing of the kind".utf8)).error?.reason == "the file header is damaged")
        var newer = ByteWriter()
        newer.append("HEARSAYR")
        newer.append(bigEndian: UInt32(2) << 16)
        newer.append(bigEndian: Checksum.crc32(newer.bytes))
        #expect(
            read(newer.array()).error?.reason == "format version 2; this program reads version 1")
    }

    /// A length that nobody could mean is damage, not memory.
    @Test func absurdLengths() {
        for length: UInt32 in [0, 12, UInt32(RecordingLimits.contentBytes) + 1, .max] {
            var bytes = ByteWriter()
            RecordingFormat.begin(&bytes)
            bytes.append(bigEndian: length)
            bytes.append(bigEndian: UInt32(0))
            #expect(read(bytes.array()).error?.reason == "a record of \(length) bytes")
        }
    }
}

@Suite struct FrameTapTests {
    private func found(_ bytes: [UInt8], piece: Int, mayBeProxied: Bool = true) -> [String] {
        var tap = FrameTap(mayBeProxied: mayBeProxied)
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { bytes in
                tap.take(bytes) { finding in
                    switch finding {
                    case .frame(let frame): found.append("frame of \(frame.count)")
                    case .unreadable(let reason): found.append(reason)
                    }
                }
            }
        }
        return found
    }

    private static let frames = (0..<3).map { number in
        RemotingCommand(request: 105, fields: ["topic": "T"], body: [UInt8](repeating: 7, count: 50 * number)).encoded()
    }

    @Test(arguments: [1, 13, 1 << 16]) func framesInAnyPieces(piece: Int) {
        let expected = Self.frames.map { "frame of \($0.count)" }
        let bytes = Array(Self.frames.joined())
        #expect(found(bytes, piece: piece) == expected)
        #expect(found(Array("PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n".utf8) + bytes, piece: piece) == expected)
        // A frame that is not whole is none.
        #expect(found(bytes.dropLast(), piece: piece) == Array(expected.dropLast()))
    }

    @Test(arguments: [1, 13, 1 << 16]) func whatIsNoFrameEndsIt(piece: Int) {
        let frame = Self.frames[1]
        #expect(found([0x16, 3, 1, 0, 200, 1] + frame, piece: piece) == ["the client speaks TLS"])
        let broken = found(frame + [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0] + frame, piece: piece)
        #expect(broken.count == 2 && broken[0] == "frame of \(frame.count)" && broken[1].hasPrefix("bad frame length"))
        #expect(
            found(Array("PROXY garbage\r\n".utf8) + frame, piece: piece).map { $0.hasPrefix("malformed PROXY") } == [
                true
            ])
    }
}

@Suite struct SecretMaskTests {
    @Test(arguments: SerializeType.allCases) func signaturesAreMasked(type: SerializeType) throws {
        var command = RemotingCommand(
            request: 103,
            fields: ["AccessKey": "operator", "Signature": "c2VjcmV0", "SecurityToken": "t0ken", "a": "b"],
            body: [1, 2, 3])
        command.opaque = 77
        let masked = command.encoded(as: type).withUnsafeBytes { SecretMask.masked($0) }
        var expected = command
        expected["Signature"] = SecretMask.mask
        expected["SecurityToken"] = SecretMask.mask
        #expect(try #require(RemotingCommand(frame: masked)) == expected)
        #expect(masked[4] == type.rawValue)
    }

    /// Frames without them are written down byte for byte, the odd ones too.
    @Test func othersStayAsTheyAre() {
        let odd = Array("{code:105,'opaque':\"1\",\"extFields\":{\"topic\" : \"Signature \\\\ of nothing\"},}\n".utf8)
        var frame = ByteWriter()
        frame.append(bigEndian: UInt32(odd.count + 4))
        frame.append(bigEndian: UInt32(odd.count))
        frame.append(odd)
        #expect(SecretMask.masked(frame.bytes) == frame.array())
    }
}
