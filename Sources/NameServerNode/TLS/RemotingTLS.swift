import Basics
import Platform
import SecureTransport

/// The certificate in use on the remoting port, and its renewal.
final class RemotingTLS {
    /// How often the files are looked at. RocketMQ does it twice a second.
    static let interval: Duration = .milliseconds(500)

    /// As given.
    let options: RemotingTLSOptions

    private let platform: any Platform
    private let log: NodeLog
    private var context: TLSContext?
    private var changes: CertificateChanges
    /// A certificate for testing could not be made; said once.
    private var cannotGenerate = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.look() }

    /// Loads the files, if any are named.
    ///
    /// - Throws: what is wrong with one of them.
    init(_ options: RemotingTLSOptions, platform: any Platform, log: NodeLog) throws(SecureTransportError) {
        self.options = options
        self.platform = platform
        self.log = log
        let files = try options.files.map { (files) throws(SecureTransportError) in
            try RemotingTLS.read(files, authority: options.authority, from: platform.files)
        }
        changes = CertificateChanges(used: files ?? .init())
        if let files { context = try RemotingTLS.load(files, options) }
    }

    /// Nil in mode disabled.
    static func made(
        _ options: RemotingTLSOptions?, platform: any Platform, log: NodeLog
    ) throws(PlatformError) -> RemotingTLS? {
        guard let options, options.mode != .disabled else { return nil }
        do throws(SecureTransportError) {
            return try RemotingTLS(options, platform: platform, log: log)
        } catch {
            throw PlatformError(operation: error.subject, name: "TLS", message: error.reason)
        }
    }

    /// Begins to look for changes of the files.
    func start() {
        if options.files != nil { timer.start(at: platform.now + Self.interval) }
    }

    func stop() { timer.cancel() }

    /// What a new connection is secured with; nil when TLS is not to be had.
    func contextForConnection() -> TLSContext? {
        if let context { return context }
        guard options.files == nil, options.isForTesting, !cannotGenerate else { return nil }
        do throws(SecureTransportError) {
            var credentials = ServerCredentials(identity: .generated)
            credentials.clientCertificates = options.clientCertificates
            context = try TLSContext(server: credentials)
            log.certificateGenerated()
        } catch {
            cannotGenerate = true
            log.certificateRefused(error, isRenewal: false)
        }
        return context
    }

    private func look() {
        timer.start(at: platform.now + Self.interval)
        guard let files = options.files,
            // A file that is being replaced may be missing for a moment.
            let found = try? Self.read(files, authority: options.authority, from: platform.files),
            let wanted = changes.wanted(found)
        else { return }
        do throws(SecureTransportError) {
            context = try Self.load(wanted, options)
            changes.loaded(wanted)
            log.certificateRenewed(files)
        } catch {
            changes.failed(wanted)
            log.certificateRefused(error, isRenewal: true)
        }
    }

    private static func read(
        _ files: RemotingTLSOptions.Files, authority: String?, from store: any FileStore
    ) throws(SecureTransportError) -> CertificateChanges.Contents {
        CertificateChanges.Contents(
            certificate: try CredentialFile(reading: files.certificate, from: store).bytes,
            privateKey: try CredentialFile(reading: files.privateKey, from: store).bytes,
            authority: try authority.map { (path) throws(SecureTransportError) in
                try CredentialFile(reading: path, from: store).bytes
            } ?? [])
    }

    private static func load(
        _ contents: CertificateChanges.Contents, _ options: RemotingTLSOptions
    ) throws(SecureTransportError) -> TLSContext {
        guard let files = options.files else { preconditionFailure("no files to load") }
        var credentials = ServerCredentials(
            identity: .files(
                certificate: CredentialFile(name: files.certificate, bytes: contents.certificate),
                privateKey: CredentialFile(name: files.privateKey, bytes: contents.privateKey),
                password: files.password))
        credentials.clientCertificates = options.clientCertificates
        credentials.authority = options.authority.map { CredentialFile(name: $0, bytes: contents.authority) }
        return try TLSContext(server: credentials)
    }
}
