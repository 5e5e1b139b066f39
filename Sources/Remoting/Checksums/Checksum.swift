import CDeflate

/// Checksums of whole runs of bytes, by libdeflate.
public enum Checksum {
    /// CRC-32 with the polynomial of zlib.
    public static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        libdeflate_crc32(0, bytes.baseAddress, bytes.baseAddress == nil ? 0 : bytes.count)
    }

    /// Adler-32, which starts at 1.
    public static func adler32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        bytes.baseAddress == nil ? 1 : libdeflate_adler32(1, bytes.baseAddress, bytes.count)
    }

    /// What a registration's `bodyCrc32` must equal: CRC-32 without its top bit; 0 for no body (protocol.md 2.4).
    public static func bodyCRC32(_ body: UnsafeRawBufferPointer) -> Int32 { masked(crc32(body)) }

    /// CRC-32 as the wire carries it: without its top bit.
    public static func masked(_ crc32: UInt32) -> Int32 { Int32(crc32 & 0x7FFF_FFFF) }
}

/// Tells bodies apart: two checksums of different kinds and the length.
///
/// Equal fingerprints mean equal bodies for peers that do not set out to deceive; who must be sure compares the bytes.
public struct BodyFingerprint: Hashable, Sendable {
    /// Bytes.
    public var length: Int
    /// All 32 bits.
    public var crc32: UInt32
    /// All 32 bits.
    public var adler32: UInt32

    /// Reads the whole body twice.
    public init(_ body: UnsafeRawBufferPointer) {
        length = body.count
        crc32 = Checksum.crc32(body)
        adler32 = Checksum.adler32(body)
    }
}
