import Platform

/// The content of a file with a key or with certificates, and its name for errors. Never shows the content.
public struct CredentialFile: Sendable, CustomStringConvertible, CustomReflectable {
    /// The largest file that is read: hundreds of certificates.
    public static let byteLimit = 1 << 20

    /// As the operator wrote it.
    public var name: String
    /// The content.
    public var bytes: [UInt8]

    /// Content that is already here.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    /// Reads a file, at once: credentials are read at start only.
    public init(reading path: String, from files: any FileStore) throws(SecureTransportError) {
        name = path
        do {
            guard let bytes = try files.read(path, limit: CredentialFile.byteLimit) else {
                throw SecureTransportError(subject: path, reason: "there is no such file")
            }
            self.bytes = bytes
        } catch let error as PlatformError {
            throw SecureTransportError(subject: path, reason: "\(error.message) (\(error.name))")
        } catch let error as SecureTransportError {
            throw error
        } catch {
            throw SecureTransportError(subject: path, reason: "\(error)")
        }
    }

    /// The name only.
    public var description: String { name }
    /// The name only, also to `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
