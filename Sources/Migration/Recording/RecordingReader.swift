import Basics
import Remoting

/// Why a recording cannot be read further. What was read before it is good.
public struct RecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many records were read before.
    public var records: Int
    /// Where the damage begins, in bytes from the file's beginning.
    public var offset: Int
    /// What is wrong there.
    public var reason: String

    /// `readable up to byte 4711, after 12 records: …`.
    public var description: String { "readable up to byte \(offset), after \(records) records: \(reason)" }
}

/// Reads a recording front to back, holding no more than one record and one chunk of it.
public struct RecordingReader {
    /// Records read so far.
    public private(set) var records = 0
    /// Whether the last record says that the recording ended in order.
    public private(set) var hasEnded = false

    /// The next bytes of the file; nil or empty at its end.
    private let source: () throws(RecordingError) -> [UInt8]?
    private var buffer: [UInt8] = []
    private var position = 0
    private var offset = 0

    /// Reads what `source` gives, in chunks of any size.
    ///
    /// - Throws: `RecordingError` when it is no recording, or of another version.
    public init(_ source: @escaping () throws(RecordingError) -> [UInt8]?) throws(RecordingError) {
        self.source = source
        guard try fill(RecordingLimits.fileHeaderBytes) else { throw damage("this is no recording of hearsay record") }
        let header = buffer[position..<position + RecordingLimits.fileHeaderBytes]
        guard header.starts(with: "HEARSAYR".utf8) else { throw damage("this is no recording of hearsay record") }
        let (version, checksum) = (integer(8, UInt16.self), integer(12, UInt32.self))
        let isIntact = Array(header.prefix(12)).withUnsafeBytes { Checksum.crc32($0) } == checksum
        guard isIntact else { throw damage("the file header is damaged") }
        guard version == RecordingFormat.version else {
            throw damage("format version \(version); this program reads version \(RecordingFormat.version)")
        }
        consume(RecordingLimits.fileHeaderBytes)
    }

    /// The next event; nil at the file's end, if that is the end of a record.
    ///
    /// - Throws: `RecordingError` at the first damaged or unfinished record; nothing behind it is looked at.
    public mutating func next() throws(RecordingError) -> RecordedEvent? {
        guard try fill(RecordingLimits.headBytes) else {
            if buffer.count == position { return nil }
            throw damage("the file ends inside a record")
        }
        let (length, checksum) = (Int(integer(0, UInt32.self)), integer(4, UInt32.self))
        guard length >= RecordingLimits.fixedBytes, length <= RecordingLimits.contentBytes else {
            throw damage("a record of \(length) bytes")
        }
        guard try fill(RecordingLimits.headBytes + length) else { throw damage("the file ends inside a record") }
        let begin = position + RecordingLimits.headBytes
        let (isIntact, decoded) = buffer[begin..<begin + length].withUnsafeBytes { content in
            Checksum.crc32(content) == checksum ? (true, RecordingFormat.decode(content)) : (false, nil)
        }
        guard isIntact else { throw damage("a record's checksum is wrong") }
        guard let event = decoded else { throw damage("a record of an unknown kind") }
        consume(RecordingLimits.headBytes + length)
        records += 1
        if case .ended = event.kind { hasEnded = true } else { hasEnded = false }
        return event
    }

    private func damage(_ reason: String) -> RecordingError {
        RecordingError(records: records, offset: offset, reason: reason)
    }

    private mutating func consume(_ count: Int) {
        position += count
        offset += count
    }

    /// Makes sure that `count` bytes are at hand; false when the file has no more.
    private mutating func fill(_ count: Int) throws(RecordingError) -> Bool {
        while buffer.count - position < count {
            guard let chunk = try source(), !chunk.isEmpty else { return false }
            buffer.removeFirst(position)
            position = 0
            buffer += chunk
        }
        return true
    }

    private func integer<Value: FixedWidthInteger>(_ offset: Int, _ type: Value.Type) -> Value {
        buffer[position + offset..<position + offset + MemoryLayout<Value>.size].reduce(0) { $0 << 8 | Value($1) }
    }
}
