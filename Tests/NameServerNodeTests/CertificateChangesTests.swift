import Testing

@testable import NameServerNode

@Suite struct CertificateChangesTests {
    private typealias Contents = CertificateChanges.Contents
    private static func files(_ certificate: UInt8, _ key: UInt8, _ authority: UInt8) -> Contents {
        Contents(certificate: [certificate], privateKey: [key], authority: [authority])
    }

    /// In use is 1, 1, 1.
    @Test(arguments: [
        (files(1, 1, 1), nil),
        // Half of an update.
        (files(2, 1, 1), nil), (files(1, 2, 1), nil),
        (files(2, 2, 1), files(2, 2, 1)),
        // Authorities at once, though the rest is half done.
        (files(1, 1, 2), files(1, 1, 2)), (files(2, 1, 2), files(1, 1, 2)), (files(2, 2, 2), files(2, 2, 2)),
    ])
    func whatIsLoaded(found: CertificateChanges.Contents, wanted: CertificateChanges.Contents?) {
        #expect(CertificateChanges(used: Self.files(1, 1, 1)).wanted(found) == wanted)
    }

    @Test func whatCannotBeLoadedIsTriedOnce() {
        var changes = CertificateChanges(used: Self.files(1, 1, 1))
        changes.failed(Self.files(2, 2, 1))
        #expect(changes.wanted(Self.files(2, 2, 1)) == nil)
        #expect(changes.wanted(Self.files(2, 3, 1)) == Self.files(2, 3, 1))
        changes.loaded(Self.files(2, 3, 1))
        #expect(changes.used == Self.files(2, 3, 1))
        // Back to what was refused before: worth another try now.
        #expect(changes.wanted(Self.files(3, 2, 1)) == Self.files(3, 2, 1))
    }
}
