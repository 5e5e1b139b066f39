import Basics
import Testing

@testable import NameServerCore

/// Registration images as bytes: goldens, every fault, and random runs there and back.
@Suite struct ImageCodingTests {
    private static let key = KeyedHash(low: 0x0706_0504_0302_0100, high: 0x0F0E_0D0C_0B0A_0908)
    private static let a = ImageTopic(readQueues: 8, writeQueues: 4, permission: 6)
    private static let odd = ImageTopic(
        readQueues: -1, writeQueues: .max, permission: .min, systemFlag: 2, isOrdered: true)

    @Test("One run of three replicas: names once, in order of first use") func golden() throws {
        let images = RegistrationImages([
            [("B", Self.a), ("A", Self.a)], [], [("A", Self.odd), ("Ü", Self.a)],
        ])
        var output = ByteWriter()
        images.encode(into: &output)
        #expect(
            output.array() == [
                3, 1, 0x42, 1, 0x41, 2, 0xC3, 0x9C,  // B, A, Ü
                2, 0, 16, 8, 12, 0, 0, 1, 16, 8, 12, 0, 0,
                0,
                2, 1, 1, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 4, 1, 2, 16, 8, 12, 0, 0,
            ])
        #expect(try RegistrationImages.decode(output.array(), replicas: 3) == images)
        #expect(Self.odd.encodedBytes == 13)
        let alone = images.encoded(replica: 2)
        #expect(alone.prefix(6) == [2, 1, 0x41, 2, 0xC3, 0x9C])
        #expect(try RegistrationImages.decode(alone, replicas: 1).topicCount(of: 0) == 2)
    }

    struct Fault: Sendable {
        var what: String
        var bytes: [UInt8]
        var replicas = 1
        var code: ImageFormatError.Code
    }

    private static let topic: [UInt8] = [16, 8, 12, 0, 0]
    private static let one: [UInt8] = [1, 1, 0x41, 1, 0] + topic

    static let faults: [Fault] = [
        .init(what: "a name is empty", bytes: [1, 0, 1, 0] + topic, code: .limit),
        .init(what: "a name is too long", bytes: [1, 0x81, 0x08] + Array(repeating: 0x41, count: 1_025), code: .limit),
        .init(what: "a name comes twice", bytes: [2, 1, 0x41, 1, 0x41, 2, 0] + topic + [1] + topic, code: .name),
        .init(what: "a name is no UTF-8", bytes: [1, 1, 0xFF, 1, 0] + topic, code: .name),
        .init(what: "a name is not used", bytes: [2, 1, 0x41, 1, 0x42, 1, 0] + topic, code: .name),
        .init(what: "names are out of order", bytes: [2, 1, 0x41, 1, 0x42, 2, 1] + topic + [0] + topic, code: .name),
        .init(what: "a name is none of these", bytes: [1, 1, 0x41, 2, 0] + topic + [1] + topic, code: .name),
        .init(what: "a topic comes twice", bytes: [1, 1, 0x41, 2, 0] + topic + [0] + topic, code: .name),
        .init(what: "more names than bytes", bytes: [0xFF, 0xFF, 0x3F, 1, 0x41], code: .length),
        .init(what: "too many names", bytes: [0x81, 0x80, 0x40, 1, 0x41], code: .limit),
        .init(what: "too many topics", bytes: [1, 1, 0x41, 0x81, 0x80, 0x10, 0] + topic, code: .limit),
        .init(what: "more topics than bytes", bytes: [1, 1, 0x41, 2, 0] + topic, code: .length),
        .init(what: "order is 2", bytes: one.dropLast() + [2], code: .number),
        .init(what: "a number is padded", bytes: [1, 1, 0x41, 1, 0, 0x90, 0x00, 8, 12, 0, 0], code: .number),
        .init(
            what: "a number has 33 bits", bytes: [1, 1, 0x41, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 8, 12, 0, 0],
            code: .number),
        .init(what: "bytes behind the end", bytes: one + [0], code: .length),
        .init(what: "another replica is missing", bytes: one, replicas: 2, code: .length),
    ]

    @Test("What is no run is refused", arguments: faults) func refuses(_ fault: Fault) {
        let error = #expect(throws: ImageFormatError.self, "\(fault.what)") {
            _ = try RegistrationImages.decode(fault.bytes, replicas: fault.replicas)
        }
        #expect(error?.code == fault.code, "\(fault.what)")
    }

    @Test("No prefix of a run is one") func refusesPrefixes() throws {
        let images = RegistrationImages([[("A", Self.a), ("BB", Self.odd)], [("BB", Self.a)]])
        var output = ByteWriter()
        images.encode(into: &output)
        let bytes = output.array()
        for length in bytes.indices {
            #expect(throws: ImageFormatError.self) {
                _ = try RegistrationImages.decode(Array(bytes[..<length]), replicas: 2)
            }
        }
    }

    @Test("There and back, and changed bytes never read as the same", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrips(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let replicas = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            (0..<40).filter { _ in Bool.random(using: &random) }.map { index in
                (name: "topic-\(index)", topic: ImageTopic.random(&random))
            }
        }
        let images = RegistrationImages(replicas)
        var output = ByteWriter()
        images.encode(into: &output)
        let bytes = output.array()
        #expect(try RegistrationImages.decode(bytes, replicas: replicas.count) == images)
        for _ in 0..<500 where !bytes.isEmpty {
            var changed = bytes
            changed[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            if let decoded = try? RegistrationImages.decode(changed, replicas: replicas.count) {
                #expect(decoded != images)
                var again = ByteWriter()
                decoded.encode(into: &again)
                #expect(again.array() == changed, "there is one form only")
            }
        }
    }

    // MARK: Hash

    @Test("The hash is that of the bytes the contract names") func hashes() {
        let name: [UInt8] = Array("TopicTest".utf8)
        let expected = Self.key.hash(name + [0, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, 6, 0, 0, 0, 0, 0])
        #expect(name.withUnsafeBytes { Self.a.hash(name: $0, under: Self.key) } == expected)
        let fields = RegistrationFields(haAddress: "h:1", zone: nil, actingMaster: false, timeoutMillis: 120_000)
        let bytes: [UInt8] = [0, 0, 0, 3, 0x68, 0x3A, 0x31, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 1, 0xD4, 0xC0]
        #expect(fields.hash(under: Self.key) == Self.key.hash(bytes))
        let images = RegistrationImages([[("TopicTest", Self.a)]])
        #expect(
            images.registrationHash(of: 0, fields, under: Self.key) == expected ^ fields.hash(under: Self.key))
    }

    @Test("Every value counts, the order of the topics does not") func hashesEverything() {
        let fields = RegistrationFields(haAddress: nil, zone: "", actingMaster: nil, timeoutMillis: 1)
        func hash(_ topics: [(name: String, topic: ImageTopic)], _ fields: RegistrationFields) -> UInt64 {
            RegistrationImages([topics]).registrationHash(of: 0, fields, under: Self.key)
        }
        var variants = [hash([("A", Self.a), ("B", Self.odd)], fields)]
        #expect(variants[0] == hash([("B", Self.odd), ("A", Self.a)], fields))
        for change: (inout ImageTopic) -> Void in [
            { $0.readQueues += 1 }, { $0.writeQueues += 1 }, { $0.permission += 1 }, { $0.systemFlag += 1 },
            { $0.isOrdered = true },
        ] {
            var topic = Self.a
            change(&topic)
            variants.append(hash([("A", topic), ("B", Self.odd)], fields))
        }
        for change: (inout RegistrationFields) -> Void in [
            { $0.haAddress = "" }, { $0.zone = nil }, { $0.actingMaster = false }, { $0.actingMaster = true },
            { $0.timeoutMillis = 2 },
        ] {
            var other = fields
            change(&other)
            variants.append(hash([("A", Self.a), ("B", Self.odd)], other))
        }
        variants.append(hash([("A", Self.a)], fields))
        #expect(Set(variants).count == variants.count)
    }
}

extension ImageTopic {
    /// Any values; small ones more often.
    static func random(_ random: inout SeededGenerator) -> ImageTopic {
        func number() -> Int32 {
            let range: ClosedRange<Int32> = Bool.random(using: &random) ? 0...16 : .min ... .max
            return Int32.random(in: range, using: &random)
        }
        return ImageTopic(
            readQueues: number(), writeQueues: number(), permission: number(), systemFlag: number(),
            isOrdered: Bool.random(using: &random))
    }
}
