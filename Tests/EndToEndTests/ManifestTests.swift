// .deploy/kubernetes/hearsay.yaml: good by Kubernetes' published schemas, in itself, and for this program.

import TestSupport
import Testing

import class Foundation.FileManager
import struct Foundation.URL

@Suite(.ownThread) struct ManifestTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    private static let python = root + "/.build-python/bin/python3"

    /// Whether `.ci/install tests` could install the schemas.
    private static func hasSchemas() -> Bool {
        guard FileManager.default.isExecutableFile(atPath: python),
            let process = try? NodeProcess(python, arguments: ["-c", "import kubernetes_validate"])
        else { return false }
        return (try? process.waitForExit()) == .exit(0)
    }

    private func check(_ file: String) throws -> (NodeProcess.Ending, String) {
        let process = try NodeProcess(
            Self.python,
            arguments: [
                Self.root + "/.deploy/kubernetes/check.py", ProductsDirectory.executable("hearsay"), file,
            ])
        let ending = try process.waitForExit(within: .seconds(60))
        return (ending, process.outputLines.joined(separator: "\n") + process.errorText)
    }

    @Test(.enabled("kubernetes-validate is not installed", Self.hasSchemas))
    func theManifestIsGood() throws {
        let (ending, text) = try check(Self.root + "/.deploy/kubernetes/hearsay.yaml")
        #expect(ending == .exit(0), "\(text)")
    }

    /// What each mistake must be named by: the check is worth nothing if it finds none.
    @Test(
        .enabled("kubernetes-validate is not installed", Self.hasSchemas),
        arguments: [
            ("replicas: 3", "replicas: three", "three"),
            ("replicas: 3", "replicas: 4", "are not the pods"),
            ("maxUnavailable: 1", "maxUnavailable: 3", "leaves no node"),
            ("containerPort: 9876", "containerPort: 9875", "port namesrv"),
            ("\"hearsay-1.hearsay:9876\"", "\"hearsay-1:9876\"", "is not reached at"),
            ("mode: protect", "mode: protekt", "protekt"),
            ("- --bind", "- --bing", "no option --bing"),
            ("mountPath: /etc/hearsay-keys", "mountPath: /keys", "no Secret"),
            ("publishNotReadyAddresses: true", "publishNotReadyAddresses: false", "no broker reaches it"),
        ])
    func aMistakeIsNamed(_ right: String, _ wrong: String, _ named: String) throws {
        let manifest = try #require(text(of: Self.root + "/.deploy/kubernetes/hearsay.yaml"))
        try #require(manifest.contains(right))
        let directory = TemporaryDirectory()
        let file = try directory.write(manifest.replacing(right, with: wrong), to: "hearsay.yaml")
        let (ending, answer) = try check(file)
        #expect(ending == .exit(1) && answer.contains(named), "\(answer)")
    }
}
