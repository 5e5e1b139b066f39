import Basics
import Remoting
import Testing

/// Message bytes of protocol.md 7.11, checked against pull answers captured from real brokers.
@Suite struct StoredMessageTests {
    /// One message of a 5.3.3 and one of a 4.9.8 broker's pull answer, as they were captured.
    static let captured = [
        """
        000000ecdaa320a77b6f9d590000000100000000000000000000000000000000000001d800000000000001a202be90987f0000010000ee24\
        000001a202be909b7f0000020000885f000000000000000000000000000000056d73672d3205536d6f6b6500874d53475f524547494f4e01\
        44656661756c74526567696f6e02554e49515f4b455901433030303032303234314533354646443242323736453536413839383030303202\
        434c55535445520144656661756c74436c757374657202544147530154616741024b455953016b65792d3202574149540174727565025452\
        4143455f4f4e017472756502
        """,
        """
        000000badaa320a71561fc7500000000000000000000000000000000000000000000000000000000000001a202c116597f00000100008e78\
        000001a202c1166c7f0000020000614f000000000000000000000000000000056d73672d3005536d6f6b6500554b455953016b65792d3002\
        554e49515f4b4559014330303030323032344239323546464432423237364535393245353930303030\
        02434c55535445520144656661756c74436c757374657202544147530154616741
        """,
    ].map(bytes(hex:))

    @Test func readsAndWritesCapturedMessagesByteForByte() throws {
        for bytes in StoredMessageTests.captured {
            let messages = try decodeAll(bytes)
            #expect(messages.count == 1)
            #expect(encoded(messages) == bytes)
        }
        let message = try decodeAll(StoredMessageTests.captured[0])[0]
        #expect(message.topic == "Smoke")
        #expect(message.body == Array("msg-2".utf8))
        #expect((message.queueID, message.queueOffset, message.commitLogOffset) == (1, 0, 472))
        #expect(message.bornHost.description == "127.0.0.1:60964")
        #expect(message.storeHost.description == "127.0.0.2:34911")
        #expect(message.messageID == "7F0000020000885F00000000000001D8")
        let properties = MessageProperties(message.properties)
        #expect(properties["UNIQ_KEY"] == "C000020241E35FFD2B276E56A8980002")
        #expect(properties.text == message.properties)
        // 4.9.8 leaves the last separator away.
        let older = try decodeAll(StoredMessageTests.captured[1])[0]
        #expect(MessageProperties(older.properties)["TAGS"] == "TagA")
    }

