import Basics
import Testing

/// Goldens from a second implementation (Python) of the published algorithms: a seed must mean the same run for ever.
struct SeededGeneratorTests {
    @Test(
        arguments: [
            (0, [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C]),
            (1, [0xB3F2_AF6D_0FC7_10C5, 0x853B_5596_4736_4CEA, 0x92F8_9756_082A_4514, 0x642E_1C7B_C266_A3A7]),
            (1_234_567, [0x30A3_A1C3_6360_0467, 0x1940_5F0F_5799_29CA, 0x115B_EAAC_046D_DBD9, 0xEB17_CAF4_8F27_D7F6]),
            (.max, [0x8F55_20D5_2A7E_AD08, 0xC476_A018_CAA1_802D, 0x81DE_31C0_D260_469E, 0xBF65_8D7E_065F_3C2F]),
        ] as [(UInt64, [UInt64])])
    func isTheAuthorsSequence(seed: UInt64, expected: [UInt64]) {
        var generator = SeededGenerator(seed: seed)
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test func copiesReplay() {
        var one = SeededGenerator(seed: 42)
        _ = one.next()
        var two = one
        #expect((0..<100).map { _ in one.next() } == (0..<100).map { _ in two.next() })
    }

    @Test func seedsDiffer() {
        let firsts = (UInt64(0)..<1000).map { seed -> UInt64 in
            var generator = SeededGenerator(seed: seed)
            return generator.next()
        }
        #expect(Set(firsts).count == 1000)
    }
}
