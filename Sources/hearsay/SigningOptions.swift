import AccessControl
import ArgumentParser
import Platform
import Remoting
import RemotingTransport

/// Whether and as whom a command's requests are signed, as RocketMQ's clients do it.
struct SigningOptions: ParsableArguments {
    @Option(
        help: """
            Sign requests as this account; needs --secret-key-file. Default: the environment variable HEARSAY_ACCESS_KEY.
            """)
    var accessKey: String?
    @Option(
        help: """
            File whose first line is the account's secret key. Default: the environment variable HEARSAY_SECRET_KEY_FILE.
            """)
    var secretKeyFile: String?

    /// What signs each request; nil when there is nothing to sign with.
    func signer() throws -> RequestSigner? {
        let key = accessKey ?? environment("HEARSAY_ACCESS_KEY")
        let file = secretKeyFile ?? environment("HEARSAY_SECRET_KEY_FILE")
        guard let key, let file else {
            if key == nil, file == nil { return nil }
            throw failUsage(
                "--access-key and --secret-key-file (HEARSAY_ACCESS_KEY and HEARSAY_SECRET_KEY_FILE) need each other")
        }
        guard (1...Accounts.Limits.keyBytes).contains(key.utf8.count) else {
            throw failUsage("an access key has 1 to \(Accounts.Limits.keyBytes) bytes")
        }
        let secret: String
        do {
            secret = String(decoding: try readFile(file, limit: 4_096), as: UTF8.self)
        } catch {
            throw failUsage(error)
        }
        let line = String(secret.prefix { !$0.isNewline })
        guard !line.isEmpty else { throw failUsage("\(file): its first line is empty and should be a secret key") }
        let secretKey = SecretKey(line)
        return { RequestSignature.sign(&$0, accessKey: key, secretKey: secretKey) }
    }
}
