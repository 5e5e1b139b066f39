import Basics
import EventLoop
import Platform
import TestSupport
import Testing

@testable import SecureTransport

private func bytes(_ digits: String) -> [UInt8] {
    let values = digits.utf8.map { hexadecimalDigit($0)! }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}

@Suite struct KeyTests {
    /// RFC 5869, test cases 1 to 3.
    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 22), bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9"),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            ),
            (
                [UInt8](0x00...0x4f), [UInt8](0x60...0xaf), [UInt8](0xb0...0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                    + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
            (
                [UInt8](repeating: 0x0b, count: 22), [], [],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
            ),
        ] as [([UInt8], [UInt8], [UInt8], String)])
    func derivesAsTheStandardSays(material: [UInt8], salt: [UInt8], info: [UInt8], expected: String) {
        let derived = hkdf(expected.utf8.count / 2, material: material, salt: salt, info: info)
        #expect(hexadecimal(derived) == expected)
    }

    /// Golden values, computed with Python's hmac: a change would keep new nodes from talking to old ones.
    @Test func derivedValuesStayTheSame() throws {
        let material = [UInt8](0..<32)
        #expect(hexadecimal(deriveHashKey(from: material, label: "hearsay")) == "a15f83fd22bf6510388bef84cd304492")
        #expect(fingerprint(of: [UInt8](0..<16)) == 0xd5aa620fa763e5a9)
        let key = try PreSharedKey(material: material)
        #expect(key.id == "5d743076380e7fc7")
        #expect(hexadecimal(key.secret) == "a574650f40a3cdcaacd01542c26feac3db5a47ac53e65f1524ea69246f1f68cd")
        #expect(key.deriveHashKey(label: "hearsay") == deriveHashKey(from: material, label: "hearsay"))
        #expect(deriveHashKey(from: material, label: "other") != deriveHashKey(from: material, label: "hearsay"))
        #expect(KeyedHash(key: deriveHashKey(from: [], label: "")) != nil)
    }

    /// What a key file may look like.
    @Test(
        arguments: [
            "00112233445566778899aabbccddeeff",
            "00112233445566778899AABBCCDDEEFF\n",
            " \t00112233445566778899aabbccddeeff \r\n\n",
        ])
    func readsKeyFiles(content: String) throws {
        let read = try PreSharedKey(file: CredentialFile(name: "a.key", bytes: [UInt8](content.utf8)))
        let expected = try PreSharedKey(material: bytes("00112233445566778899aabbccddeeff"))
        #expect(read == expected)
    }

    /// What is no key file, and the words for it; none of them shows a digit of it.
    @Test(
        arguments: [
            ("", "the file is empty"),
            (" \n", "the file is empty"),
            ("7777777777777777777777777777777", "the number of digits is odd (31)"),
            ("777777777777777777777777777777", "there are 30 digits"),
            (String(repeating: "7", count: 2050), "there are 2050 digits"),
            ("7777777777777777\n7777777777777777", "there is more than one line"),
            ("7777777777777777 7777777777777777", "there is something else than digits"),
            ("0x777777777777777777777777777777777", "there is something else than digits"),
        ])
    func refusesOtherFiles(content: String, reason: String) {
        #expect {
            try PreSharedKey(file: CredentialFile(name: "a.key", bytes: [UInt8](content.utf8)))
        } throws: { error in
            let text = "\(error)"
            #expect(!text.contains("77"))
            return text.hasPrefix("a.key: \(reason); expected one line of at least 32 hexadecimal digits")
        }
    }

    @Test func refusesShortKeys() {
        #expect(throws: SecureTransportError.self) { try PreSharedKey(material: [UInt8](repeating: 1, count: 15)) }
        #expect(throws: SecureTransportError.self) { try Keyring(files: []) }
    }

    /// No way of printing shows key bytes.
    @Test func hidesKeys() throws {
        let digits = "abcdefabcdefabcdefabcdefabcdefab"
        let file = CredentialFile(name: "a.key", bytes: [UInt8](digits.utf8))
        let key = try PreSharedKey(file: file)
        var text = "\(key) \(file) \(String(reflecting: key)) \(String(reflecting: file))"
        dump((key, file, Keyring(primary: key)), to: &text)
        #expect(text.contains(key.id))
        // In no base: the first bytes of the material, and of the file.
        for secret in ["abcdef", "171", "205", "97, 98"] { #expect(!text.contains(secret), "\(text)") }
    }

    @Test func readsFilesThroughThePlatform() throws {
        try withLoop { loop in
            let missing = #expect(throws: SecureTransportError.self) {
                try CredentialFile(reading: "no/such/file.pem", from: loop.files)
            }
            #expect(missing?.description == "no/such/file.pem: there is no such file")
            let directory = #expect(throws: SecureTransportError.self) {
                try CredentialFile(reading: "/", from: loop.files)
            }
            #expect(directory?.description.contains("EISDIR") == true, "\(String(describing: directory))")
            loop.stop()
        }
    }
}

@Suite struct CertificateTests {
    /// What is wrong with the three files, and which one is named.
    @Test func namesTheFileThatIsWrong() throws {
        let authority = TestAuthority("authority")
        let good = authority.issue("ns-1")
        func expect(_ text: String, _ change: (inout Certificates) -> Void) {
            var changed = good
            change(&changed)
            let error = #expect(throws: SecureTransportError.self) {
                try TLSContext(side: .server, credentials: .certificates(changed))
            }
            #expect(error?.description == text)
        }
        expect("ns-1.pem: there is no certificate in it (PEM expected)") { $0.certificate.bytes = [1, 2, 3] }
        expect("ns-1.pem: there is no certificate in it (PEM expected)") { $0.certificate.bytes = [] }
        expect("ns-1.pem: a certificate in it cannot be read (PEM expected)") { $0.certificate.bytes.removeLast(60) }
        expect("ns-1.key: there is no private key in it that can be read (PEM without a password expected)") {
            $0.privateKey.bytes = good.certificate.bytes
        }
        expect("ns-1.key: it is not the key of the certificate in ns-1.pem") {
            $0.privateKey.bytes = authority.issue("ns-2").privateKey.bytes
        }
        expect("authority.pem: there is no certificate in it (PEM expected)") { $0.authority.bytes = [] }
        // A chain in the file is fine.
        var chain = good
        chain.certificate.bytes += authority.file.bytes
        _ = try TLSContext(side: .server, credentials: .certificates(chain))
    }
}
