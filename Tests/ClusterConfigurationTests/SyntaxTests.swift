import Basics
import Testing

@testable import ClusterConfiguration

/// What libyaml or the tree's limits refuse. Each stops the reading, so each gives one fault.
struct SyntaxTests {
    @Test(arguments: [
        WrongFile(
            "a tab", "a:\n\t- b\n",
            "c.yaml:2: not YAML: found character that cannot start any token (while scanning for the next token); "
                + "indent with spaces, not tabs"),
        WrongFile(
            "an open list", "a: [1\n",
            "c.yaml:2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        WrongFile("two colons", "a: b: c\n", "c.yaml:1: not YAML: mapping values are not allowed in this context"),
        WrongFile(
            "an open quote", "a: 'b\n",
            "c.yaml:2: not YAML: found unexpected end of stream (while scanning a quoted scalar)"),
        WrongFile("an alias", "a: &x 1\nb: *x\n", "c.yaml:2: an alias (*name): write the value out"),
        WrongFile("a standard tag", "a: !!int 1\n", "c.yaml:1: a tag (!name): types follow from the keys"),
        WrongFile("a tag of one's own", "a: !mine {}\n", "c.yaml:1: a tag (!name): types follow from the keys"),
        WrongFile(
            "a second document", "a: 1\n---\nb: 2\n", "c.yaml:2: a second document: one file holds one"),
        WrongFile("a list as a key", "? [a]\n: 1\n", "c.yaml:1: a key must be a word"),
    ])
    func isExplained(_ file: WrongFile) {
        #expect(faults(file.text) == file.messages)
    }

    @Test func namesTheLineOfABadByte() {
        let bytes = Array("a: 1\nb: 2\nc: ".utf8) + [0xFF, 0x0A]
        #expect(
            throws: ConfigurationErrors(errors: [
                .init(file: "c.yaml", line: 3, message: "not UTF-8 text: invalid leading UTF-8 octet")
            ])
        ) { try ClusterConfiguration.parse(bytes: bytes, fileName: "c.yaml") }
    }

    /// A billion laughs needs aliases; deep and wide files meet their own limits.
    @Test func boundsTheTree() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(faults("a: \(deep)") == ["c.yaml:1: nested deeper than 32 levels"])
        #expect(
            faults("a: [\(String(repeating: "1,", count: YAMLLimits.nodes))]") == ["c.yaml:1: more than 50000 values"])
        #expect(faults(String(repeating: "#", count: YAMLLimits.fileBytes + 1)) == ["c.yaml: larger than 1 MiB"])
        #expect(faults(String(repeating: "[", count: YAMLLimits.fileBytes)).count == 1)
        #expect(faults(String(repeating: "{a: ", count: 200_000)).count == 1)
    }

    @Test(arguments: [
        ("/nonexistent/cluster.yaml", "no such file or directory"),
        ("/", "is a directory"),
        ("/dev/zero", "larger than 1 MiB"),
    ])
    func saysWhyAFileCannotBeRead(path: String, reason: String) {
        #expect(throws: ConfigurationErrors(errors: [.init(file: path, line: nil, message: reason)])) {
            try ClusterConfiguration.load(path: path)
        }
    }
}
