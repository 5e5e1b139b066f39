import Basics
import COpenSSL
import EventLoop
import Platform
import TestSupport
import Testing

@testable import SecureTransport

/// What both ends of one connection saw.
struct Meeting {
    var server = End()
    var client = End()

    struct End {
        var opened = 0
        var session: SecureSession?
        var received = ""
        var reason: CloseReason?

        var failure: SecureFailure? {
            if case .secure(let failure) = reason { return failure }
            return nil
        }
    }

    /// One node dials another one; when they understand each other they exchange a greeting and part in order.
    init(_ server: TLSContext, _ client: TLSContext) throws {
        var ends = (End(), End())
        try withLoop { loop in
            var closed = 0
            func watch(_ handler: TestHandler, _ record: @escaping (TestHandler, SecureSession?, CloseReason) -> Void) {
                var session: SecureSession?
                let opened = handler.onOpen
                handler.onOpen = {
                    session = ($0 as? SecureStream)?.session
                    opened?($0)
                }
                handler.onClose = { [unowned handler] _, reason in
                    record(handler, session, reason)
                    closed += 1
                    if closed == 2 { loop.stop() }
                }
            }
            let echo = TestHandler.echo()
            watch(echo) { ends.0 = End($0, $1, $2) }
            let listener = try loop.listenSecure(server) { _ in echo }
            let caller = TestHandler()
            caller.onOpen = { $0.write("hello") }
            caller.onBytes = { stream, bytes, _ in
                if bytes.count == 5 { stream.closeAfterWriting() }
                return Consumption(consumed: bytes.count == 5 ? 5 : 0)
            }
            watch(caller) { ends.1 = End($0, $1, $2) }
            loop.connectSecure(to: listener.address, client, caller)
        }
        (self.server, self.client) = ends
    }

    init(_ server: Credentials, _ client: Credentials) throws {
        try self.init(
            TLSContext(side: .server, credentials: server), TLSContext(side: .client, credentials: client))
    }
}

extension Meeting.End {
    init(_ handler: TestHandler, _ session: SecureSession?, _ reason: CloseReason) {
        self.init(
            opened: handler.opened, session: session, received: String(decoding: handler.received, as: UTF8.self),
            reason: reason)
    }
}

private func expectGreeting(_ meeting: Meeting, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(meeting.server.received == "hello", sourceLocation: sourceLocation)
    #expect(meeting.client.received == "hello", sourceLocation: sourceLocation)
    #expect(meeting.client.reason == .local, sourceLocation: sourceLocation)
    #expect(meeting.server.reason == .endOfStream, sourceLocation: sourceLocation)
    #expect(meeting.server.opened == 1 && meeting.client.opened == 1, sourceLocation: sourceLocation)
}

@Suite struct HandshakeTests {
    // MARK: Pre-shared keys

    @Test func sameKey() throws {
        let meeting = try Meeting(keys(1), keys(1))
        expectGreeting(meeting)
        let expected = SecureSession(
            version: "TLSv1.3", suite: "TLS_AES_128_GCM_SHA256", keyID: try key(1).id, certificateSubject: nil)
        #expect(meeting.server.session == expected)
        #expect(meeting.client.session == expected)
    }

    /// The three steps of a change of keys, each against the step before: the node that dials first.
    @Test(
        arguments: [
            // Added here, not there yet.
            ([1, 2], [1], 1), ([1], [1, 2], 1),
            // In use here, only known there.
            ([2, 1], [1, 2], 2), ([1, 2], [2, 1], 1),
            // Removed here, still known there.
            ([2], [2, 1], 2), ([2, 1], [2], 2),
        ] as [([UInt8], [UInt8], UInt8)])
    func keysAreRotated(dialler: [UInt8], acceptor: [UInt8], used: UInt8) throws {
        func credentials(_ bytes: [UInt8]) throws -> Credentials {
            .preSharedKeys(Keyring(primary: try key(bytes[0]), secondaries: try bytes.dropFirst().map { try key($0) }))
        }
        let meeting = try Meeting(credentials(acceptor), credentials(dialler))
        expectGreeting(meeting)
        #expect(meeting.server.session?.keyID == (try key(used)).id)
    }

    @Test func otherKey() throws {
        let meeting = try Meeting(keys(1, 3), keys(2))
        #expect(meeting.server.opened == 0 && meeting.client.opened == 0)
        #expect(meeting.server.failure == .unknownKey([try key(2).id]))
        #expect(meeting.client.failure == .keyRefused(try key(2).id))
        #expect("\(meeting.client.failure!)".contains("put the same preSharedKeys file on both nodes"))
    }

    /// A handshake that fails leaves nothing behind in either context.
    @Test func contextsOutliveFailures() throws {
        let client = try TLSContext(side: .client, credentials: keys(1))
        let server = try TLSContext(side: .server, credentials: keys(1))
        let stranger = try TLSContext(side: .client, credentials: keys(2))
        let other = try TLSContext(side: .server, credentials: keys(2))
        for _ in 0..<3 {
            #expect(try Meeting(other, client).client.failure == .keyRefused(key(1).id))
            #expect(try Meeting(server, stranger).server.failure == .unknownKey([key(2).id]))
            expectGreeting(try Meeting(server, client))
        }
    }

