// protocol.md 1.2, 1.14, 1.15.

import Basics
import Remoting
import Testing

@Suite struct FrameTests {
    /// The worked JSON request of 1.15, both ways.
    @Test func jsonRequest() throws {
        let text =
            #"{"code":105,"extFields":{"topic":"TopicTest"},"flag":0,"language":"JAVA","opaque":7,"#
            + #""serializeTypeCurrentRPC":"JSON","version":479}"#
        let bytes = hex("00000087 00000083") + Array(text.utf8)
        #expect(bytes.count == 139)
        var request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": "TopicTest"])
        request.opaque = 7
        #expect(request.encoded() == bytes)
        #expect(try command(bytes) == request)
    }

    /// The worked binary request of 1.15, both ways.
    @Test func binaryRequest() throws {
        let bytes =
            hex("0000004d 01000049 0069 00 01df 00000007 00000000 00000000 00000034")
            + hex("0005") + Array("topic".utf8) + hex("00000009") + Array("TopicTest".utf8)
            + hex("0016") + Array("acceptStandardJsonOnly".utf8) + hex("00000004") + Array("true".utf8)
        #expect(bytes.count == 81)
        var request = RemotingCommand(
            request: RequestCode.getRouteInfoByTopic, fields: ["topic": "TopicTest", "acceptStandardJsonOnly": "true"])
        request.opaque = 7
        #expect(request.encoded(as: .rocketMQ) == bytes)
        #expect(try command(bytes) == request)
    }

    /// The worked binary response of 1.15, both ways.
    @Test func binaryResponse() throws {
        let bytes = hex("0000001c 01000018 0000 00 01df 00000007 00000001 00000003 72c3a9 00000000")
        #expect(bytes.count == 32)
        var request = RemotingCommand(request: 1)
        request.opaque = 7
        let response = RemotingCommand.response(to: request, code: 0, remark: "ré")
        #expect(response.encoded(as: .rocketMQ) == bytes)
        #expect(try command(bytes) == response)
    }

    /// The worked JSON response of 1.15, as the hot path and as the owning value write it.
    @Test func notFoundResponse() throws {
        let text =
            #"{"code":17,"flag":1,"language":"JAVA","opaque":7,"remark":"No topic route info in name server for the "#
            + #"topic: T1\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.","#
            + #""serializeTypeCurrentRPC":"JSON","version":479}"#
        let bytes = hex("000000f2 000000ee") + Array(text.utf8)
        let remark =
            "No topic route info in name server for the topic: T1\n"
            + "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
        var output = ByteWriter()
        let mark = ResponseFrame.begin(&output, code: 17, opaque: 7, remark: remark)
        ResponseFrame.end(&output, mark)
        #expect(output.array() == bytes)
        var request = RemotingCommand(request: 1)
        request.opaque = 7
        #expect(RemotingCommand.response(to: request, code: 17, remark: remark).encoded() == bytes)
    }

    /// Header size 95 (1.15); two frames in one output; the body is what is appended in between.
    @Test func successResponses() throws {
        var output = ByteWriter()
        for body in ["", "{}"] {
            let mark = ResponseFrame.begin(&output, code: 0, opaque: 7)
            output.append(utf8: body)
            ResponseFrame.end(&output, mark)
        }
        let text = #"{"code":0,"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479}"#
        #expect(text.utf8.count == 95)
        #expect(output.array() == frame(json: text) + frame(json: text, body: "{}"))
    }

    /// Where ext fields stand, and that values are escaped (1.9).
    @Test func responseFields() throws {
        func text(_ fields: ResponseFields) -> String {
            let text = ByteWriter.text {
                ResponseFrame.end(&$0, ResponseFrame.begin(&$0, code: 0, opaque: -1, fields: fields))
            }
            return String(text.drop { $0 != "{" }.replacing(/"language".*/, with: ""))
        }
        #expect(text(.absent) == #"{"code":0,"flag":1,"#)
        #expect(text(.empty) == #"{"code":0,"extFields":{},"flag":1,"#)
        #expect(text(.one("changed", "t\"")) == #"{"code":0,"extFields":{"changed":"t\""},"flag":1,"#)
        #expect(
            text(.two("haServerAddr", "h:2", "masterAddr", "h:1"))
                == #"{"code":0,"extFields":{"haServerAddr":"h:2","masterAddr":"h:1"},"flag":1,"#)
    }

    /// Each must close the connection (1.14), and as soon as the word that is wrong has arrived.
    @Test(arguments: [
        ("ffffffff", RemotingError.Code.frameLength),  // length −1
        ("00000000", .frameLength),  // 0
        ("00000001", .frameLength),
        ("00000003", .frameLength),
        ("00fffffd", .frameLength),  // 16,777,213
        ("7fffffff", .frameLength),
        ("0000000a 02000002", .serializeType),  // neither JSON nor binary
        ("0000000a ff000002", .serializeType),
        ("0000000a 00000007", .headerSize),  // one more than length − 4
        ("0000000a 00000000", .headerSize),  // empty header
        ("0000000a 01000000", .headerSize),
        ("00000004 00000000", .headerSize),
        ("00fffffc 00040001", .headerSize),  // above the header limit, within the frame
    ])
    func malformed(_ text: String, _ expected: RemotingError.Code) {
        #expect(code { try hex(text).withUnsafeBytes { try Frame.first(in: $0) } } == expected)
    }

    /// What is said to be needed, for each number of bytes that are there.
    @Test func incomplete() throws {
        let bytes = frame(json: #"{"code":1}"#, body: "abc")
        for count in 0..<bytes.count {
            let result = try bytes[..<count].withUnsafeBytes { try Frame.first(in: $0) }
            guard case .incomplete(let needed) = result else {
                Issue.record("a frame in \(count) of \(bytes.count) bytes")
                continue
            }
            #expect(needed == (count < 4 ? 8 : bytes.count))
        }
    }

    /// 16,777,212 is the largest length; a smaller limit is kept too.
    @Test func largest() throws {
        let result = try hex("00fffffc").withUnsafeBytes { try Frame.first(in: $0) }
        guard case .incomplete(needed: 16_777_216) = result else {
            Issue.record("\(result)")
            return
        }
        let small = frame(json: "{}", body: "1234567890")
        #expect(code { try small.withUnsafeBytes { try Frame.first(in: $0, limit: small.count - 1) } } == .frameLength)
        #expect(code { try small.withUnsafeBytes { try Frame.first(in: $0, limit: small.count) } } == nil)
    }
}
