import Basics

extension RemotingCommand {
    /// Appends the command as one frame.
    ///
    /// Traps when a binary header cannot hold it: code or version beyond 16 bits, a name beyond 32,767 bytes.
    public func encode(as type: SerializeType = .json, into output: inout ByteWriter) {
        let start = output.count
        output.reserve(256 + body.count)
        output.append(bigEndian: UInt64(0))
        switch type {
        case .json: appendJSONHeader(&output)
        case .rocketMQ: appendBinaryHeader(&output)
        }
        let headerSize = output.count - start - Frame.prefixBytes
        output.patch(bigEndian: UInt32(type.rawValue) << 24 | UInt32(headerSize), at: start + 4)
        output.append(body)
        output.patch(bigEndian: UInt32(output.count - start - 4), at: start)
    }

    /// The command as one frame.
    public func encoded(as type: SerializeType = .json) -> [UInt8] {
        var output = ByteWriter(capacity: 512 + body.count)
        encode(as: type, into: &output)
        return output.array()
    }

    /// Keys in the reference's order, null members left out (protocol.md 1.3).
    private func appendJSONHeader(_ output: inout ByteWriter) {
        output.append("{\"code\":")
        output.append(decimal: code)
        if let fields {
            output.append(",\"extFields\":{")
            for (index, field) in fields.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.appendJSON(string: field.name, dialect: .legacy)
                output.append(UInt8(ascii: ":"))
                output.appendJSON(string: field.value, dialect: .legacy)
            }
            output.append(UInt8(ascii: "}"))
        }
        output.append(",\"flag\":")
        output.append(decimal: flag)
        output.append(",\"language\":\"")
        output.append(LanguageCode.name(of: language))
        output.append("\",\"opaque\":")
        output.append(decimal: opaque)
        if let remark {
            output.append(",\"remark\":")
            output.appendJSON(string: remark, dialect: .legacy)
        }
        output.append(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":")
        output.append(decimal: version)
        output.append(UInt8(ascii: "}"))
    }

    /// See `CommandHeader.decodeBinary` for the layout (1.4).
    private func appendBinaryHeader(_ output: inout ByteWriter) {
        precondition(Int16(exactly: code) != nil && Int16(exactly: version) != nil, "code \(code), version \(version)")
        output.append(bigEndian: Int16(code))
        output.append(language)
        output.append(bigEndian: Int16(version))
        output.append(bigEndian: opaque)
        output.append(bigEndian: flag)
        output.append(bigEndian: Int32(remark?.utf8.count ?? 0))
        output.append(utf8: remark ?? "")
        let sizeAt = output.count
        output.append(bigEndian: Int32(0))
        for field in fields ?? [] {
            precondition(field.name.utf8.count <= Int(Int16.max), "field name of \(field.name.utf8.count) bytes")
            output.append(bigEndian: Int16(field.name.utf8.count))
            output.append(utf8: field.name)
            output.append(bigEndian: Int32(field.value.utf8.count))
            output.append(utf8: field.value)
        }
        output.patch(bigEndian: Int32(output.count - sizeAt - 4), at: sizeAt)
    }
}