    // MARK: Certificates

    @Test func sameAuthority() throws {
        let authority = TestAuthority("authority")
        let meeting = try Meeting(
            .certificates(authority.issue("ns-1")), .certificates(authority.issue("ns-2")))
        expectGreeting(meeting)
        #expect(meeting.server.session?.certificateSubject == "CN = ns-2")
        #expect(meeting.client.session?.certificateSubject == "CN = ns-1")
        #expect(meeting.server.session?.version == "TLSv1.3")
    }

    /// Each end trusts its own authority only.
    @Test func otherAuthority() throws {
        let (one, other) = (TestAuthority("one"), TestAuthority("other"))
        let meeting = try Meeting(.certificates(one.issue("ns-1")), .certificates(other.issue("ns-2")))
        #expect(meeting.server.opened == 0 && meeting.client.opened == 0)
        #expect(meeting.client.failure == .peerCertificate("unable to get local issuer certificate"))
        #expect(meeting.server.failure == .certificateRefused("tlsv1 alert unknown ca"))
    }

    /// The dialler's certificate is looked at last: it may have begun to send by then, but nothing is delivered.
    @Test func diallerOfOtherAuthority() throws {
        let (one, other) = (TestAuthority("one"), TestAuthority("other"))
        var intruder = other.issue("ns-2")
        intruder.authority = one.file
        let meeting = try Meeting(.certificates(one.issue("ns-1")), .certificates(intruder))
        #expect(meeting.server.opened == 0 && meeting.server.received == "")
        #expect(meeting.server.failure == .peerCertificate("unable to get local issuer certificate"))
        #expect(meeting.client.failure == .certificateRefused("tlsv1 alert unknown ca"))
    }

    @Test func expiredCertificate() throws {
        let authority = TestAuthority("authority")
        let meeting = try Meeting(
            .certificates(authority.issue("ns-1", days: -1)), .certificates(authority.issue("ns-2")))
        #expect(meeting.client.failure == .peerCertificate("certificate has expired"))
        #expect(meeting.client.opened == 0 && meeting.server.opened == 0)
    }

    /// A dialler that shows nothing.
    @Test func noCertificate() throws {
        let authority = TestAuthority("authority")
        let client = try TLSContext(side: .client, credentials: .certificates(authority.issue("ns-2")))
        let bare = SSL_CTX_new(TLS_client_method())!
        SSL_CTX_set1_cert_store(bare, SSL_CTX_get_cert_store(client.raw))
        let server = try TLSContext(side: .server, credentials: .certificates(authority.issue("ns-1")))
        let meeting = try Meeting(server, TLSContext(client: bare))
        #expect(meeting.server.failure == .noPeerCertificate)
        #expect(meeting.server.opened == 0)
        guard case .certificateRefused = meeting.client.failure else {
            Issue.record("\(String(describing: meeting.client.reason))")
            return
        }
    }

    // MARK: Mixtures

    @Test func keyMeetsCertificate() throws {
        let certificates = Credentials.certificates(TestAuthority("authority").issue("ns"))
        let one = try Meeting(certificates, keys(1))
        #expect(one.client.failure == .certificateInsteadOfKey)
        #expect(one.client.opened == 0 && one.server.opened == 0)
        let other = try Meeting(keys(1), certificates)
        #expect(other.server.failure == .noKeyOffered)
        #expect(other.client.failure == .certificateRefused("handshake failure; perhaps it has pre-shared keys"))
        #expect(other.client.opened == 0 && other.server.opened == 0)
    }

    /// A server that trusts nobody's key must not be trusted either: whatever certificate it shows.
    @Test func keyIsNotReplacedByCertificate() throws {
        let authority = TestAuthority("authority")
        let client = try TLSContext(side: .client, credentials: keys(1))
        // Even a context that would not verify anything ends here.
        SSL_CTX_set_verify(client.raw, SSL_VERIFY_NONE, nil)
        precondition(SSL_CTX_set_ciphersuites(client.raw, "TLS_AES_128_GCM_SHA256") == 1)
        let server = try TLSContext(side: .server, credentials: .certificates(authority.issue("ns-1")))
        SSL_CTX_set_verify(server.raw, SSL_VERIFY_NONE, nil)
        let meeting = try Meeting(server, client)
        #expect(meeting.client.failure == .certificateInsteadOfKey)
        #expect(meeting.client.opened == 0)
    }

    @Test func oldVersionIsRefused() throws {
        let authority = TestAuthority("authority")
        let server = try TLSContext(side: .server, credentials: .certificates(authority.issue("ns-1")))
        let client = try TLSContext(
            side: .client, credentials: .certificates(authority.issue("ns-2")), minimumVersion: .tls12)
        precondition(hearsay_ssl_set_versions(client.raw, TLS1_2_VERSION, TLS1_2_VERSION) == 1)
        let meeting = try Meeting(server, client)
        #expect(meeting.server.failure == .version)
        #expect(meeting.client.failure == .version)
        // The remoting port may allow it.
        let lenient = try TLSContext(
            side: .server, credentials: .certificates(authority.issue("ns-1")), minimumVersion: .tls12)
        let allowed = try Meeting(lenient, client)
        expectGreeting(allowed)
        #expect(allowed.server.session?.version == "TLSv1.2")
    }
}
