/// Numbers as people read them. The page's script says them the same way.
enum ReportText {
    /// `182.25`: at most two places, no zeros at the end.
    static func number(_ value: Double) -> String {
        guard abs(value) < 1e12 else { return value.description }
        let hundredths = Int64((value * 100).rounded())
        let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
        let sign = hundredths < 0 ? "−" : ""
        if rest == 0 { return "\(sign)\(whole)" }
        return rest % 10 == 0 ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// `182.25 s`.
    static func seconds(_ value: Double) -> String { number(value) + " s" }

    /// `2.13 ms`, `3.01 s`.
    static func milliseconds(_ value: Double) -> String {
        value < 1000 ? number(value) + " ms" : number(value / 1000) + " s"
    }

    /// `1.48 kB/s`, `9.5/s`.
    static func rate(_ value: Double, _ unit: String) -> String {
        unit == "B/s" ? bytes(Int(value.rounded())) + "/s" : number(value) + unit
    }

    /// `1.48 MB`.
    static func bytes(_ value: Int) -> String {
        for (size, unit) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")] where value >= size {
            return number(Double(value) / Double(size)) + " " + unit
        }
        return "\(value) B"
    }

    /// A time on the axis: `60 s`, from ten minutes on `10 min`, from six hours on `6 h`.
    static func tick(_ value: Double, step: Double) -> String {
        if step >= 3600 { return number(value / 3600) + " h" }
        if step >= 300 { return number(value / 60) + " min" }
        return number(value) + " s"
    }
}
