// Durations and sizes as operators write them: a whole number and a unit.

import Basics

extension Duration {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Reads `300ms`, `30s`, `2m`, `1h`, `1d`; nil for anything else, also beyond 64 bits of milliseconds.
    package init?(text: String) {
        guard let milliseconds = scaled(text, units: Duration.units.map { ($0.suffix, $0.milliseconds) }) else {
            return nil
        }
        self = .milliseconds(milliseconds)
    }

    /// In the largest unit that leaves a whole number: `2m`, `90s`.
    package var text: String {
        let unit = Duration.units.last { wholeMilliseconds % $0.milliseconds == 0 && wholeMilliseconds != 0 }
        return unit.map { "\(wholeMilliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(wholeMilliseconds)ms"
    }
}

/// A number of bytes in a configuration file.
package enum ByteSize {
    private static let units: [(suffix: String, factor: Int64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// Reads `512B`, `64KiB`, `16MiB`, `1GiB`; nil for anything else, also beyond 63 bits.
    package static func bytes(_ text: String) -> Int? { scaled(text, units: units).flatMap { Int(exactly: $0) } }

    /// In the largest unit that leaves a whole number: `16MiB`.
    package static func text(_ bytes: Int) -> String {
        let unit = units.last { Int64(bytes) % $0.factor == 0 && bytes != 0 }
        return unit.map { "\(Int64(bytes) / $0.factor)\($0.suffix)" } ?? "\(bytes)B"
    }
}

/// Digits and one of the units; no sign, no fraction, a blank between them at most.
private func scaled(_ text: String, units: [(suffix: String, factor: Int64)]) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }
    guard let number = Int64(digits), let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
    return overflow ? nil : product
}
