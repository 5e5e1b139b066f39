// Access with everything real: `hearsay serve`, SIGHUP, the commands that sign, and Apache's C++ client with credentials.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct AccessTests {
    private static let accounts = """
        accounts:
          - {accessKey: operator, secretKey: 0123456789, admin: true}
          - {accessKey: client, secretKey: 12345678, classes: [lookup]}
          - {accessKey: broker, secretKey: abcdefghij, classes: [lookup, register]}

        """

    private static let closed = """
        access:
          accountsFile: accounts.yaml
          lookup: {accounts: true}
          register: {accounts: true}
          administer: {accounts: true}

        """

    /// What a command prints, and how it ends.
    private func hearsay(_ arguments: String..., in directory: TemporaryDirectory) throws -> (Int32, String, String) {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: arguments, directory: directory)
        guard case .exit(let status) = try process.waitForExit() else { throw TestSupportError("killed") }
        return (status, process.outputLines.joined(separator: "\n"), process.errorText)
    }

    /// Every party signs, and with the wrong secret none gets anywhere.
    @Test func everybodySigns() throws {
        let cluster = try ClusterUnderTest(
            nodes: 1, groups: [.a], extra: Self.closed.split(separator: "\n").map(String.init))
        let directory = cluster.directory
        try directory.write(Self.accounts, to: "accounts.yaml")
        try directory.write("abcdefghij\n", to: "broker.secret")
        try directory.write("12345678", to: "client.secret")
        try directory.write("wrong", to: "wrong.secret")
        try cluster.start(cluster.nodes)
        let node = cluster.nodes[0]
        let broker = try NodeProcess(
            ProductsDirectory.executable("hearsay"),
            arguments: ["broker", "--config", cluster.file, "--group", "broker-a", "--id", "0"],
            environment: [
                "HEARSAY_ACCESS_KEY": "broker", "HEARSAY_SECRET_KEY_FILE": directory.file("broker.secret"),
            ])
        func route(_ key: String?, _ secret: String) throws -> (Int32, String, String) {
            guard let key else { return try hearsay("route", "orders", "--namesrv", node.address, in: directory) }
            return try hearsay(
                "route", "orders", "--namesrv", node.address, "--access-key", key, "--secret-key-file", secret,
                in: directory)
        }
        #expect(try poll(within: .seconds(30)) { try route("client", "client.secret").0 == 0 }, "\(broker.errorText)")
        for (key, secret) in [("client", "wrong.secret"), ("nobody", "client.secret")] {
            let (status, output, error) = try route(key, secret)
            #expect(status != 0)
            #expect((output + error).contains("the access key or the signature is wrong"))
        }
        let (status, output, error) = try route(nil, "")
        #expect(status != 0)
        #expect((output + error).contains("lookups need an account"))
        let (overall, text, _) = try hearsay(
            "status", "--config", cluster.file, "--access-key", "client", "--secret-key-file", "client.secret",
            in: directory)
        #expect(overall == 0, "\(text)")
        #expect(text.contains("broker-a"))
        #expect(
            try hearsay("route", "orders", "--namesrv", node.address, "--access-key", "client", in: directory).0 == 2)

        // A client that nobody here wrote: its signatures, made by its own library, are right, and wrong ones are not.
        let producer = try CppClient.producer(
            node, topics: ["orders"], count: 20, pause: 0, credentials: ("client", "12345678"))
        try producer.waitUntilDone()
        #expect(producer.numbers("sent") == Array(0..<20))
        let stranger = try CppClient.producer(
            node, topics: ["orders"], count: 1, pause: 0, credentials: ("client", "87654321"))
        #expect(poll(within: .seconds(60)) { !stranger.numbers("retry").isEmpty })
        #expect(stranger.numbers("sent") == [])
        // A broker's account may not administer.
        let raw = try node.connect()
        #expect(try raw.call(216, ["topic": "orders"]).code == 16)
    }

    /// A node that is told of a change; its log says what came of it.
    private struct Reloading {
        let directory = TemporaryDirectory()
        let process: NodeProcess
        let port: UInt16

        static let text = """
            nodes:
              - {name: ns-1, listen: '127.0.0.1:9876', dataDirectory: data}
            limits: {topics: 10}
            access:
              accountsFile: accounts.yaml
              administer: {networks: ["127.0.0.0/8"]}
            nameserver: {orderMessageEnable: true}

            """

        init() throws {
            try directory.write(AccessTests.accounts, to: "accounts.yaml")
            try directory.write(Self.text, to: "cluster.yaml")
            process = try NodeProcess(
                ProductsDirectory.executable("hearsay"),
                arguments: ["serve", "--config", "cluster.yaml", "--node", "ns-1", "--listen", "127.0.0.1:0"],
                directory: directory)
            port = try process.line { line in line.split(separator: ":").last.flatMap { UInt16($0) } }
        }

        /// Writes the file, tells the node, and waits until it says that it is done.
        func reload(_ edits: (String, String)...) throws -> String {
            var text = Self.text
            for (old, new) in edits {
                try #require(text.contains(old))
                text = text.replacing(old, with: new)
            }
            try directory.write(text, to: "cluster.yaml")
            let before = process.errorText
            process.signal(SIGHUP)
            var said: Substring = ""
            let isDone = poll(within: .seconds(30)) {
                said = process.errorText.dropFirst(before.count)
                return said.contains("configuration read anew") || said.contains("nothing has changed")
            }
            try #require(isDone, "\(process.errorText)")
            return String(said)
        }
    }

    private static let put = RawRequest(100, ["namespace": "N", "key": "K", "value": "v"])

    @Test func whatChangesWhileANodeRuns() throws {
        let node = try Reloading()
        // A connection that is there keeps being served, by the new rules.
        let client = try RawConnection(port: node.port)
        #expect(try client.call(Self.put).code == 0)
        #expect(try client.call(318, body: "waitSecondsForService=7\norderMessageEnable=false\n").code == 0)

        var said = try node.reload(
            ("topics: 10", "topics: 1"), ("[\"127.0.0.0/8\"]", "[]"), ("dataDirectory: data", "dataDirectory: other"),
            ("limits:", "log: {level: warning}\nlimits:"))
        for line in [
            "notice ns-1 a changed key is in force event=reload from=10 key=limits.topics to=1",
            "a changed key is in force event=reload from=[127.0.0.0/8] key=access.administer.networks to=[]",
            "a changed key is in force event=reload from=info key=log.level to=warning",
            "a changed key is in force event=reload from=false key=nameserver.orderMessageEnable to=true",
            "a changed key is in force event=reload from=7 key=nameserver.waitSecondsForService to=45",
            "warning ns-1 a changed key needs a restart event=reload from=data key=nodes.dataDirectory to=other",
            "configuration read anew changed=5 event=reload restart=1",
        ] { #expect(said.contains(line), "\(line)\n\(said)") }
        #expect(try client.call(Self.put).code == 16)
        #expect(try client.register(Registration { $0.topics = [.a, .b] }).remark?.contains("limit of 1") == true)
        #expect(try client.call(319).bodyText.contains("waitSecondsForService=45\n"))

        // Again, and it is the restart alone that is still due; then back to the beginning.
        said = try node.reload(
            ("topics: 10", "topics: 1"), ("[\"127.0.0.0/8\"]", "[]"), ("dataDirectory: data", "dataDirectory: other"),
            ("limits:", "log: {level: warning}\nlimits:"))
        #expect(said.contains("needs a restart"))
        #expect(!said.contains("is in force"))
        said = try node.reload()
        #expect(said.contains("changed=3 event=reload restart=0"), "\(said)")
        #expect(try client.call(Self.put).code == 0)
    }

    /// Whatever is wrong, nothing changes, and the file and line are named.
    @Test func aWrongConfigurationChangesNothing() throws {
        let node = try Reloading()
        let client = try RawConnection(port: node.port)
        var said = try node.reload(("topics: 10", "topics: none"), ("[\"127.0.0.0/8\"]", "[10.0.0.1/8]"))
        #expect(said.contains("cluster.yaml:3: limits.topics: 'none' is no whole number"), "\(said)")
        #expect(said.contains("cluster.yaml:6: access.administer.networks: '10.0.0.1/8' is no block of addresses"))
        // What is only seen when files are opened counts as well.
        said = try node.reload(
            ("topics: 10", "topics: 1"), ("accountsFile: accounts.yaml", "accountsFile: nowhere.yaml"))
        #expect(said.contains("nowhere.yaml"), "\(said)")
        said = try node.reload(
            ("topics: 10", "topics: 1"), ("limits:", "tls: {certificate: x.pem, privateKey: x.key}\nlimits:"))
        #expect(said.contains("x.pem"), "\(said)")
        said = try node.reload(("name: ns-1", "name: ns-2"))
        #expect(said.contains("has no node 'ns-1'"), "\(said)")
        try node.directory.write("accounts: [{accessKey: a}]", to: "accounts.yaml")
        said = try node.reload(("topics: 10", "topics: 1"))
        #expect(said.contains("accounts.yaml:1: accounts.secretKey: is missing"), "\(said)")
        // Still ten topics, and this machine administers.
        #expect(try client.register(Registration { $0.topics = (0..<10).map { RegisteredTopic("t\($0)") } }).code == 0)
        #expect(try client.call(Self.put).code == 0)
    }

    /// A node with RocketMQ's own file.
    @Test func aPropertiesFile() throws {
        let directory = TemporaryDirectory()
        let node = try NameServerProcess(["waitSecondsForService": "7"], directory: directory)
        let client = try node.connect()
        func reload(_ lines: String, until word: String) throws -> String {
            let before = node.process.errorText
            try directory.write(
                "listenPort=0\nbindAddress=127.0.0.1\nkvConfigPath=\(directory.file("kvConfig.json"))\n" + lines,
                to: "node.properties")
            node.process.signal(SIGHUP)
            #expect(poll(within: .seconds(30)) { node.process.errorText.dropFirst(before.count).contains(word) })
            return String(node.process.errorText.dropFirst(before.count))
        }
        var said = try reload("waitSecondsForService=8\nserverSocketBacklog=7\n", until: "configuration read anew")
        #expect(said.contains("is in force event=reload from=7 key=waitSecondsForService to=8"), "\(said)")
        #expect(said.contains("needs a restart event=reload from=1024 key=serverSocketBacklog to=7"), "\(said)")
        #expect(try client.call(319).bodyText.contains("waitSecondsForService=8\n"))
        said = try reload("waitSecondsForService=9\nlistenPort=abc\n", until: "nothing has changed")
        #expect(said.contains("node.properties: listenPort=abc is no whole number of 32 bits"), "\(said)")
        #expect(try client.call(319).bodyText.contains("waitSecondsForService=8\n"))
    }

    /// `hearsay admin` at a node of ours, over both kinds of answers, and at one that is not there.
    @Test func admin() throws {
        let node = try Reloading()
        let directory = TemporaryDirectory()
        try directory.write("0123456789\n", to: "secret")
        let place = ["--namesrv", "127.0.0.1:\(node.port)"]
        func admin(_ words: String..., at place: [String] = place) throws -> (Int32, String, String) {
            let process = try NodeProcess(
                ProductsDirectory.executable("hearsay"), arguments: ["admin"] + words + place)
            guard case .exit(let status) = try process.waitForExit() else { throw TestSupportError("killed") }
            return (status, process.outputLines.joined(separator: "\n"), process.errorText)
        }
        let name = "127.0.0.1:\(node.port)"
        #expect(try admin("kv", "put", "N", "K", "a=b") == (0, "\(name): done", ""))
        #expect(try admin("kv", "get", "N", "K") == (0, "\(name): value=a=b", ""))
        #expect(try admin("kv", "list", "N") == (0, "\(name): K=a=b", ""))
        #expect(try admin("kv", "delete", "N", "K") == (0, "\(name): done", ""))
        #expect(try admin("kv", "list", "N") == (0, "\(name): nothing", ""))
        let missing = try admin("kv", "get", "N", "K")
        #expect(missing == (1, "", "\(name): not done (code 22): No config item, Namespace: N Key: K\n"))
        // Its broker is gone with its connection.
        let broker = try RawConnection(port: node.port)
        defer { broker.close() }
        try broker.register().expectOK()
        #expect(try admin("perm", "wipe", "broker-a") == (0, "\(name): topics=2", ""))
        #expect(try admin("perm", "add", "broker-a") == (0, "\(name): topics=2", ""))
        #expect(try admin("topic", "delete", "A", "--cluster", "C") == (0, "\(name): done", ""))
        #expect(try admin("config", "get", "waitSecondsForService") == (0, "\(name): waitSecondsForService=45", ""))
        #expect(
            try admin("config", "set", "waitSecondsForService=7", "listenPort=1")
                == (0, "\(name): done; needs a restart: listenPort", ""))
        #expect(try admin("config", "get", "waitSecondsForService").1 == "\(name): waitSecondsForService=7")
        let wrong = try admin("config", "set", "waitSecondsForService=x")
        #expect(
            wrong == (
                1, "",
                "\(name): not done (code 1): waitSecondsForService=x is no whole number of 32 bits; nothing changed\n"
            ))
        #expect(try admin("config", "set", "waitSecondsForService").0 == 2)
        // One node of two is enough to fail, and the other one has done it.
        let (status, output, error) = try admin(
            "kv", "put", "N", "K", "v", "--json", at: ["--namesrv", "\(name);127.0.0.1:1"])
        #expect(status == 1)
        #expect(error == "")
        #expect(
            output.hasPrefix(#"[{"code":0,"node":"\#(name)"},{"node":"127.0.0.1:1","remark":"connect to 127.0.0.1:1"#))
        // Who did it, once he signs.
        _ = try admin(
            "kv", "put", "N", "K", "w", "--access-key", "operator", "--secret-key-file", directory.file("secret"))
        #expect(node.process.errorText.contains("administration account=operator address=127.0.0.1:"))
    }

    @Test func check() throws {
        let directory = TemporaryDirectory()
        try directory.write(
            "nodes: [{name: a, listen: '10.0.0.1:9876'}]\n" + Self.closed, to: "cluster.yaml")
        let accounts = try directory.write(Self.accounts, to: "accounts.yaml")
        chmod(accounts, 0o644)
        var (status, output, error) = try hearsay("check", "cluster.yaml", in: directory)
        #expect(status == 0, "\(error)")
        #expect(
            output.contains("accounts.yaml: others can read the secrets in it (mode 644); chmod 600 keeps them out"))
        #expect(!output.contains("open"))
        chmod(accounts, 0o600)
        try directory.write(
            "accounts: [{accessKey: client, secretKey: 12345678, classes: [lookup]}]", to: "accounts.yaml")
        (status, output, error) = try hearsay("check", "cluster.yaml", in: directory)
        #expect(status == 0)
        #expect(!output.contains("others can read"))
        #expect(output.contains("no account has the class administer, and access.administer.accounts wants one"))
        #expect(!output.contains("no account has the class lookup"))
        try directory.write("accounts: [{accessKey: client}]", to: "accounts.yaml")
        (status, output, error) = try hearsay("check", "cluster.yaml", in: directory)
        #expect(status == 2)
        #expect(error.contains("accounts.yaml:1: accounts.secretKey: is missing"))
    }

    /// Without a cluster.yaml an option opens administration.
    @Test func allowAdmin() throws {
        let directory = TemporaryDirectory()
        let serve = ["serve", "--listen", "127.0.0.1:0"]
        func code(_ options: [String]) throws -> (Int64?, String?) {
            let process = try NodeProcess(
                ProductsDirectory.executable("hearsay"), arguments: serve + options, directory: directory)
            let port: UInt16 = try process.line { line in line.split(separator: ":").last.flatMap { UInt16($0) } }
            let client = try RawConnection(port: port)
            try client.send("PROXY TCP4 127.1.2.3 127.0.0.1 4000 9876\r\n")
            _ = try client.call(Self.put).expectOK()
            let other = try RawConnection(port: port)
            try other.send("PROXY TCP4 10.1.2.3 127.0.0.1 4000 9876\r\n")
            let answer = try other.call(Self.put)
            return (answer.code, answer.remark)
        }
        #expect(try code([]).0 == 16)
        #expect(try code([]).1?.contains("serve --allow-admin") == true)
        #expect(try code(["--allow-admin", "10.0.0.0/8"]).0 == 0)
        #expect(try code(["--allow-admin", "192.168.0.0/16", "--allow-admin", "10.1.2.3"]).0 == 0)
        #expect(try hearsay("serve", "--allow-admin", "10.0.0.1/8", in: directory).0 == 2)
    }
}
