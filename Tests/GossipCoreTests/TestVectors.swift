import Basics
import GossipCore

// Fixed for ever: nodes of different versions and platforms must agree on every one of these. The hashes are those of
// the SipHash authors' reference code (vectors.h); all others come from an independent implementation in Python with
// unbounded integers.

enum TestVectors {
    /// The key 00 01 ... 0f of the SipHash paper.
    static let hash = KeyedHash(low: 0x0706_0504_0302_0100, high: 0x0F0E_0D0C_0B0A_0908)

    /// The hash of the bytes 00, 00 01, ... : row n hashes n bytes.
    static let hashes: [UInt64] = [
        0x726F_DB47_DD0E_0E31, 0x74F8_39C5_93DC_67FD, 0x0D6C_8009_D9A9_4F5A, 0x8567_6696_D7FB_7E2D,
        0xCF27_94E0_2771_87B7, 0x1876_5564_CD99_A68D, 0xCBC9_466E_58FE_E3CE, 0xAB02_00F5_8B01_D137,
        0x93F5_F579_9A93_2462, 0x9E00_82DF_0BA9_E4B0, 0x7A5D_BBC5_94DD_B9F3, 0xF4B3_2F46_226B_ADA7,
        0x751E_8FBC_860E_E5FB, 0x14EA_5627_C084_3D90, 0xF723_CA90_8E7A_F2EE, 0xA129_CA61_49BE_45E5,
        0x3F2A_CC7F_57C2_9BDB, 0x699A_E9F5_2CBE_4794, 0x4BC1_B3F0_968D_D39C, 0xBB6D_C91D_A779_61BD,
        0xBED6_5CF2_1AA2_EE98, 0xD0F2_CBB0_2E3B_67C7, 0x9353_6795_E3A3_3E88, 0xA80C_038C_CD5C_CEC8,
        0xB8AD_50C6_F649_AF94, 0xBCE1_92DE_8A85_B8EA, 0x17D8_35B8_5BBB_15F3, 0x2F2E_6163_076B_CFAD,
        0xDE4D_AAAC_A71D_C9A5, 0xA6A2_5066_8795_6571, 0xAD87_A353_5C49_EF28, 0x32D8_92FA_D841_C342,
        0x7127_512F_72F2_7CCE, 0xA7F3_2346_F959_78E3, 0x12E0_B01A_BB05_1238, 0x15E0_34D4_0FA1_97AE,
        0x314D_FFBE_0815_A3B4, 0x0279_90F0_2962_3981, 0xCADC_D4E5_9EF4_0C4D, 0x9ABF_D876_6A33_735C,
        0x0E3E_A96B_5304_A7D0, 0xAD0C_42D6_FC58_5992, 0x1873_06C8_9BC2_15A9, 0xD4A6_0ABC_F379_2B95,
        0xF935_451D_E4F2_1DF2, 0xA953_8F04_1975_5787, 0xDB9A_CDDF_F56C_A510, 0xD06C_98CD_5C09_75EB,
        0xE612_A3CB_9ECB_A951, 0xC766_E62C_FCAD_AF96, 0xEE64_435A_9752_FE72, 0xA192_D576_B245_165A,
        0x0A87_87BF_8ECB_74B2, 0x81B3_E73D_20B4_9B6F, 0x7FA8_220B_A3B2_ECEA, 0x2457_31C1_3CA4_2499,
        0xB78D_BFAF_3A8D_83BD, 0xEA1A_D565_322A_1A0B, 0x60E6_1C23_A379_5013, 0x6606_D7E4_4628_2B93,
        0x6CA4_ECB1_5C5F_91E1, 0x9F62_6DA1_5C96_25F3, 0xE51B_3860_8EF2_5F57, 0x958A_324C_EB06_4572,
    ]

    /// The hashes of the texts "item-0" to "item-19".
    static let items: [UInt64] = [
        0x2468_0B0F_8DC9_F879, 0x6547_829B_622E_6C30, 0x87A7_FF7E_3299_7B67, 0x7339_3D9A_94FC_5F56,
        0xC2B9_CAF3_EB84_9A13, 0x46AC_BDDA_EA9B_F72E, 0xEC17_5339_814C_A203, 0xBECE_7389_545A_2A52,
        0x4891_69FE_ACAE_EC36, 0xC2DB_F642_0A70_2BE9, 0x8676_0DE0_FFAC_D7F6, 0x6D18_CABD_87E5_A342,
        0x30B7_814E_0B9A_1D5B, 0x426D_B14E_9A03_4493, 0x4F30_8A68_E729_9831, 0x630E_BB77_ADEC_CE43,
        0x522F_9904_A015_225E, 0xD257_E826_1534_7C30, 0x77C0_9AA0_093C_1FFC, 0x87D4_15D7_8296_DD84,
    ]

    /// All symbols that hold items 0, 1 and 2.
    static let indices: [[Int]] = [
        [
            0, 1, 4, 8, 14, 18, 274, 351, 959, 3867,
        ],
        [
            0, 1, 3, 14, 37, 40, 105, 125, 753, 1230, 2509, 2674, 2681, 3132,
        ],
        [
            0, 2, 3, 6, 13, 179, 230, 573, 584, 685, 1926,
        ],
    ]

