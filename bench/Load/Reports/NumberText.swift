extension Double {
    /// Three digits or so, for people: `0.123`, `4.56`, `78.9`, `1,234`; `-` for no number.
    public var short: String {
        guard isFinite else { return "-" }
        if magnitude >= 100 || self == 0 { return Int(rounded()).grouped }
        return decimals(magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3)
    }

    /// A fixed number of decimals.
    public func decimals(_ count: Int) -> String {
        guard isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<count { scale *= 10 }
        let scaled = Int((magnitude * scale).rounded())
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard count > 0 else { return sign + "\(scaled)" }
        let fraction = String(scaled % Int(scale))
        return sign + "\(scaled / Int(scale))." + String(repeating: "0", count: count - fraction.count) + fraction
    }
}

extension Int {
    /// `1,234,567`.
    public var grouped: String {
        let digits = String(magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (self < 0 ? "-" : "") + text
    }
}
