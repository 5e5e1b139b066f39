import Basics
import Testing

@testable import ClusterConfiguration

/// The repository's own cluster.yaml: it must be valid, it must document every key, and it must not lie.
struct ShippedFileTests {
    static let path =
        String(#filePath.dropLast("Tests/ClusterConfigurationTests/ShippedFileTests.swift".count)) + "cluster.yaml"

    /// The file's lines, without their line ends.
    static func lines() throws -> [String] {
        String(decoding: try ConfigurationFile.read(path), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
    }

    @Test func isValidAndHoldsTheDefaults() throws {
        let configuration = try ClusterConfiguration.load(path: Self.path)
        #expect(configuration.name == "hearsay")
        #expect(configuration.nodes.map(\.name) == ["ns-1", "ns-2", "ns-3"])
        #expect(configuration.nodes.map(\.listen.port) == [9876, 9886, 9896])
        #expect(configuration.nodes.allSatisfy { $0.listen.isLoopback })
        #expect(configuration.timings == Timings())
        #expect(configuration.limits == Limits())
        #expect(configuration.log == LogConfiguration())
        // The one value that is no default: whoever starts from this file sees what gossip tells.
        var gossip = GossipConfiguration()
        gossip.mode = .observe
        #expect(configuration.tls == TLSConfiguration())
        #expect(configuration.access == AccessConfiguration())
        #expect(configuration.notices == [])
        #expect(configuration.gossip == gossip)
        #expect(configuration.nodes.allSatisfy { $0.gossip == NodeConfiguration.defaultGossip(besides: $0.listen) })
        #expect(configuration.nodes.map(\.gossip.port) == [9877, 9887, 9897])
        #expect(configuration.nodes.allSatisfy { $0.gossipMode == .observe })
        // And whoever starts from it can look at the nodes, from this machine only.
        #expect(configuration.http == HTTPConfiguration())
        #expect(configuration.nodes.compactMap(\.http?.port) == [9878, 9888, 9898])
        #expect(configuration.nodes.allSatisfy { $0.http?.isLoopback == true })
        #expect(configuration.nameServerProperties.count == NameServerProperty.Key.allCases.count)
        #expect(configuration.brokers.map(\.name) == ["broker-a", "broker-b"])
        for group in configuration.brokers {
            #expect(group.replicas.map(\.id) == [0, 1])
            #expect(group.topics == [BrokerTopic(name: "orders", readQueues: 8, writeQueues: 8)])
        }
        let folder = Self.path.dropLast("cluster.yaml".count)
        #expect(configuration.node(named: "ns-2")?.dataDirectory == "\(folder)data/ns-2")
    }

    /// RocketMQ's defaults (protocol.md 5.1, 5.2), as the comments claim.
    @Test func nameServerPropertiesAreRocketMQsDefaults() throws {
        let properties = try ClusterConfiguration.load(path: Self.path).nameServerProperties
        let notFalse = properties.filter { $0.value != "false" }.map { "\($0.name)=\($0.value)" }
        #expect(
            notFalse == [
                "returnOrderTopicConfigToBroker=true", "enableTopicList=true", "enableAllTopicList=true",
                "waitSecondsForService=45", "shutdownWaitTimeSeconds=30",
            ])
    }

    /// Keys that take their value from another one: a value of their own would keep them from following it.
    private static let inherited = ["nodes.gossipMode", "gossip.label"]

    /// Each key has a comment `# key: what …` that says `Default` or `Required`, and a value that is spelled out.
    @Test(arguments: ClusterConfiguration.knownKeys)
    func documents(_ path: String) throws {
        let parts = path.split(separator: ".").map(String.init)
        let lines = try Self.lines()
        let start = try #require(lines.firstIndex { $0 == "\(parts[0]):" }, "no section \(parts[0])")
        let section = lines[(start + 1)...].prefix { $0.isEmpty || $0.first == " " }
        let comments = section.indices.filter { explainedKey(section[$0]) == parts.last }
        #expect(comments.count >= 1, "no comment for \(path)")
        for comment in comments {
            // A comment goes on until the next key's comment or the first value.
            let rest = section[(comment + 1)...].prefix { trimmed($0).hasPrefix("#") && explainedKey($0) == nil }
            let text = ([section[comment]] + rest).joined(separator: " ")
            #expect(text.contains("Default: ") || text.contains("Required."), "\(path): \(text)")
        }
        let given = section.contains {
            trimmed($0).hasPrefix("\(parts.last!):") || trimmed($0).hasPrefix("- \(parts.last!):")
        }
        #expect(given != Self.inherited.contains(path), "\(path) has \(given ? "a" : "no") value")
    }

    /// The key that a comment line begins to explain: `# key: …`.
    private func explainedKey(_ line: String) -> String? {
        let words = trimmed(line).split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "#", words[1].hasSuffix(":"), words[1] != "Default:" else { return nil }
        return String(words[1].dropLast())
    }

    private func trimmed(_ line: String) -> Substring { line.drop { $0 == " " } }
}
