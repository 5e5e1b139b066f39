import Basics
import Testing

@testable import GossipCore

@Suite("Wire: frames in a stream")
struct WireFrameTests {
    private func first(_ bytes: [UInt8]) -> Result<GossipFrame.Progress, GossipFormatError> {
        bytes.withUnsafeBytes { bytes in
            Result { () throws(GossipFormatError) in try GossipFrame.first(in: bytes) }
        }
    }

    /// Rows: bytes at the front of the stream, what is there; nil for an error.
    static let rows: [([UInt8], GossipFrame.Progress?)] = [
        ([], .incomplete(needed: 8)),
        ([0], .incomplete(needed: 8)),
        ([0, 0, 0], .incomplete(needed: 8)),
        ([0, 0, 0, 8], .incomplete(needed: 8)),
        ([0, 0, 0, 9, 1, 15, 0, 0], .incomplete(needed: 9)),
        ([0, 0, 0, 9, 1, 15, 0, 0, 0], .frame(length: 9)),
        ([0, 0, 0, 9, 1, 15, 0, 0, 0, 77], .frame(length: 9)),
        ([0, 0, 0, 8, 9, 9, 9, 9], .frame(length: 8)),  // only the length is looked at
        ([0, 1, 0, 0], .incomplete(needed: 65_536)),
        ([0, 1, 0, 1], nil),  // 65,537: refused before anything of it is there
        ([0, 0, 0, 7], nil),
        ([0, 0, 0, 0], nil),
        ([0xFF, 0xFF, 0xFF, 0xFF], nil),
    ]

    @Test("finds the first frame", arguments: rows.indices)
    func find(row: Int) {
        let (bytes, expected) = WireFrameTests.rows[row]
        switch first(bytes) {
        case .success(let progress): #expect(progress == expected)
        case .failure(let error): #expect(expected == nil && error.code == .limit)
        }
    }

    @Test("splits a stream that comes in pieces", arguments: [1, 2, 7, 8, 9, 100, 1_000_000])
    func stream(piece: Int) throws {
        let stream = WireSamples.all.flatMap { frame($0) }
        var (buffer, found): ([UInt8], [[UInt8]]) = ([], [])
        for start in stride(from: 0, to: stream.count, by: piece) {
            buffer += stream[start..<min(start + piece, stream.count)]
            while case .frame(let length) = try first(buffer).get() {
                found.append(Array(buffer.prefix(length)))
                buffer.removeFirst(length)
            }
        }
        #expect(buffer.isEmpty)
        #expect(found == WireSamples.all.map { frame($0) })
    }

    /// Rows: position in the header of a hint, byte there, fault; nil when the frame is skipped.
    static let headerRows: [(Int, UInt8, GossipFormatError.Code?)] = [
        (4, 0, .value),  // version 0 never was
        (4, 2, nil),  // a later version: skipped
        (4, 255, nil),
        (5, 0, .value),  // no such kind
        (5, 20, .value),
        (6, 1, .value),  // flags mean nothing in version 1
        (7, 1, .value),
    ]

    @Test("refuses other headers, skips later versions", arguments: headerRows.indices)
    func header(row: Int) throws {
        let (position, byte, code) = WireFrameTests.headerRows[row]
        var bytes = frame(.hint(.init()))
        bytes[position] = byte
        #expect(fault(bytes) == code)
        if code == nil { #expect(try GossipMessage.decode(bytes) == nil) }
    }

    @Test("skips a later version whatever else is in it")
    func laterVersion() throws {
        #expect(try GossipMessage.decode([0, 0, 0, 10, 2, 200, 255, 1, 9, 9]) == nil)
    }
}
