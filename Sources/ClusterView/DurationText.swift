/// Durations for people.
public enum DurationText {
    /// `0.4 s`, `12 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`.
    public static func short(_ milliseconds: Int64) -> String {
        let tenths = max(0, milliseconds) / 100
        let seconds = tenths / 10
        switch seconds {
        case ..<10: return "\(seconds).\(tenths % 10) s"
        case ..<120: return "\(seconds) s"
        case ..<7_200: return "\(seconds / 60) m \(seconds % 60) s"
        case ..<172_800: return "\(seconds / 3_600) h \(seconds / 60 % 60) m"
        default: return "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
public func enumeration(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
}

/// `1 topic`, `2 topics`.
public func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
