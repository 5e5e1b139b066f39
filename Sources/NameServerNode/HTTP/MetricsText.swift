import Basics

/// Prometheus's text format, version 0.0.4: for each family its meaning and type, then its samples.
struct MetricsText: ~Copyable {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String {
        case counter, gauge, histogram
    }

    var output = ByteWriter(capacity: 16 << 10)
    private var name: StaticString = "none"

    /// Begins a family; `help` is one line without backslashes.
    mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
        self.name = name
        output.append("# HELP ")
        output.append(name)
        output.append(UInt8(ascii: " "))
        output.append(help)
        output.append("\n# TYPE ")
        output.append(name)
        output.append(UInt8(ascii: " "))
        output.append(utf8: kind.rawValue)
        output.append(UInt8(ascii: "\n"))
    }

    /// A family of one sample.
    mutating func single(_ name: StaticString, _ kind: Kind, _ value: some MetricValue, _ help: StaticString) {
        family(name, kind, help)
        sample(value)
    }

    /// A sample of the present family.
    mutating func sample(_ value: some MetricValue, _ labels: KeyValuePairs<StaticString, String> = [:]) {
        sample(suffix: "", value, labels)
    }

    /// A histogram of durations: `counts` by class, the last above all `bounds` (in milliseconds), and their sum.
    mutating func histogram(_ counts: [Int], bounds: [Int64], sum: Duration) {
        var below = 0
        for (bound, count) in zip(bounds, counts) {
            below += count
            sample(suffix: "_bucket", below, ["le": "\(Double(bound) / 1_000)"])
        }
        let all = counts.reduce(0, +)
        sample(suffix: "_bucket", all, ["le": "+Inf"])
        sample(suffix: "_sum", sum, [:])
        sample(suffix: "_count", all, [:])
    }

    private mutating func sample(
        suffix: String, _ value: some MetricValue, _ labels: KeyValuePairs<StaticString, String>
    ) {
        Self.append(name, suffix: suffix, value, labels, to: &output)
    }

    /// Appends one line, for a family that was begun.
    static func append(
        _ name: StaticString, suffix: String = "", _ value: some MetricValue,
        _ labels: KeyValuePairs<StaticString, String>, to output: inout ByteWriter
    ) {
        output.append(name)
        output.append(utf8: suffix)
        for (index, (label, text)) in labels.enumerated() {
            output.append(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            output.append(label)
            output.append("=\"")
            appendEscaped(text, to: &output)
            output.append(UInt8(ascii: "\""))
        }
        if !labels.isEmpty { output.append(UInt8(ascii: "}")) }
        output.append(UInt8(ascii: " "))
        value.append(to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    /// A label's value may be any text; three characters are escaped.
    private static func appendEscaped(_ text: String, to output: inout ByteWriter) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output.append("\\\\")
            case UInt8(ascii: "\""): output.append("\\\"")
            case UInt8(ascii: "\n"): output.append("\\n")
            default: output.append(byte)
            }
        }
    }
}

/// What a sample may be: a number, or a time in seconds.
protocol MetricValue {
    func append(to output: inout ByteWriter)
}

extension Int: MetricValue {
    func append(to output: inout ByteWriter) { output.append(decimal: self) }
}

extension Bool: MetricValue {
    func append(to output: inout ByteWriter) { output.append(self ? UInt8(ascii: "1") : UInt8(ascii: "0")) }
}

extension Duration: MetricValue {
    /// Seconds, to the microsecond.
    func append(to output: inout ByteWriter) {
        let microseconds = wholeNanoseconds / 1_000
        if microseconds < 0 { output.append(UInt8(ascii: "-")) }
        output.append(decimal: Int64(microseconds.magnitude / 1_000_000))
        let rest = microseconds.magnitude % 1_000_000
        guard rest > 0 else { return }
        let digits = "\(rest)"
        output.append(UInt8(ascii: "."))
        output.append(utf8: String(repeating: "0", count: 6 - digits.utf8.count))
        output.append(utf8: digits)
    }
}
