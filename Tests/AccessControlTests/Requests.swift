import AccessControl
import Basics
import Remoting
import TestSupport

/// Decodes a request as the node does and hands it over.
func judged<Result>(
    _ request: RawRequest, binary: Bool = false, _ judge: (borrowing CommandHeader, UnsafeRawBufferPointer) -> Result
) throws -> Result {
    let bytes = binary ? request.binaryFrame(opaque: 7) : request.frame(opaque: 7)
    return try bytes.withUnsafeBytes { bytes in
        guard case .frame(let frame) = try Frame.first(in: bytes) else { throw TestSupportError("no frame") }
        var header = CommandHeader()
        try header.decode(frame)
        return judge(header, frame.body)
    }
}

let local = RequestOrigin(peer: Address(host: "127.0.0.1", port: 5_555))
let remote = RequestOrigin(peer: Address(host: "10.1.2.3", port: 5_555))
