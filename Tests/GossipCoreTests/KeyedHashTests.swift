import Basics
import Testing

@Suite("Keyed hash: SipHash-2-4")
struct KeyedHashTests {
    @Test("matches the authors' 64 vectors", arguments: 0..<64)
    func vector(length: Int) {
        #expect(TestVectors.hash.hash((0..<length).map { UInt8($0) }) == TestVectors.hashes[length])
    }

    @Test("reads its key like the paper: 16 bytes, little-endian halves")
    func key() {
        #expect(KeyedHash(key: (0..<16).map { UInt8($0) }) == TestVectors.hash)
        #expect(KeyedHash(key: []) == nil)
        #expect(KeyedHash(key: Array(repeating: 0, count: 15)) == nil)
        #expect(KeyedHash(key: Array(repeating: 0, count: 17)) == nil)
    }

    @Test("hashes a word like its eight little-endian bytes")
    func word() {
        let word: UInt64 = 0x0706_0504_0302_0100
        #expect(TestVectors.hash.hash(word) == TestVectors.hashes[8])
    }

    @Test("starts at any address, aligned or not")
    func alignment() {
        let bytes = [UInt8](repeating: 0xFF, count: 1) + (0..<63).map { UInt8($0) }
        bytes.withUnsafeBytes { bytes in
            #expect(TestVectors.hash.hash(UnsafeRawBufferPointer(rebasing: bytes[1...])) == TestVectors.hashes[63])
        }
    }

    @Test("never prints its key")
    func secrecy() {
        let hash = KeyedHash(low: 0xDEAD, high: 0xBEEF)
        var dumped = ""
        dump(hash, to: &dumped)
        for text in ["\(hash)", String(reflecting: hash), dumped] {
            #expect(!text.contains("\(0xDEAD)") && !text.contains("\(0xBEEF)"), "\(text)")
        }
    }
}