    /// The first symbols of the set of all the items.
    static let symbols: [SketchSymbol] = [
        SketchSymbol(sum: 0x2CD1_BB42_A6CB_75D3, check: 0x7538_654F_3C48_819E, count: 20),
        SketchSymbol(sum: 0x5978_4B8C_EB5F_A3B4, check: 0xDF6B_8D87_D4A5_E991, count: 14),
        SketchSymbol(sum: 0xA27C_27E9_C2F3_FFB5, check: 0x828E_B9DC_A3D5_9BFB, count: 12),
        SketchSymbol(sum: 0xB509_A5E5_B913_12A1, check: 0x5789_3697_A59E_2CE8, count: 9),
        SketchSymbol(sum: 0x30C4_1669_C8ED_983C, check: 0x1557_B306_CF14_F7EB, count: 5),
        SketchSymbol(sum: 0x64CD_6450_079F_0BBE, check: 0xBBD5_26F4_140B_7A90, count: 5),
        SketchSymbol(sum: 0x1B27_6CC5_846D_1890, check: 0x99F7_D6FF_BAD2_84FA, count: 6),
        SketchSymbol(sum: 0x0222_0F5D_A4F6_F463, check: 0xC587_EC55_721C_4AAF, count: 6),
        SketchSymbol(sum: 0xABCF_3454_9189_445F, check: 0x5159_1E8E_488D_6C3E, count: 6),
        SketchSymbol(sum: 0xD00C_7D4C_99CC_1FA4, check: 0xE914_64A6_56EE_BAD9, count: 7),
        SketchSymbol(sum: 0x8676_0DE0_FFAC_D7F6, check: 0x3636_0B56_3518_0A6E, count: 1),
        SketchSymbol(sum: 0xA6F6_0A43_CD26_5BB8, check: 0x7042_2481_206E_C93D, count: 4),
        SketchSymbol(sum: 0x28FF_3D8B_3A5D_E5CF, check: 0xD079_A776_4153_1284, count: 4),
        SketchSymbol(sum: 0x4C82_023F_D4AF_8E6B, check: 0x1B87_5C97_F1C8_0E8B, count: 4),
        SketchSymbol(sum: 0x89C6_9148_F668_2611, check: 0x018A_0B6D_B566_14EA, count: 5),
        SketchSymbol(sum: 0x81EE_D21F_B342_AF28, check: 0xCB7F_7B8D_4B61_7906, count: 3),
        SketchSymbol(sum: 0x4F30_8A68_E729_9831, check: 0xA6E1_F1DA_95E9_7C13, count: 1),
        SketchSymbol(sum: 0x77C0_9AA0_093C_1FFC, check: 0x50FC_4DD5_EEF6_1ECE, count: 1),
        SketchSymbol(sum: 0x6866_652C_3EC5_2633, check: 0x000D_2623_C62D_9EC0, count: 4),
        SketchSymbol(sum: 0x35D8_8549_9039_ACB7, check: 0x931C_33CE_CEB8_FB64, count: 4),
        SketchSymbol(sum: 0x0000_0000_0000_0000, check: 0x0000_0000_0000_0000, count: 0),
        SketchSymbol(sum: 0x01A2_1837_7D3A_0A72, check: 0xD44C_007B_306F_E0C8, count: 2),
        SketchSymbol(sum: 0x52D9_20B0_D516_8851, check: 0x8C9E_C4C1_98DA_7890, count: 2),
        SketchSymbol(sum: 0xBECE_7389_545A_2A52, check: 0xCAD0_23DD_3B8E_5D76, count: 1),
    ]

    /// The hash of all 4,096 symbols: sum, check and count of each as little-endian words.
    static let sketchDigest: UInt64 = 0x3EA7_63C8_2526_3299

    /// The first four symbols on the wire.
    static let run: [UInt8] = [
        0x00, 0x04, 0x14, 0x2C, 0xD1, 0xBB, 0x42, 0xA6, 0xCB, 0x75, 0xD3, 0x75, 0x38, 0x65, 0x4F, 0x3C,
        0x48, 0x81, 0x9E, 0x00, 0x59, 0x78, 0x4B, 0x8C, 0xEB, 0x5F, 0xA3, 0xB4, 0xDF, 0x6B, 0x8D, 0x87,
        0xD4, 0xA5, 0xE9, 0x91, 0x02, 0xA2, 0x7C, 0x27, 0xE9, 0xC2, 0xF3, 0xFF, 0xB5, 0x82, 0x8E, 0xB9,
        0xDC, 0xA3, 0xD5, 0x9B, 0xFB, 0x04, 0xB5, 0x09, 0xA5, 0xE5, 0xB9, 0x13, 0x12, 0xA1, 0x57, 0x89,
        0x36, 0x97, 0xA5, 0x9E, 0x2C, 0xE8, 0x02,
    ]
}
