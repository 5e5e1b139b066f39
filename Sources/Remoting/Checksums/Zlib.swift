import Basics
import CDeflate

/// Whole zlib streams (RFC 1950), by libdeflate.
public enum Zlib {
    /// Whether bytes begin as a zlib stream with the usual 32 KiB window does. No JSON text does.
    public static func isStream(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x78 && (UInt16(bytes[0]) << 8 | UInt16(bytes[1])) % 31 == 0
    }

    /// Inflates a stream; bytes behind its end are ignored.
    ///
    /// - Parameter limit: the largest result in bytes; no more is ever allocated.
    /// - Throws: `.body` when the stream is damaged, `.limit` when it is too large.
    public static func inflate(
        _ bytes: UnsafeRawBufferPointer, limit: Int = BodyLimits.inflatedBytes
    ) throws(RemotingError) -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { preconditionFailure("no memory to inflate") }
        defer { libdeflate_free_decompressor(decompressor) }
        var capacity = min(limit, max(4_096, bytes.count * 8))
        while true {
            var result = LIBDEFLATE_BAD_DATA
            let inflated = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                var consumed = 0
                result = libdeflate_zlib_decompress_ex(
                    decompressor, bytes.baseAddress, bytes.count, buffer.baseAddress, capacity, &consumed, &count)
                if result != LIBDEFLATE_SUCCESS { count = 0 }
            }
            switch result {
            case LIBDEFLATE_SUCCESS: return inflated
            case LIBDEFLATE_INSUFFICIENT_SPACE where capacity < limit: capacity = min(limit, capacity * 4)
            case LIBDEFLATE_INSUFFICIENT_SPACE: throw RemotingError(.limit, "inflates to more than \(limit) bytes")
            default: throw RemotingError(.body, "damaged zlib stream")
            }
        }
    }

    /// Deflates to a stream, with the header bytes `78 da` of Java's best compression.
    public static func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        guard let compressor = libdeflate_alloc_compressor(9) else { preconditionFailure("no memory to deflate") }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_zlib_compress_bound(compressor, bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            count = libdeflate_zlib_compress(compressor, bytes.baseAddress, bytes.count, buffer.baseAddress, bound)
        }
    }
}
