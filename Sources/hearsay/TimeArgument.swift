import ArgumentParser
import Basics

/// A time on the command line: `500ms`, `5s`, `2m`, or a number of seconds.
struct TimeArgument: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    var defaultValueDescription: String {
        let milliseconds = duration.wholeMilliseconds
        return milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }

    init?(argument: String) {
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600), ("", 1)]
        for (suffix, seconds) in units where argument.hasSuffix(suffix) {
            guard let number = Double(argument.dropLast(suffix.count)) else { continue }
            guard number >= 0, number * seconds <= 1e9 else { return nil }
            duration = .seconds(number * seconds)
            return
        }
        return nil
    }
}
