import Testing

@testable import ClusterConfiguration

private let node = "nodes: [{name: a, listen: 'h:1'}]\n"

@Suite struct TLSConfigurationTests {
    @Test func everythingGiven() throws {
        let text =
            node
            + "tls: {mode: enforcing, certificate: a.pem, privateKey: /k/a.key, passwordFile: p, testMode: false, "
            + "clientCertificates: require, authority: ca.pem}\n"
        let tls = try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "etc/c.yaml").tls
        var expected = TLSConfiguration()
        expected.mode = .enforcing
        expected.files = .init(certificate: "etc/a.pem", privateKey: "/k/a.key", passwordFile: "etc/p")
        expected.testMode = false
        expected.clientCertificates = .require
        expected.authority = "etc/ca.pem"
        #expect(tls == expected)
    }

    @Test(arguments: [
        WrongFile(
            "half a pair", node + "tls: {certificate: a.pem}\n",
            "c.yaml:2: tls.certificate: needs privateKey beside it"),
        WrongFile(
            "a password for nothing", node + "tls: {passwordFile: p}\n",
            "c.yaml:2: tls.passwordFile: needs certificate and privateKey beside it"),
        WrongFile(
            "an authority for nobody", node + "tls: {authority: ca.pem}\n",
            "c.yaml:2: tls.authority: has no effect with clientCertificates: none; write optional or require"),
        WrongFile(
            "misspelt", node + "tls: {mode: enforce, clientCertificate: none}\n",
            "c.yaml:2: tls.mode: 'enforce' is none of disabled, permissive, enforcing; did you mean 'enforcing'?",
            "c.yaml:2: unknown key 'clientCertificate' in tls; did you mean 'clientCertificates'?"),
    ])
    func isExplained(_ file: WrongFile) {
        #expect(faults(file.text) == file.messages)
    }
}
