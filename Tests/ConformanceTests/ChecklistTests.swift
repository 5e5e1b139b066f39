// Nothing of protocol.md §8 may be forgotten, and nothing of what the other tests rely on may be wrong.

import Foundation
import TestSupport
import Testing

@Suite struct ChecklistTests {
    @Test func everyItemHasExactlyOneTest() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        var numbers: [Int] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where name.hasSuffix(".swift") {
            let source = try #require(text(of: directory.appendingPathComponent(name).path))
            numbers += source.matches(of: /func item(\d{3})_\w+\(/).compactMap { Int($0.1) }
        }
        #expect(numbers.sorted() == Array(1...112))
    }

    /// The worked frames of 1.15, made by the builders the tests use.
    @Test func buildersMakeTheWorkedFrames() {
        let request = RawRequest(105, ["topic": "TopicTest"]).frame(opaque: 7)
        let header =
            #"{"code":105,"extFields":{"topic":"TopicTest"},"flag":0,"language":"JAVA","opaque":7,"#
            + #""serializeTypeCurrentRPC":"JSON","version":479}"#
        #expect(request == bytes(hex: "00000087 00000083") + Array(header.utf8))
        let binary = RawRequest(105, ["topic": "TopicTest", "acceptStandardJsonOnly": "true"]).binaryFrame(opaque: 7)
        let head = bytes(hex: "0000004d 01000049 0069 00 01df 00000007 00000000 00000000 00000034")
        let fields =
            bytes(hex: "0005") + Array("topic".utf8) + bytes(hex: "00000009") + Array("TopicTest".utf8)
            + bytes(hex: "0016") + Array("acceptStandardJsonOnly".utf8) + bytes(hex: "00000004") + Array("true".utf8)
        #expect(binary == head + fields)
    }

    @Test func checksumsMatchTheSamples() {
        #expect(plainCRC32(Array("a".utf8)) & 0x7fff_ffff == 1_756_872_259)
        #expect(plainCRC32(Array("hello".utf8)) & 0x7fff_ffff == 907_060_870)
        #expect(SampleBodies.json.utf8.count == 621)
        #expect(plainCRC32(Array(SampleBodies.json.utf8)) & 0x7fff_ffff == 1_003_115_195)
        #expect(SampleBodies.compressed.count == 129)
        #expect(plainCRC32(SampleBodies.compressed) & 0x7fff_ffff == 718_714_941)
        #expect(plainAdler32(Array("Wikipedia".utf8)) == 0x11e6_0398)
    }

    /// Every registration a 5.3.3 broker was seen to send is what `Registration` makes of its parts.
    @Test func registrationsMatchTheCapture() throws {
        let capture = try CaptureFile(path: capturePath("nameserver-5.3.3"))
        var compared = 0
        for event in capture.events where event.toServer {
            guard case .frame(let frame) = event.content, frame.code == 103, frame.flag == 0 else { continue }
            let fields = try #require(frame.fields)
            var registration = Registration {
                $0.cluster = fields["clusterName"]
                $0.broker = fields["brokerName"]
                $0.id = fields["brokerId"]
                $0.address = fields["brokerAddr"]
                $0.haAddress = fields["haServerAddr"]
                $0.enableActingMaster = fields["enableActingMaster"]
            }
            registration.explicitBody = frame.body
            let opaque = Int32(try #require(frame.opaque))
            #expect(registration.request.frame(opaque: opaque) == frame.bytes, "line \(event.line)")
            compared += 1
        }
        #expect(compared > 5)
    }

    /// The default body is laid out as a 5.3.3 broker lays it out (3.7).
    @Test func registrationBodyHasTheShapeOfTheSample() throws {
        var registration = Registration()
        registration.topics = [RegisteredTopic("TopicTest"), RegisteredTopic("Fifo", read: 4, write: 4, sysFlag: 2)]
        registration.dataVersion = RegisteredDataVersion(3)
        let sample = SampleBodies.json
            .replacing(#"{"message.type":"FIFO"}"#, with: "{}").replacing(#""order":true"#, with: #""order":false"#)
        #expect(String(decoding: registration.body, as: UTF8.self) == sample)
    }
}

/// The capture called `name` beside these sources.
func capturePath(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Captures/\(name).jsonl").path
}