    @Test func readsSeveralBackToBack() throws {
        #expect(
            try decodeAll(StoredMessageTests.captured[0] + StoredMessageTests.captured[1]).map(\.body.count) == [5, 5])
        #expect(try decodeAll([]).isEmpty)
    }

    /// Hosts of both families, empty and long parts, the topic lengths around v5's second magic.
    @Test(arguments: [
        (topic: "T", host: "10.1.2.3", body: 0), (topic: "T", host: "2001:db8::1", body: 1),
        (topic: String(repeating: "t", count: 127), host: "::1", body: 5_000),
        (topic: String(repeating: "t", count: 128), host: "10.1.2.3", body: 7),
        (topic: String(repeating: "t", count: 255), host: "10.1.2.3", body: 7), (topic: "主题", host: "::1", body: 7),
    ])
    func roundTrips(_ row: (topic: String, host: String, body: Int)) throws {
        var message = StoredMessage(
            topic: row.topic, queueID: 3, queueOffset: 1 << 40, body: [UInt8](repeating: 0xA5, count: row.body))
        message.commitLogOffset = 1 << 41
        message.flag = -7
        message.bornTimestamp = WallTime(milliseconds: 1_700_000_000_000)
        message.bornHost = Address(host: row.host, port: 65_535)
        message.storeTimestamp = WallTime(milliseconds: 1_700_000_000_001)
        message.storeHost = Address(host: "127.0.0.1", port: 10_911)
        message.reconsumeTimes = 2
        message.preparedTransactionOffset = 99
        message.properties = "A\u{1}b\u{2}"
        if row.host.contains(":") { message.sysFlag = StoredMessage.SysFlag.bornHostIPv6 }
        #expect(try decodeAll(encoded([message])) == [message])
        #expect(message.messageID.hasPrefix("7F00000100002A9F"))
    }

    @Test func refusesWhatIsNoMessage() {
        let good = StoredMessageTests.captured[0]
        for length in 1..<good.count { #expect(error(Array(good[..<length])) == .truncated) }
        // A byte each of: size, magic, body, total size too large for the fields.
        var wrong = good
        wrong[3] = 3
        #expect(error(wrong) == .truncated)
        wrong = good
        wrong[7] = 0
        #expect(error(wrong) == .unknownMagic(0xDAA3_2000))
        wrong = good
        wrong[88] ^= 1
        #expect(error(wrong) == .wrongChecksum)
        wrong = good + [0]
        wrong[3] += 1
        #expect(error(wrong) == .trailingBytes(1))
        wrong = good
        wrong[84] = 0x80
        #expect(error(wrong) == .truncated)
    }

    /// Rows: sysFlag, what comes out.
    @Test(
        arguments: [
            (0, nil), (1, "plain"), (1 | 3 << 8, "plain"), (1 | 1 << 8, "unknownCompression(1)"),
            (1 | 2 << 8, "unknownCompression(2)"), (3 << 8, nil),
        ] as [(Int32, String?)])
    func inflatesBodies(_ sysFlag: Int32, _ expected: String?) throws {
        let plain = [UInt8](repeating: 7, count: 100_000)
        var message = StoredMessage(topic: "T", queueID: 0, queueOffset: 0, body: plain.withUnsafeBytes(Zlib.deflate))
        message.sysFlag = sysFlag
        message = try decodeAll(encoded([message]))[0]
        do throws(StoredMessageError) {
            #expect(try message.plainBody() == (expected == nil ? message.body : plain))
        } catch {
            #expect("\(error)" == expected)
        }
        message.sysFlag = 1
        #expect(throws: StoredMessageError.malformedCompression) { try message.plainBody(limit: 99_999) }
        message.body[10] ^= 0xFF
        #expect(throws: StoredMessageError.malformedCompression) { try message.plainBody() }
    }

    /// Rows: text, entries. Pieces without a separator are passed over.
    @Test(arguments: [
        ("", []), ("a\u{1}b\u{2}", ["a=b"]), ("a\u{1}b", ["a=b"]), ("a\u{1}\u{2}", ["a="]),
        ("a\u{1}b\u{2}junk\u{2}c\u{1}d\u{2}", ["a=b", "c=d"]),
        ("a\u{1}1\u{2}b\u{1}2\u{2}a\u{1}3\u{2}", ["a=3", "b=2"]),
        ("a\u{1}b\u{1}c\u{2}", ["a=b\u{1}c"]), ("k\u{1}集 é\u{2}", ["k=集 é"]),
    ])
    func readsPropertiesText(_ text: String, _ entries: [String]) {
        #expect(MessageProperties(text).entries.map { "\($0.name)=\($0.value)" } == entries)
    }

    @Test func writesPropertiesInOrder() {
        var properties: MessageProperties = ["KEYS": "k", "TAGS": "t"]
        properties["WAIT"] = "true"
        properties["KEYS"] = "k2"
        properties["TAGS"] = nil
        #expect(properties.text == "KEYS\u{1}k2\u{2}WAIT\u{1}true\u{2}")
        #expect(!MessageProperties.isRepresentable("a\u{2}b"))
    }
}

private func decodeAll(_ bytes: [UInt8]) throws(StoredMessageError) -> [StoredMessage] {
    try bytes.withUnsafeBufferPointer { bytes throws(StoredMessageError) in
        try StoredMessage.decodeAll(UnsafeRawBufferPointer(bytes))
    }
}

private func error(_ bytes: [UInt8]) -> StoredMessageError? {
    do throws(StoredMessageError) {
        _ = try decodeAll(bytes)
        return nil
    } catch {
        return error
    }
}

private func encoded(_ messages: [StoredMessage]) -> [UInt8] {
    var output = ByteWriter()
    for message in messages { message.encode(into: &output) }
    return output.array()
}

private func bytes(hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).map {
        UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)!
    }
}
