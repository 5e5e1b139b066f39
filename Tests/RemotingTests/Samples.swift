// How the tests of this target write bytes and frames.

import Basics
import Remoting
import TestSupport

/// Bytes from hex digits; anything else between them is ignored.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func bigEndian(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
func bigEndian(_ value: Int16) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// A frame around a header, whatever that is.
func frame(_ header: [UInt8], type: UInt8 = 0, body: [UInt8] = []) -> [UInt8] {
    bigEndian(Int32(4 + header.count + body.count)) + bigEndian(Int32(type) << 24 | Int32(header.count)) + header + body
}

func frame(json header: String, body: String = "") -> [UInt8] { frame(Array(header.utf8), body: Array(body.utf8)) }

/// Decodes bytes that are one whole frame.
func command(_ bytes: [UInt8]) throws -> RemotingCommand {
    try bytes.withUnsafeBytes { bytes in
        guard case .frame(let frame) = try Frame.first(in: bytes) else { throw TestSupportError("half a frame") }
        if frame.length != bytes.count { throw TestSupportError("more than a frame") }
        return try RemotingCommand(decoding: frame)
    }
}

/// Decodes a JSON header.
func header(_ json: String) throws -> RemotingCommand { try command(frame(json: json)) }

/// Decodes a frame into a reusable header and looks at that.
func withHeader<Result>(_ bytes: [UInt8], _ look: (borrowing CommandHeader) throws -> Result) throws -> Result {
    try bytes.withUnsafeBytes { bytes in
        guard case .frame(let frame) = try Frame.first(in: bytes) else { throw TestSupportError("half a frame") }
        var header = CommandHeader()
        try header.decode(frame)
        return try look(header)
    }
}

extension ByteWriter {
    /// What a closure writes, as text.
    static func text(_ write: (inout ByteWriter) -> Void) -> String {
        var writer = ByteWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// The code of the error an expression throws; nil when it throws none.
func code(_ expression: () throws -> some Any) -> RemotingError.Code? {
    do {
        _ = try expression()
        return nil
    } catch {
        return (error as? RemotingError)?.code
    }
}

/// A registration's body as decoded at `time` 42 ms.
func registration(
    _ body: [UInt8], version: Int32 = RemotingVersion.v5_3_3, compressed: Bool = false
) throws -> RegistrationBody {
    try body.withUnsafeBytes {
        try RegistrationBody.decode(
            $0, version: version, compressed: compressed, receivedAt: WallTime(milliseconds: 42))
    }
}

func registration(_ body: String, version: Int32 = RemotingVersion.v5_3_3) throws -> RegistrationBody {
    try registration(Array(body.utf8), version: version)
}
