import Basics

/// What a name may be made of, so that it can stand in a file name, a log line and RocketMQ's headers alike.
package struct NameRule {
    /// Bytes allowed besides ASCII letters and digits.
    var punctuation: StaticString
    /// In bytes.
    var length: Int
    /// The rule for people.
    package var description: String
    /// Whether the first byte must be a letter or a digit, which also keeps `..` out of file names.
    var startsPlain: Bool

    /// Clusters, nodes and broker groups.
    package static let label = NameRule(
        punctuation: "-_.", length: 64,
        description: "1 to 64 letters, digits, '-', '_' or '.', a letter or digit first", startsPlain: true)

    /// Experiments, which are files and words of the command line.
    package static let word = NameRule(
        punctuation: "-", length: 64, description: "1 to 64 letters, digits or '-', a letter or digit first",
        startsPlain: true)

    /// Topics (protocol.md 2.5; RocketMQ's own limit is 127).
    package static let topic = NameRule(
        punctuation: "-_%|", length: 127, description: "1 to 127 letters, digits, '-', '_', '%' or '|'",
        startsPlain: false)

    /// Whether the name is one.
    package func allows(_ name: String) -> Bool {
        let allowed = UnsafeBufferPointer(start: punctuation.utf8Start, count: punctuation.utf8CodeUnitCount)
        guard let first = name.utf8.first, name.utf8.count <= length else { return false }
        return (!startsPlain || first.isLetterOrDigit)
            && name.utf8.allSatisfy { $0.isLetterOrDigit || allowed.contains($0) }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    fileprivate var isLetterOrDigit: Bool { isDigit || (self | 0x20 >= 0x61 && self | 0x20 <= 0x7A) }
    fileprivate var isHexDigit: Bool { isDigit || (self | 0x20 >= 0x61 && self | 0x20 <= 0x66) }
}

extension Address {
    /// Why this cannot be an address that other processes, `dialers`, dial; nil when it can.
    func dialingFault(for dialers: String) -> String? {
        if port == 0 { return "has port 0, which nobody can dial; choose 1 to 65535" }
        if isEveryAddress { return "is every address; name the one that \(dialers) dial" }
        return listeningFault
    }

    /// Why this cannot be an address to listen at, on a port that is known beforehand; nil when it can.
    var listeningFault: String? {
        if port == 0 { return "has port 0, which nobody can dial; choose 1 to 65535" }
        return hasWellFormedHost ? nil : "has no IPv4 address, [IPv6 address] or DNS name before the port"
    }

    /// Whether it stands for every address of a machine.
    var isEveryAddress: Bool { host == "0.0.0.0" || host == "::" || host == "*" }

    private var hasWellFormedHost: Bool {
        let bytes = Array(host.utf8)
        if bytes.contains(0x3A) {
            return bytes.count >= 2 && bytes.allSatisfy { $0.isHexDigit || $0 == 0x3A || $0 == 0x2E }
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if bytes.allSatisfy({ $0.isDigit || $0 == 0x2E }) {
            return labels.count == 4 && labels.allSatisfy { UInt8($0) != nil }
        }
        return bytes.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x2D || $0 == 0x5F }
            }
    }

    /// The same for addresses that clash on one machine.
    var clashKey: Address { Address(host: host == "localhost" ? "127.0.0.1" : host.lowercased(), port: port) }
}
