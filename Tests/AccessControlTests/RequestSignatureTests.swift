// Signatures computed elsewhere: with Python's hmac, from the description in RequestSignature.swift. What Apache's own C++
// client sends is checked end to end (EndToEndTests/AccessTests).

import Basics
import Remoting
import TestSupport
import Testing

@testable import AccessControl

@Suite struct RequestSignatureTests {
    /// A request as one of RocketMQ's clients signs it.
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var request: RawRequest
        var secret = "12345678"
        var testDescription: String { name }
    }

    static let vectors = [
        Vector(
            name: "Java, 105",
            request: RawRequest(
                105, ["topic": "TopicTest", "AccessKey": "RocketMQ", "Signature": "0jiwhsaYp5ObE5GObbZH1I8/FT4="])),
        Vector(
            name: "C++, 105, with its OnsChannel",
            request: RawRequest(
                105,
                [
                    "topic": "TopicTest", "Signature": "ezvpo5BZ7LHQAkw6LEltsbl8YOs=", "OnsChannel": "ALIYUN",
                    "AccessKey": "RocketMQ",
                ])),
        Vector(
            name: "Go, 100, with a SecurityToken and other letters",
            request: RawRequest(
                100,
                [
                    "namespace": "N", "key": "K", "value": "v集", "SecurityToken": "token", "AccessKey": "RocketMQ",
                    "Signature": "IsIlvy8t0EC4SQoKWHXlHrp/zRM=",
                ])),
        Vector(
            name: "318, with a body and another secret",
            request: RawRequest(
                318, ["AccessKey": "ops", "Signature": "TM44noaDkHibZHz0Ruz29ice1+U="], body: "listenPort=1\n"),
            secret: "密码"),
        Vector(
            name: "a zone that was signed",
            request: RawRequest(
                105,
                [
                    "topic": "T", "__ZONE_NAME": "z1", "__ZONE_MODE": "true", "AccessKey": "RocketMQ",
                    "Signature": "BkxuHMW3Nxiy466eKpILlog21uw=",
                ])),
        Vector(
            name: "a zone that came after signing, as 5.3's Java client does it",
            request: RawRequest(
                105,
                [
                    "topic": "TopicTest", "AccessKey": "RocketMQ", "Signature": "0jiwhsaYp5ObE5GObbZH1I8/FT4=",
                    "__ZONE_NAME": "z1", "__ZONE_MODE": "true",
                ])),
    ]

    private func verifies(_ request: RawRequest, _ secret: String, binary: Bool) throws -> Bool {
        try judged(request, binary: binary) { RequestSignature.verifies($0, body: $1, with: SecretKey(secret)) }
    }

    @Test(arguments: vectors, [false, true])
    func isVerified(vector: Vector, binary: Bool) throws {
        #expect(try verifies(vector.request, vector.secret, binary: binary))
        #expect(try !verifies(vector.request, vector.secret + " ", binary: binary))
    }

    /// Every byte counts: of a value, of the body, of the signature.
    @Test(arguments: vectors, [false, true])
    func isNotVerifiedWhenChanged(vector: Vector, binary: Bool) throws {
        for index in try #require(vector.request.fields).indices {
            var changed = vector.request
            guard changed.fields![index].name.hasPrefix("__ZONE") == false else { continue }
            changed.fields![index].value = "x" + changed.fields![index].value.dropFirst()
            #expect(try !verifies(changed, vector.secret, binary: binary), "\(changed.fields![index].name)")
        }
        var changed = vector.request
        changed.body += [0]
        #expect(try !verifies(changed, vector.secret, binary: binary))
        changed = vector.request
        changed.fields!.append((name: "more", value: "field"))
        #expect(try !verifies(changed, vector.secret, binary: binary))
    }

    /// What is no base64 of 20 bytes.
    @Test(arguments: [
        "", "=", "0jiwhsaYp5ObE5GObbZH1I8/FT4", "0jiwhsaYp5ObE5GObbZH1I8/FT4=\n", " 0jiwhsaYp5ObE5GObbZH1I8/FT4=",
        "d238b086c698a7939b13918e6db647d48f3f153e", "!!!!!!!!!!!!!!!!!!!!!!!!!!!=",
        String(repeating: "A", count: 100_000),
        "0jiwhsaYp5ObE5GObbZH1I8_FT4=",
    ])
    func badSignatures(text: String) throws {
        let request = RawRequest(105, ["topic": "TopicTest", "AccessKey": "RocketMQ", "Signature": text])
        #expect(try !verifies(request, "12345678", binary: false))
    }

    /// Of a repeated field the last one counts, also when it is null; as in RocketMQ's maps.
    @Test func repeatedFields() throws {
        let signature = "0jiwhsaYp5ObE5GObbZH1I8/FT4="
        let request = RawRequest(
            105,
            [
                "topic": "other", "Signature": "no", "AccessKey": "RocketMQ", "topic": "TopicTest",
                "Signature": signature,
            ])
        #expect(try verifies(request, "12345678", binary: false))
    }

    @Test func ourOwnRequestsAreSignedAlike() throws {
        var command = RemotingCommand(request: 105, fields: ["topic": "TopicTest"])
        RequestSignature.sign(&command, accessKey: "RocketMQ", secretKey: SecretKey("12345678"))
        #expect(command["AccessKey"] == "RocketMQ")
        #expect(command["Signature"] == "0jiwhsaYp5ObE5GObbZH1I8/FT4=")
        // Again, with another key: the old signature is no part of it.
        RequestSignature.sign(&command, accessKey: "ops", secretKey: SecretKey("12345678"))
        var fresh = RemotingCommand(request: 105, fields: ["topic": "TopicTest"])
        RequestSignature.sign(&fresh, accessKey: "ops", secretKey: SecretKey("12345678"))
        #expect(command["Signature"] == fresh["Signature"])
        var update = RemotingCommand(request: 318, body: Array("listenPort=1\n".utf8))
        RequestSignature.sign(&update, accessKey: "ops", secretKey: SecretKey("密码"))
        #expect(update["Signature"] == "TM44noaDkHibZHz0Ruz29ice1+U=")
    }

    @Test func secretsAreNotShown() {
        let account = Account(accessKey: "ops", secretKey: SecretKey("hidden-one"), classes: .all)
        var dumped = ""
        dump(account, to: &dumped)
        #expect(!"\(account) \(String(reflecting: account)) \(dumped)".contains("hidden-one"))
    }
}
