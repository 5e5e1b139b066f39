// protocol.md 2.4, and the published check values of both algorithms.

import Remoting
import Testing

@Suite struct ChecksumTests {
    @Test(
        arguments: [
            ("", 0, 1), ("a", 0xE8B7_BE43, 0x0062_0062), ("hello", 0x3610_A686, 0x062C_0215),
            ("123456789", 0xCBF4_3926, 0x091E_01DE),
        ] as [(String, UInt32, UInt32)])
    func values(_ text: String, _ crc32: UInt32, _ adler32: UInt32) {
        Array(text.utf8).withUnsafeBytes {
            #expect(Checksum.crc32($0) == crc32)
            #expect(Checksum.adler32($0) == adler32)
            #expect(Checksum.bodyCRC32($0) == Int32(crc32 & 0x7FFF_FFFF))
            let fingerprint = BodyFingerprint($0)
            #expect(
                fingerprint.length == text.utf8.count && fingerprint.crc32 == crc32 && fingerprint.adler32 == adler32)
        }
    }

    /// The samples of 2.4.
    @Test func samples() {
        #expect(Array("a".utf8).withUnsafeBytes { Checksum.bodyCRC32($0) } == 1_756_872_259)
        #expect(Array("hello".utf8).withUnsafeBytes { Checksum.bodyCRC32($0) } == 907_060_870)
    }

    @Test func zlib() throws {
        for count in [0, 1, 100, 100_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
            let deflated = bytes.withUnsafeBytes { Zlib.deflate($0) }
            #expect(deflated.withUnsafeBytes { Zlib.isStream($0) })
            #expect(try deflated.withUnsafeBytes { try Zlib.inflate($0) } == bytes)
        }
        for text in ["", "{", "{}", " {", "x{", "xx"] {
            #expect(!Array(text.utf8).withUnsafeBytes { Zlib.isStream($0) })
        }
    }
}
