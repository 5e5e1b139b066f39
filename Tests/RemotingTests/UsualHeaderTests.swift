import Basics
import Testing

@testable import Remoting

/// The short way through a JSON header against the long one.
@Suite struct UsualHeaderTests {
    private static let usual =
        #"{"code":105,"extFields":{"topic":"TopicTest","acceptStandardJsonOnly":"true"},"flag":0,"language":"JAVA","opaque":4711,"serializeTypeCurrentRPC":"JSON","version":479}"#

    /// What a header says, field by field.
    private func picture(_ header: borrowing CommandHeader) -> String {
        let fields = header.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return "\(header.code) \(header.flag) \(header.opaque) \(header.version) \(header.language) "
            + "\(header.hasFields) \(header.remark.map { String(decoding: $0, as: UTF8.self) } ?? "-") \(fields)"
    }

    /// Both ways; the short one may decline. Nil: no header at all.
    private func decoded(_ text: [UInt8]) -> (short: String?, long: String?) {
        text.withUnsafeBytes { bytes in
            var short = CommandHeader()
            var long = CommandHeader()
            short.frame = bytes
            long.frame = bytes
            let isUsual = short.decodeUsualJSON()
            let isWellFormed = (try? long.decodeJSON()) != nil
            return (isUsual ? picture(short) : nil, isWellFormed ? picture(long) : nil)
        }
    }

    @Test(arguments: [
        usual,
        #"{"code":0,"flag":1,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON","version":0}"#,
        #"{"code":34,"extFields":{},"flag":3,"language":"JAVA","opaque":999999999,"serializeTypeCurrentRPC":"JSON","version":1}"#,
        #"{"code":1,"extFields":{"a":"","a":"twice"},"flag":0,"language":"JAVA","opaque":1,"serializeTypeCurrentRPC":"JSON","version":1}"#,
    ])
    func takesTheUsualForm(_ text: String) {
        let (short, long) = decoded(Array(text.utf8))
        #expect(short != nil && short == long)
    }

    @Test(arguments: [
        ("\"JAVA\"", "\"CPP\""), (":479}", ":479 }"), ("105", "-105"), ("105", "2147483648"), ("4711", "4711.0"),
        ("4711", "\"4711\""), ("TopicTest", #"Topic\u0054est"#), ("TopicTest", "Tópic"), ("topic\"", "@type\""),
        ("\"topic\"", "\"\""), ("\"TopicTest\"", "7"), ("\"TopicTest\"", "null"), ("\"flag\":0,", ""),
        ("479}", "479"), ("479}", "479}}"), ("479}", "479}\0"), ("{\"code\"", " {\"code\""), ("\"code\"", "\"Code\""),
    ])
    func leavesOthersToTheLongWay(part: String, replacement: String) {
        let text = Self.usual.replacing(part, with: replacement, maxReplacements: 1)
        #expect(text != Self.usual)
        let (short, _) = decoded(Array(text.utf8))
        #expect(short == nil)
    }

    /// Usual headers with bytes changed, doubled, dropped: whatever the short way takes, the long one takes alike.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func agreesOnAnything(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let spare = Array(#"{}":,\@0719 eé"#.utf8)
        var taken = 0
        for round in 0..<20_000 {
            var text = Array(Self.usual.utf8)
            for _ in 0..<(round % 3) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = spare[Int.random(in: 0..<spare.count, using: &random)]
                case 1: text.insert(text[Int.random(in: 0..<text.count, using: &random)], at: place)
                default: text.remove(at: place)
                }
            }
            let (short, long) = decoded(text)
            if short == nil { continue }
            taken += 1
            guard short == long else {
                Issue.record(
                    "seed \(seed): \(String(decoding: text, as: UTF8.self)): \(short ?? "-") or \(long ?? "-")")
                return
            }
        }
        #expect(taken > 6_000)
    }
}
