// The NameServer's answers, written straight into the connection's output (protocol.md 1.9, 1.15).

import Basics

/// The ext fields of an answer.
public enum ResponseFields {
    /// No `extFields` member.
    case absent
    /// `"extFields":{}`: the answers with a typed header always carry the member.
    case empty
    /// One field.
    case one(StaticString, String)
    /// Two fields in this order.
    case two(StaticString, String, StaticString, String)
}

/// Where an answer began, between `begin` and `end`.
public struct FrameMark {
    fileprivate var start: Int
}

/// Writes one answer: `begin`, then the body's bytes appended by the caller, then `end`.
public enum ResponseFrame {
    /// Appends the frame's words and its JSON header, `JAVA` and version 479 as the reference server.
    public static func begin(
        _ output: inout ByteWriter, code: Int32, opaque: Int32, remark: String? = nil,
        fields: ResponseFields = .absent
    ) -> FrameMark {
        let mark = FrameMark(start: output.count)
        output.reserve(192)
        if code == 0, case .absent = fields {
            // A lookup's answer: one piece instead of five.
            output.append("\0\0\0\0\0\0\0\0{\"code\":0,\"flag\":1,\"language\":\"JAVA\",\"opaque\":")
        } else {
            output.append(bigEndian: UInt64(0))
            output.append("{\"code\":")
            output.append(decimal: code)
            append(fields, to: &output)
            output.append(",\"flag\":1,\"language\":\"JAVA\",\"opaque\":")
        }
        output.append(decimal: opaque)
        if let remark {
            output.append(",\"remark\":")
            output.appendJSON(string: remark, dialect: .legacy)
        }
        output.append(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":479}")
        output.patch(bigEndian: UInt32(output.count - mark.start - Frame.prefixBytes), at: mark.start + 4)
        return mark
    }

    /// Completes the frame: all bytes appended since `begin` are its body.
    public static func end(_ output: inout ByteWriter, _ mark: FrameMark) {
        output.patch(bigEndian: UInt32(output.count - mark.start - 4), at: mark.start)
    }

    private static func append(_ fields: ResponseFields, to output: inout ByteWriter) {
        switch fields {
        case .absent: break
        case .empty: output.append(",\"extFields\":{}")
        case .one(let name, let value):
            append(",\"extFields\":{\"", name, value, to: &output)
            output.append(UInt8(ascii: "}"))
        case .two(let first, let firstValue, let second, let secondValue):
            append(",\"extFields\":{\"", first, firstValue, to: &output)
            append(",\"", second, secondValue, to: &output)
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func append(
        _ opening: StaticString, _ name: StaticString, _ value: String, to output: inout ByteWriter
    ) {
        output.append(opening)
        output.append(name)
        output.append("\":")
        output.appendJSON(string: value, dialect: .legacy)
    }
}
