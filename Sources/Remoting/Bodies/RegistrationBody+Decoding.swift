// The four forms of a registration's body (protocol.md 2.4).

import Basics

extension RegistrationBody {
    /// Decodes the body of a REGISTER_BROKER request, whose checksum has been verified.
    ///
    /// - Parameters:
    ///   - version: the request's; decides the layout. Negative ones are refused.
    ///   - compressed: the request's ext field. A zlib stream is recognised without it, since 5.3.3 brokers forget it.
    ///   - receivedAt: the timestamp of a DataVersion that has none.
    /// - Throws: `.body`, `.missingValue`, `.limit`: the request is answered with code 1 and changes nothing.
    public static func decode(
        _ body: UnsafeRawBufferPointer, version: Int32, compressed: Bool, receivedAt: WallTime
    ) throws(RemotingError) -> RegistrationBody {
        guard version >= 0 else { throw RemotingError(.body, "request version \(version)") }
        if body.isEmpty { return RegistrationBody() }
        var decoder = RegistrationJSON(receivedAt: receivedAt)
        if version < RemotingVersion.v3_0_11 { return try decoder.decodeBareWrapper(body) }
        guard compressed || Zlib.isStream(body) else { return try decoder.decodeBody(body) }
        let hasMappings = version >= RemotingVersion.v5_0_0
        let largest = min(
            BodyLimits.inflatedBytes, max(BodyLimits.inflatedFloor, body.count * BodyLimits.inflationRatio))
        let inflated = try Zlib.inflate(body, limit: largest)
        let result = inflated.withUnsafeBytes { bytes in
            Result { () throws(RemotingError) in
                try RegistrationBody(binary: bytes, hasMappings: hasMappings, receivedAt: receivedAt)
            }
        }
        return try result.get()
    }
}
