// Recordings: what went over connections to a NameServer, in a file that can be read up to any damage.
//
// File header, 16 bytes:
//
// | offset | size | field |
// |---|---|---|
// | 0 | 8 | `HEARSAYR` |
// | 8 | 2 | format version, 1 |
// | 10 | 2 | 0 |
// | 12 | 4 | CRC-32 (zlib's) of the twelve bytes before |
//
// Then records:
//
// | offset | size | field |
// |---|---|---|
// | 0 | 4 | n, length of the content in bytes, 13 to `RecordingLimits.contentBytes` |
// | 4 | 4 | CRC-32 of the content |
// | 8 | 1 | kind, see `RecordedEvent` |
// | 9 | 4 | connection, counted from 1; 0 where there is none |
// | 13 | 8 | microseconds since the recording began |
// | 21 | n − 13 | what the kind carries |
//
// Integers are big-endian. Nothing is compressed: a recorder must not cost a NameServer's clients time, and a finished
// file shrinks to a tenth with any compressor.

import Basics
import Remoting

/// Limits of a recording.
public enum RecordingLimits {
    /// Content of one record in bytes: a frame of the largest size, twice over, since a masked one may have grown.
    public static let contentBytes = 2 * FrameLimits.frameBytes
    /// Bytes of a record's head, and what a content has at least.
    static let headBytes = 8
    static let fixedBytes = 13
    /// Bytes of the file header.
    static let fileHeaderBytes = 16
}

/// Something that happened on the way between clients and a NameServer.
public struct RecordedEvent: Hashable, Sendable {
    /// What it was, with what a record of it carries.
    public enum Kind: Hashable, Sendable {
        /// 1: the recording begins; the wall clock in milliseconds (8 bytes), then the recorded NameServer's address.
        case began(WallTime, server: String)
        /// 2: a client connected; its address.
        case opened(client: String)
        /// 3: a whole frame from the client.
        case toServer([UInt8])
        /// 4: a whole frame from the NameServer.
        case toClient([UInt8])
        /// 5: the client's side ended, or the recorder closed the connection.
        case closedByClient
        /// 6: the NameServer ended it.
        case closedByServer
        /// 7: what follows on this connection is no remoting protocol and was passed on without being written down; why.
        case unreadable(String)
        /// 8: so many records (8 bytes) are missing here: the disk was too slow.
        case skipped(UInt64)
        /// 9: the last record of a recording that ended in order; why.
        case ended(String)
    }

    /// Which connection; 0 where there is none.
    public var connection: UInt32
    /// Time since the recording began, in microseconds.
    public var microseconds: UInt64
    /// What happened.
    public var kind: Kind

    /// Puts the parts together.
    public init(connection: UInt32 = 0, microseconds: UInt64, kind: Kind) {
        self.connection = connection
        self.microseconds = microseconds
        self.kind = kind
    }
}

/// Turns events into the bytes of a recording.
public enum RecordingFormat {
    /// The version this program writes and reads.
    public static let version: UInt16 = 1

    /// Appends the file header.
    public static func begin(_ output: inout ByteWriter) {
        let start = output.count
        output.append("HEARSAYR")
        output.append(bigEndian: version)
        output.append(bigEndian: UInt16(0))
        output.append(bigEndian: Checksum.crc32(UnsafeRawBufferPointer(rebasing: output.bytes[start...])))
    }

    /// Appends one record.
    public static func append(_ event: RecordedEvent, to output: inout ByteWriter) {
        let start = output.count
        output.append(bigEndian: UInt64(0))
        output.append(event.kind.number)
        output.append(bigEndian: event.connection)
        output.append(bigEndian: event.microseconds)
        switch event.kind {
        case .began(let time, let server):
            output.append(bigEndian: time.milliseconds)
            output.append(utf8: server)
        case .opened(let text), .unreadable(let text), .ended(let text): output.append(utf8: text)
        case .toServer(let frame), .toClient(let frame): output.append(frame)
        case .closedByClient, .closedByServer: break
        case .skipped(let count): output.append(bigEndian: count)
        }
        let content = start + RecordingLimits.headBytes
        output.patch(bigEndian: UInt32(output.count - content), at: start)
        let checksum = Checksum.crc32(UnsafeRawBufferPointer(rebasing: output.bytes[content...]))
        output.patch(bigEndian: checksum, at: start + 4)
    }

    /// Reads a content whose checksum is right; nil when it is none of version 1.
    static func decode(_ content: UnsafeRawBufferPointer) -> RecordedEvent? {
        var reader = ByteReader(content)
        guard let number = reader.readInteger(UInt8.self), let connection = reader.readInteger(UInt32.self),
            let microseconds = reader.readInteger(UInt64.self),
            let kind = RecordedEvent.Kind(number, &reader), reader.remaining == 0
        else { return nil }
        return RecordedEvent(connection: connection, microseconds: microseconds, kind: kind)
    }
}

extension RecordedEvent.Kind {
    fileprivate var number: UInt8 {
        switch self {
        case .began: 1
        case .opened: 2
        case .toServer: 3
        case .toClient: 4
        case .closedByClient: 5
        case .closedByServer: 6
        case .unreadable: 7
        case .skipped: 8
        case .ended: 9
        }
    }

    fileprivate init?(_ number: UInt8, _ reader: inout ByteReader) {
        switch number {
        case 1:
            guard let time = reader.readInteger(Int64.self), let server = reader.readText() else { return nil }
            self = .began(WallTime(milliseconds: time), server: server)
        case 2:
            guard let client = reader.readText() else { return nil }
            self = .opened(client: client)
        case 3: self = .toServer(reader.readRest())
        case 4: self = .toClient(reader.readRest())
        case 5: self = .closedByClient
        case 6: self = .closedByServer
        case 7:
            guard let reason = reader.readText() else { return nil }
            self = .unreadable(reason)
        case 8:
            guard let count = reader.readInteger(UInt64.self) else { return nil }
            self = .skipped(count)
        case 9:
            guard let reason = reader.readText() else { return nil }
            self = .ended(reason)
        default: return nil
        }
    }
}

extension ByteReader {
    fileprivate mutating func readRest() -> [UInt8] { readBytes(remaining).map { [UInt8]($0) } ?? [] }

    /// The rest as UTF-8; nil when it is none.
    fileprivate mutating func readText() -> String? { String(validating: readRest(), as: UTF8.self) }
}
