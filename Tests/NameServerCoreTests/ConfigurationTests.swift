import NameServerCore
import Remoting
import Testing

/// Key-value configuration and settings: protocol.md section 8, items 104 to 111.
@Suite struct ConfigurationTests {
    private func persistedKV(_ node: CoreNode) -> [String] {
        node.takeDirectives().compactMap {
            if case .persistKV(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    private func persistedProperties(_ node: CoreNode) -> [String] {
        node.takeDirectives().compactMap {
            if case .persistProperties(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    @Test("104 to 106: values come back and go to disk whole") func storesValues() {
        let node = CoreNode()
        let item: KeyValuePairs = ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1", "value": "broker-a:8"]
        #expect(node.call(RequestCode.putKVConfig, item).code == 0)
        #expect(persistedKV(node) == [#"{"configTable":{"ORDER_TOPIC_CONFIG":{"T1":"broker-a:8"}}}"#])
        #expect(node.call(RequestCode.getKVConfig, item)["value"] == "broker-a:8")
        #expect(
            node.call(RequestCode.getKVListByNamespace, item).text == #"{"table":{"T1":"broker-a:8"}}"#)
        _ = node.call(RequestCode.putKVConfig, item)
        #expect(persistedKV(node).count == 1, "also without a change")
        #expect(node.call(RequestCode.deleteKVConfig, item).code == 0)
        #expect(persistedKV(node) == [#"{"configTable":{"ORDER_TOPIC_CONFIG":{}}}"#])
        #expect(node.call(RequestCode.getKVListByNamespace, item).text == #"{"table":{}}"#)
        #expect(node.call(RequestCode.deleteKVConfig, ["namespace": "n", "key": "k"]).code == 0)
    }

    @Test("104, 105: what is missing") func missesValues() {
        let node = CoreNode()
        let missing = node.call(RequestCode.getKVConfig, ["namespace": "n", "key": "k"])
        #expect(missing.code == 22)
        #expect(missing.remark == "No config item, Namespace: n Key: k")
        #expect(missing.fields == [])
        #expect(node.call(RequestCode.getKVConfig).remark == "No config item, Namespace: null Key: null")
        let list = node.call(RequestCode.getKVListByNamespace, ["namespace": "n"])
        #expect(list.code == 22)
        #expect(list.remark == "No config item, Namespace: n")
        #expect(node.call(RequestCode.putKVConfig, ["namespace": "n"]).remark == "namespace or key is null")
        #expect(node.call(RequestCode.putKVConfig).code == 1)
        #expect(persistedKV(node).isEmpty)
    }

    @Test("A missing value hides the key and makes the namespace") func storesNull() {
        let node = CoreNode()
        #expect(node.call(RequestCode.putKVConfig, ["namespace": "n", "key": "k"]).code == 0)
        #expect(node.call(RequestCode.getKVConfig, ["namespace": "n", "key": "k"]).code == 22)
        #expect(node.call(RequestCode.getKVListByNamespace, ["namespace": "n"]).text == #"{"table":{}}"#)
    }

    @Test("What was read at start is served") func startsFromFile() {
        let node = CoreNode(kv: KVConfigFile(configTable: ["n": ["k": "v"]]))
        #expect(node.call(RequestCode.getKVConfig, ["namespace": "n", "key": "k"])["value"] == "v")
    }

    @Test("Above the limit nothing is stored") func boundsValues() {
        var limits = NameServerLimits()
        limits.keyValueBytes = 20
        let node = CoreNode(limits: limits)
        func put(_ key: String, _ value: String) -> Int32 {
            node.call(RequestCode.putKVConfig, ["namespace": "n", "key": key, "value": value]).code
        }
        #expect(put("k", "0123456789") == 0)
        #expect(put("l", "01234567") == 1)
        #expect(put("k", "012345678901234567") == 0, "20 bytes with namespace and key")
        #expect(put("k", "0123456789012345678") == 1)
        #expect(node.call(RequestCode.getKVConfig, ["namespace": "n", "key": "k"])["value"]?.count == 18)
    }

    // MARK: Settings

    private func settings(_ node: CoreNode) -> [String] {
        node.call(RequestCode.getNameServerConfig).text.split(separator: "\n").map(String.init)
    }

    @Test("107: all settings, sorted") func printsSettings() {
        let node = CoreNode()
        let lines = settings(node)
        #expect(lines.contains("listenPort=9876"))
        #expect(lines.contains("enableTopicList=true"))
        #expect(lines.contains("configBlackList=configBlackList;configStorePath;kvConfigPath"))
        #expect(lines.map { $0.split(separator: "=")[0] } == lines.map { $0.split(separator: "=")[0] }.sorted())
        #expect(node.call(RequestCode.getNameServerConfig).text.hasSuffix("\n"))
        #expect(lines.count == 37, "20 of 5.1 and 17 of 5.2, less three paths that are not set: \(lines.count)")
    }

    @Test(
        "108: paths and the black list are out of reach",
        arguments: ["kvConfigPath=/x", "configStorePath=/x", "configBlackList=x", "rocketmqHome=/x", "listenPort=1"])
    func refusesPaths(_ line: String) {
        var properties = NamesrvProperties()
        properties.configBlackList += ";listenPort"
        let node = CoreNode(properties: properties)
        let before = settings(node)
        for body in [line, "orderMessageEnable=true\n\(line)"] {
            let answer = node.call(RequestCode.updateNameServerConfig, body: body)
            #expect(answer.code == 16)
            #expect(answer.remark == "Can not update config in black list.")
        }
        #expect(settings(node) == before)
        #expect(node.takeDirectives().isEmpty)
    }

    @Test("109: text that cannot be parsed, and none") func refusesBrokenText() {
        let node = CoreNode()
        let answer = node.call(RequestCode.updateNameServerConfig, body: #"a=\uZZZZ"#)
        #expect(answer.code == 1)
        #expect(answer.remark == "string2Properties error")
        #expect(node.call(RequestCode.updateNameServerConfig).code == 0)
    }

    @Test("110, 111: known keys are taken over, by RocketMQ's rules") func updates() {
        var properties = NamesrvProperties()
        properties.configStorePath = "/somewhere/namesrv.properties"
        let node = CoreNode(properties: properties)
        let body = """
            # a comment
            waitSecondsForService=7
            foo=bar
            orderMessageEnable=TRUE
            bindAddress=  9.9.9.9\u{20}\u{20}
            productEnvName : x\\u0041y
            """
        #expect(node.call(RequestCode.updateNameServerConfig, body: body).code == 0)
        let lines = settings(node)
        for line in [
            "waitSecondsForService=7", "orderMessageEnable=true", "bindAddress=9.9.9.9", "productEnvName=xAy",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(!lines.contains { $0.hasPrefix("foo") })
        #expect(persistedProperties(node) == [node.call(RequestCode.getNameServerConfig).text])
    }

    @Test("Without a configStorePath no file is written") func writesNothingByDefault() {
        let node = CoreNode()
        #expect(node.call(RequestCode.updateNameServerConfig, body: "waitSecondsForService=7").code == 0)
        #expect(persistedProperties(node).isEmpty)
    }

    @Test(
        "A value cannot smuggle a line into the stored file",
        arguments: [#"productEnvName=x\nkvConfigPath=/etc/x"#, #"productEnvName=x\\"#, #"bindAddress=x\u000dy"#])
    func refusesSmuggledLines(_ body: String) {
        let node = CoreNode()
        let before = settings(node)
        let answer = node.call(RequestCode.updateNameServerConfig, body: body)
        #expect(answer.code == 1)
        #expect(
            answer.remark?.hasSuffix("has a line break, a control character or a backslash; nothing changed") == true)
        #expect(settings(node) == before)
    }

    /// RocketMQ leaves out what does not convert, and makes false of a boolean that is not `true`.
    @Test(
        "If any value is wrong nothing changes",
        arguments: [
            ("listenPort=abc", "listenPort=abc is no whole number of 32 bits"),
            ("serverWorkerThreads=14\u{20}", "serverWorkerThreads=14  is no whole number of 32 bits"),
            (
                "scanNotActiveBrokerInterval=9223372036854775808",
                "scanNotActiveBrokerInterval=9223372036854775808 is no whole number of 64 bits"
            ),
            ("clusterTest=true\u{20}", "clusterTest=true  is neither true nor false"),
            ("enableTopicList=", "enableTopicList= is neither true nor false"),
            (
                "waitSecondsForService=\(String(repeating: "9", count: 1_000))",
                "waitSecondsForService=\(String(repeating: "9", count: 40)) is no whole number of 32 bits"
            ),
        ])
    func isAllOrNothing(line: String, fault: String) {
        var properties = NamesrvProperties()
        properties.configStorePath = "/somewhere/namesrv.properties"
        let node = CoreNode(properties: properties)
        let before = settings(node)
        for body in ["\(line)\norderMessageEnable=true\n", "orderMessageEnable=true\n\(line)\n"] {
            let answer = node.call(RequestCode.updateNameServerConfig, body: body)
            #expect(answer.code == 1)
            #expect(answer.remark == "\(fault); nothing changed")
        }
        #expect(settings(node) == before)
        #expect(node.takeDirectives().isEmpty)
    }

    @Test(
        "An update says what needs a restart",
        arguments: [
            ("waitSecondsForService=7\nfoo=bar\nserverWorkerThreads=9\n", nil),
            ("listenPort=9876\n", nil),
            (
                "listenPort=1\nwaitSecondsForService=7\nbindAddress=127.0.0.1\n",
                "needs a restart: listenPort, bindAddress"
            ),
        ] as [(String, String?)])
    func saysWhatNeedsARestart(body: String, remark: String?) {
        let answer = CoreNode().call(RequestCode.updateNameServerConfig, body: body)
        #expect(answer.code == 0)
        #expect(answer.remark == remark)
    }

    @Test("A file of the operator's may set everything, and its unknown keys are shown") func loadsFile() throws {
        var properties = NamesrvProperties(home: "/opt/rocketmq", userHome: "/home/mq")
        #expect(properties.kvConfigPath == "/home/mq/namesrv/kvConfig.json")
        let text = "kvConfigPath=/data/kv.json\nlistenPort=9877\nmyKey=1\n"
        properties.load(try PropertiesText(decoding: [UInt8](text.utf8)))
        #expect(properties.kvConfigPath == "/data/kv.json")
        #expect(properties.listenPort == 9877)
        #expect(properties.text.contains("rocketmqHome=/opt/rocketmq\n"))
        #expect(properties.text.contains("myKey=1\n"))
    }
}
