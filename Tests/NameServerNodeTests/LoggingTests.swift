import Basics
import Logging
import Synchronization
import Testing

@testable import NameServerNode

/// Collects lines.
private final class Lines: Sendable {
    private let stored = Mutex<[String]>([])
    var all: [String] { stored.withLock { $0 } }
    func add(_ line: String) { stored.withLock { $0.append(line) } }
}

@Suite struct LoggingTests {
    private func logger(_ format: LineLogHandler.Format, _ lines: Lines, level: Logger.Level = .info) -> Logger {
        Logger(label: "ns-1") { label in
            LineLogHandler(
                node: label, format: format, level: level, timestamp: { "T" }, sink: { lines.add($0) })
        }
    }

    @Test func aTextLineHasItsMetadataSorted() {
        let lines = Lines()
        logger(.text, lines).info("broker registered", metadata: ["id": "0", "broker": "broker-a"])
        #expect(lines.all == ["T info ns-1 broker registered broker=broker-a id=0\n"])
    }

    /// Names come from the network: none may break a line or forge another one.
    @Test(arguments: [
        ("a b", #"k="a b""#), ("", #"k="""#), ("a\nT info ns-1 forged", #"k="a\nT info ns-1 forged""#),
        ("quote\"", #"k="quote\"""#), ("tab\t", #"k="tab\u0009""#), ("x=y", #"k="x=y""#), ("集", "k=集"),
        ("\u{1B}[31m", #"k="\u001b[31m""#), ("del\u{7F}", #"k="del\u007f""#),
        ("next\u{85}line", #"k="next\u0085line""#), ("\u{9B}2J", #"k="\u009b2J""#),
        ("line\u{2028}end", #"k="line\u2028end""#), ("turn\u{202E}ed", #"k="turn\u202eed""#),
    ])
    func oddValuesAreQuoted(value: String, printed: String) {
        let lines = Lines()
        logger(.text, lines).info("m", metadata: ["k": "\(value)"])
        #expect(lines.all == ["T info ns-1 m \(printed)\n"])
    }

    @Test func aMessageStaysOnItsLine() {
        let lines = Lines()
        logger(.text, lines).info("two\nlines")
        #expect(lines.all == ["T info ns-1 \"two\\nlines\"\n"])
    }

    /// A name in the message must not look like a field of the line.
    @Test func aMessageHasNoFields() {
        let lines = Lines()
        logger(.text, lines).info("a address=6.6.6.6:6 registered", metadata: ["address": "1.1.1.1:1"])
        #expect(lines.all == ["T info ns-1 \"a address=6.6.6.6:6 registered\" address=1.1.1.1:1\n"])
    }

    @Test func aJSONLine() {
        let lines = Lines()
        logger(.json, lines).warning("gone", metadata: ["broker": "b\"1"])
        #expect(
            lines.all == [#"{"time":"T","level":"warning","node":"ns-1","message":"gone","broker":"b\"1"}"# + "\n"])
    }

    @Test func belowTheLevelNothingIsWritten() {
        let lines = Lines()
        logger(.text, lines, level: .error).warning("gone")
        #expect(lines.all.isEmpty)
    }

    @Test func aStormIsCutDownAndCounted() {
        var limiter = LogLimiter()
        var passed = 0
        for _ in 0..<1_000 where limiter.admit("registered", now: .zero).passes { passed += 1 }
        #expect(passed == LogLimiter.burst)
        let other = limiter.admit("expired", now: .zero)
        #expect(other.passes && other.suppressed == 0)
        let later = limiter.admit("registered", now: .zero + LogLimiter.window)
        #expect(later.passes && later.suppressed == 1_000 - LogLimiter.burst)
        #expect(limiter.admit("registered", now: .zero + LogLimiter.window).suppressed == 0)
    }
}
