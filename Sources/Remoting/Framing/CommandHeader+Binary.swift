// ROCKETMQ binary headers.

import Basics

extension CommandHeader {
    /// | size | field | size | field |
    /// |---|---|---|---|
    /// | 2 | code | 4 + n | remark |
    /// | 1 | language | 4 + n | ext fields: |
    /// | 2 | version | 2 + n | … name |
    /// | 4 | opaque | 4 + n | … value |
    /// | 4 | flag | | |
    ///
    /// (protocol.md 1.4.) An empty name or value is null. Bytes left over at the end are not an error.
    mutating func decodeBinary() throws(RemotingError) {
        var reader = ByteReader(frame)
        code = Int32(try read(&reader, Int16.self))
        language = try read(&reader, UInt8.self)
        version = Int32(try read(&reader, Int16.self))
        opaque = try read(&reader, Int32.self)
        flag = try read(&reader, Int32.self)
        let remark = try readText(&reader, count: Int(try read(&reader, Int32.self)))
        if remark.count > 0 { remarkSpan = validated(remark) }
        let fieldBytes = Int(try read(&reader, Int32.self))
        guard fieldBytes > 0 else { return }
        hasFields = true
        var fields = ByteReader(try readText(&reader, count: fieldBytes))
        while fields.remaining > 0 {
            let name = try readText(&fields, count: Int(try read(&fields, Int16.self)))
            let value = try readText(&fields, count: Int(try read(&fields, Int32.self)))
            if name.isEmpty { continue }
            try append(name: validated(name), value: value.isEmpty ? .absent : validated(value))
        }
    }

    private func read<Value: FixedWidthInteger>(
        _ reader: inout ByteReader, _ type: Value.Type
    ) throws(RemotingError) -> Value {
        guard let value = reader.readInteger(type) else {
            throw RemotingError(.header, "the bytes run out at \(reader.position)")
        }
        return value
    }

    private func readText(_ reader: inout ByteReader, count: Int) throws(RemotingError) -> UnsafeRawBufferPointer {
        guard let bytes = reader.readBytes(count) else {
            throw RemotingError(.header, "length \(count) with \(reader.remaining) bytes left")
        }
        return bytes
    }

    /// The place of a text; invalid UTF-8 is replaced by U+FFFD, unlike in a JSON header.
    private mutating func validated(_ text: UnsafeRawBufferPointer) -> TextSpan {
        if text.isUTF8 { return span(text) }
        return inScratch { $0.append(utf8: String(decoding: text, as: UTF8.self)) }
    }
}
