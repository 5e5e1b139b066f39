// Brokers choose their names and topics, and administrators their keys: none of them may steer an operator's terminal, or
// slip into a command that he is advised to run.

/// A line that can be printed: what would move the cursor, break the line or turn the writing direction is replaced by
/// U+FFFD; the colours of `Palette` stay.
public func printable(_ line: String) -> String {
    if line.unicodeScalars.allSatisfy({ !$0.steersTerminals }) { return line }
    var kept = String.UnicodeScalarView()
    let scalars = Array(line.unicodeScalars)
    var index = 0
    while index < scalars.count {
        if let end = endOfColour(scalars, from: index) {
            kept.append(contentsOf: scalars[index..<end])
            index = end
            continue
        }
        kept.append(scalars[index].steersTerminals ? "\u{FFFD}" : scalars[index])
        index += 1
    }
    return String(kept)
}

/// Where the colour sequence (`ESC [ 0 m` or `ESC [ 3x m`) ends that starts at `start`; nil when there is none.
private func endOfColour(_ scalars: [Unicode.Scalar], from start: Int) -> Int? {
    guard scalars[start] == "\u{1B}", start + 3 < scalars.count, scalars[start + 1] == "[" else { return nil }
    if scalars[start + 2] == "0", scalars[start + 3] == "m" { return start + 4 }
    guard start + 4 < scalars.count, scalars[start + 2] == "3", ("1"..."3").contains(scalars[start + 3]),
        scalars[start + 4] == "m"
    else { return nil }
    return start + 5
}

extension Unicode.Scalar {
    /// C0 and C1 controls, line separators, and what changes the direction of text.
    fileprivate var steersTerminals: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

/// A text as one word of a POSIX shell.
public func shellWord(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", ":", "/", "%", ",", "@", "+": true
        default: false
        }
    }
    if isPlain, !text.isEmpty { return text }
    return "'" + text.replacing("'", with: #"'\''"#) + "'"
}
