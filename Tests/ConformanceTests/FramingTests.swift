// protocol.md §8, "Framing": items 1 to 28.

import TestSupport
import Testing

@Suite struct FramingTests {
    /// An empty topic list: the request most items use to see that a connection is served.
    private let listTopics = RawRequest(206)

    /// Sends `bytes` on a fresh connection and expects the close without an answer.
    private func expectClosed(_ bytes: [UInt8], _ comment: Comment? = nil) throws {
        let connection = try fresh()
        try connection.send(bytes)
        #expect(throws: Never.self, comment) { try connection.expectClose() }
    }

    /// A JSON header on a fresh connection is answered ok with opaque 5.
    private func expectServed(header: String) throws {
        let connection = try fresh()
        try connection.send(rawFrame(header: header))
        let answer = try connection.receiveFrame()
        #expect(answer.code == 0 && answer.opaque == 5, "\(header): \(answer.headerText)")
    }

    @Test func item001_frameLayout() throws {
        let connection = try fresh()
        try connection.send(RawRequest(105, ["topic": "T1"]).frame(opaque: 7))
        let answer = try connection.receiveFrame()
        #expect(answer.length == answer.bytes.count - 4)
        #expect(answer.serializeType == 0)
        #expect(answer.headerSize == answer.length - 4)
        #expect(answer.opaque == 7)
        #expect(answer.flag == 1)
        // The worked frame of 1.15, byte for byte.
        #expect(answer.bytes.starts(with: bytes(hex: "000000f2 000000ee")))
        #expect(
            answer.headerText
                == #"{"code":17,"flag":1,"language":"JAVA","opaque":7,"remark":"No topic route info in name server for "#
                + #"the topic: T1\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.","#
                + #""serializeTypeCurrentRPC":"JSON","version":479}"#)
    }

    @Test func item002_oneByteAtATime() throws {
        let connection = try fresh()
        try connection.register()
        let request = RawRequest(105, ["topic": "A"]).frame(opaque: 9)
        try connection.send(request)
        let whole = try connection.receiveFrame()
        #expect(whole.code == 0)
        for byte in request { try connection.send([byte]) }
        #expect(try connection.receiveFrame() == whole)
        // Also as the first thing on a connection, where detectors look at the first bytes.
        let second = try another(connection)
        for byte in request { try second.send([byte]) }
        #expect(try second.receiveFrame() == whole)
    }

    @Test func item003_twoRequestsInOneSegment() throws {
        let connection = try fresh()
        try connection.send(listTopics.frame(opaque: 11) + RawRequest(106).frame(opaque: -12))
        let answers = [try connection.receiveFrame(), try connection.receiveFrame()]
        let byOpaque = Dictionary(uniqueKeysWithValues: answers.map { ($0.opaque, $0.bodyText) })
        #expect(byOpaque == [11: #"{"topicList":[]}"#, -12: emptyClusterInfo])
    }

    @Test func item004_lengthMinusOneCloses() throws {
        try expectClosed(bytes(hex: "ffffffff 00000000 00000000 00000000"))
        let connection = try fresh()
        #expect(try connection.call(listTopics).code == 0)
        try connection.send(bytes(hex: "ffffffff"))
        try connection.expectClose()
    }

    @Test(arguments: ["00000000", "00000001 00", "00000002 0000", "00000003 000000"])
    func item005_lengthBelowFourCloses(hex: String) throws {
        let connection = try fresh()
        #expect(try connection.call(listTopics).code == 0)
        try connection.send(bytes(hex: hex))
        try connection.expectClose()
    }

    @Test func item006_frameLimit() throws {
        let over = try fresh()
        #expect(try over.call(listTopics).code == 0)
        try over.send(bigEndian(Int32(16_777_213)))
        try over.expectClose()
        let largest = try another(over)
        #expect(try largest.call(listTopics).code == 0)
        try largest.send(bigEndian(Int32(16_777_212)))
        try largest.expectSilence(for: .milliseconds(300))
    }

