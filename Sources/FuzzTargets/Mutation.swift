import Basics

/// Small random damage to an input, the same for the same generator.
public enum Mutation {
    /// Texts that decoders treat specially.
    private static let tokens = [
        "\"", "\\", "\\u", "\\uD83D", "{", "}", "[", "]", ",", ":", "null", "true", "-", "1e9", "9223372036854775808",
        "0:", "/*", "*/", "//", "\u{0}", "\u{FEFF}", " ", "\r\n", "@type", "=", "78da",
    ].map { Array($0.utf8) }

    /// Feeds damaged good inputs to targets, in turn.
    public static func run(_ targets: [FuzzTarget], runs: UInt64, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let seeds = targets.map { target in target.seeds() }
        for (target, seeds) in zip(targets, seeds) { seeds.forEach(target.feed) }
        for run in 0..<runs {
            let index = Int(run % UInt64(targets.count))
            guard var input = seeds[index].randomElement(using: &random) else { continue }
            apply(to: &input, using: &random)
            targets[index].feed(input)
        }
    }

    /// One to eight changes.
    static func apply(to input: inout [UInt8], using random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...8, using: &random) { change(&input, &random) }
    }

    private static func change(_ input: inout [UInt8], _ random: inout SeededGenerator) {
        let position = Int.random(in: 0...input.count, using: &random)
        let length = min(input.count - position, Int.random(in: 1...16, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where length > 0: input[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where length > 0: input[position] = UInt8.random(in: .min ... .max, using: &random)
        case 2: input.removeSubrange(position..<position + length)
        case 3: input.insert(contentsOf: input[position..<position + length], at: position)
        case 4: input.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: position)
        default:
            // Length fields: big numbers, negative numbers, off by one.
            guard length >= 4 else { return }
            let value: UInt32 =
                [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x0100_0000, UInt32(input.count)]
                .randomElement(using: &random) ?? 0
            for byte in 0..<4 { input[position + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte)) }
        }
    }
}
