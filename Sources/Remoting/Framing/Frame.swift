import Basics

/// One frame inside a buffer that somebody else owns (protocol.md 1.2).
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | length of everything after this word |
/// | 4 | 1 | serialize type |
/// | 5 | 3 | header size |
/// | 8 | header size | header |
/// | 8 + header size | the rest | body |
///
/// Valid as long as the buffer it was found in.
public struct Frame {
    /// How the header is written.
    public var serializeType: SerializeType
    /// At least one byte.
    public var header: UnsafeRawBufferPointer
    /// May be empty, which is the same as no body.
    public var body: UnsafeRawBufferPointer
    /// Bytes of the whole frame, its length word included.
    public var length: Int

    /// Bytes of the two words in front of the header.
    static let prefixBytes = 8
}

/// What stands at the front of a buffer.
public enum FrameResult {
    /// A whole frame.
    case frame(Frame)
    /// Part of one. `needed` is the whole frame's length in bytes once that is known, else 8.
    case incomplete(needed: Int)
}

extension Frame {
    /// Finds the frame at the front of `bytes`. Each word is checked as soon as it is there (1.14).
    ///
    /// - Parameter limit: the largest whole frame in bytes.
    /// - Throws: `.frameLength`, `.serializeType`, `.headerSize`: the connection must be closed without an answer.
    public static func first(
        in bytes: UnsafeRawBufferPointer, limit: Int = FrameLimits.frameBytes
    ) throws(RemotingError) -> FrameResult {
        guard bytes.count >= 4 else { return .incomplete(needed: prefixBytes) }
        let following = Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        let length = following + 4
        guard following >= 4, length <= limit else {
            throw RemotingError(.frameLength, "length word \(following), allowed are 4 to \(limit - 4)")
        }
        guard bytes.count >= prefixBytes else { return .incomplete(needed: length) }
        let word = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard let type = SerializeType(rawValue: UInt8(word >> 24)) else {
            throw RemotingError(.serializeType, "type byte \(word >> 24)")
        }
        let headerSize = Int(word & 0x00FF_FFFF)
        guard headerSize > 0, headerSize <= length - prefixBytes, headerSize <= FrameLimits.headerBytes else {
            throw RemotingError(.headerSize, "\(headerSize) bytes in a frame of \(length)")
        }
        guard bytes.count >= length else { return .incomplete(needed: length) }
        let bodyStart = prefixBytes + headerSize
        return .frame(
            Frame(
                serializeType: type,
                header: UnsafeRawBufferPointer(rebasing: bytes[prefixBytes..<bodyStart]),
                body: UnsafeRawBufferPointer(rebasing: bytes[bodyStart..<length]),
                length: length))
    }
}