    @Test func item007_headerBeyondFrameCloses() throws {
        try expectClosed(bigEndian(Int32(20)) + bigEndian(Int32(17)) + [UInt8](repeating: 0x20, count: 16))
        // 1.14 has a header of no bytes in the same list, with either type.
        try expectClosed(rawFrame(header: "", body: Array("0123456789".utf8)))
        try expectClosed(rawFrame(serializeType: 1, header: [], body: Array("0123456789".utf8)))
    }

    @Test func item008_serializeTypeTwoCloses() throws {
        try expectClosed(rawFrame(serializeType: 2, header: Array(#"{"code":206,"opaque":5}"#.utf8)))
    }

    @Test(arguments: ["hello", "null", "[]", "123", #"{"code":206,"opaque":5}xx"#])
    func item009_headerThatIsNoObjectCloses(header: String) throws {
        // Followed by more bytes, since the reference waits for 12 on a fresh connection (1.14).
        try expectClosed(rawFrame(header: header, body: Array("12345678".utf8)))
    }

    @Test func item010_whiteSpaceInTheHeader() throws {
        try expectServed(header: "{ \"code\" : 206 ,\t\"opaque\" : 5 ,\r\n \"extFields\" : { } }\n")
    }

    @Test func item011_shortHeader() throws {
        try expectServed(header: #"{"code":206,"opaque":5}"#)
    }

    @Test func item012_numbersAsStrings() throws {
        try expectServed(header: #"{"code":"206","opaque":"5","version":"1","flag":"0"}"#)
    }

    @Test func item013_unknownMembers() throws {
        try expectServed(
            header: #"{"a":1,"b":"x","c":null,"d":[1,{"e":2}],"code":206,"f":{"g":[]},"h":true,"i":-1.5e3,"opaque":5}"#)
    }

    @Test(arguments: [#""KLINGON""#, "9"])
    func item014_unknownLanguage(language: String) throws {
        try expectServed(header: #"{"code":206,"language":\#(language),"opaque":5}"#)
    }

    /// A binary header of 1.4 for code 206 with opaque 5, up to and with the flag.
    private func binaryHead(language: UInt8 = 0) -> [UInt8] {
        bigEndian(Int16(206)) + [language] + bigEndian(Int16(479)) + bigEndian(Int32(5)) + bigEndian(Int32(0))
    }

    @Test func item015_binaryHeaderWithUnknownLanguage() throws {
        let connection = try fresh()
        let header = binaryHead(language: 99) + bigEndian(Int32(0)) + bigEndian(Int32(0))
        try connection.send(rawFrame(serializeType: 1, header: header))
        let answer = try connection.receiveFrame()
        #expect(answer.code == 0 && answer.opaque == 5)
    }

    @Test func item016_brokenBinaryHeadersClose() throws {
        let zero = bigEndian(Int32(0))
        try expectClosed(rawFrame(serializeType: 1, header: binaryHead() + bigEndian(Int32(-5)) + zero), "remark -5")
        try expectClosed(
            rawFrame(serializeType: 1, header: binaryHead() + bigEndian(Int32(121)) + zero), "remark beyond the header")
        try expectClosed(
            rawFrame(serializeType: 1, header: binaryHead() + zero + bigEndian(Int32(521))), "fields beyond the header")
        try expectClosed(rawFrame(serializeType: 1, header: binaryHead()), "cut after the flag")
    }

    @Test func item017_negativeExtFieldsLength() throws {
        let connection = try fresh()
        let header = binaryHead() + bigEndian(Int32(0)) + bigEndian(Int32(-1))
        try connection.send(rawFrame(serializeType: 1, header: header))
        let answer = try connection.receiveFrame()
        #expect(answer.code == 0 && answer.opaque == 5)
    }

    @Test func item018_emptyBinaryValueIsAbsent() throws {
        let connection = try fresh()
        try connection.send(RawRequest(105, ["topic": ""]).binaryFrame(opaque: 3))
        let answer = try connection.receiveFrame()
        #expect(answer.code == 17)
        #expect(answer.remark == noRoute("null"))
    }

    @Test func item019_binaryRequestGetsJSON() throws {
        let connection = try fresh()
        try connection.register()
        try connection.send(RawRequest(105, ["topic": "A", "acceptStandardJsonOnly": "true"]).binaryFrame(opaque: 7))
        let answer = try connection.receiveFrame()
        #expect(answer.serializeType == 0)
        #expect(answer.code == 0 && answer.opaque == 7)
        #expect(answer.body == (try connection.route("A").body))
    }

    @Test func item020_strayResponseIsDropped() throws {
        let connection = try fresh()
        var stray = RawRequest(0)
        stray.flag = 1
        try connection.send(stray.frame(opaque: 4711))
        // The next thing to arrive is the answer to the next request.
        #expect(try connection.call(listTopics).code == 0)
    }

    @Test(arguments: [106, 9999] as [Int32])
    func item021_onewayIsNeverAnswered(code: Int32) throws {
        let connection = try fresh()
        var oneway = RawRequest(code)
        oneway.flag = 2
        try connection.send(oneway.frame(opaque: 4711))
        #expect(try connection.call(listTopics).code == 0)
    }

    @Test func item022_unknownCode() throws {
        let answer = try fresh().call(9999)
        #expect(answer.code == 3)
        #expect(answer.remark == " request type 9999 not supported")
        #expect(answer.fields == nil)
        #expect(answer.body.isEmpty)
    }

    /// Our node answers as 5.3.3 does: language JAVA, version 479.
    @Test func item023_successHeaderBytes() throws {
        let connection = try fresh()
        try connection.send(RawRequest(216, ["topic": "none"]).frame(opaque: 7))
        let answer = try connection.receiveFrame()
        #expect(
            answer.headerText
                == #"{"code":0,"flag":1,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479}"#)
        #expect(answer.body.isEmpty)
    }

    @Test func item024_proxyProtocolHeader() throws {
        let request = listTopics.frame(opaque: 5)
        let version1 = Array("PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n".utf8)
        // Signature, version 2 PROXY, TCP over IPv4, 12 bytes of addresses and ports, then 5 of an ignored TLV.
        let version2 = bytes(hex: "0d0a0d0a000d0a515549540a 21 11 0011 01020304 05060708 0457 08ae ee 0002 abcd")
        for header in [version1, version2] {
            let connection = try fresh()
            try connection.send(header + request)
            #expect(try connection.receiveFrame().opaque == 5)
            #expect(try connection.call(listTopics).code == 0)
            let dribbled = try another(connection)
            for byte in header + request { try dribbled.send([byte]) }
            #expect(try dribbled.receiveFrame().opaque == 5)
        }
    }

    @Test func item025_brokenProxyHeaderCloses() throws {
        try expectClosed(Array("PROXY garbage\r\n".utf8) + listTopics.frame(opaque: 5))
    }

    @Test(.ownThread) func item028_idleConnectionWithADribble() throws {
        let connection = try fresh(["serverChannelMaxIdleTimeSeconds": "2"])
        #expect(try connection.call(listTopics).code == 0)
        let lastRequest = ContinuousClock.now
        try connection.send(bigEndian(Int32(1000)))
        while !connection.closes(within: .milliseconds(100)) {
            try #require(ContinuousClock.now - lastRequest < .seconds(8), "bytes of an unfinished frame kept it open")
            // The close may win the race with this byte; the next round sees it.
            try? connection.send([0])
        }
        let idle = ContinuousClock.now - lastRequest
        #expect(idle >= .milliseconds(1900) && idle < .seconds(4), "closed after \(idle)")
    }
}
