import ArgumentParser
import Basics
import ClusterView
import Remoting

/// `hearsay admin`: what mqadmin does to NameServers, at all of them at once and without a JVM.
struct AdminCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Administer the nodes of a cluster: key-values, write permissions, topics, settings.",
        discussion: """
            Each command goes to every node that is named, at the same time, and says what each answered; Apache's \
            NameServers take it, too. By default nodes take it from their own machine only (access.administer in their \
            cluster.yaml).

            Exits with 0 when every node did it, with 1 when one refused or did not answer, with 2 for wrong usage.

              hearsay admin kv put ORDER_TOPIC_CONFIG orders broker-a:8 --config cluster.yaml
              hearsay admin perm wipe broker-a --namesrv '10.0.0.1:9876;10.0.0.2:9876'
              hearsay admin config set waitSecondsForService=10 --namesrv 127.0.0.1:9876
            """,
        subcommands: [KeyValues.self, Permissions.self, Topics.self, Settings.self])

    /// `mqadmin updateKvConfig`, `deleteKvConfig`.
    struct KeyValues: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kv", abstract: "The key-value store.",
            subcommands: [Get.self, Put.self, Delete.self, List.self])

        struct Get: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Print the value of a key.")
            @Argument(help: "The namespace, as ORDER_TOPIC_CONFIG.") var namespace: String
            @Argument(help: "The key.") var key: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                let request = RemotingCommand(
                    request: RequestCode.getKVConfig, fields: ["namespace": namespace, "key": key])
                try admin.send(request) { ["value": $0["value"] ?? ""] }
            }
        }

        struct Put: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Set the value of a key.")
            @Argument(help: "The namespace, as ORDER_TOPIC_CONFIG.") var namespace: String
            @Argument(help: "The key.") var key: String
            @Argument(help: "The value.") var value: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try admin.send(
                    RemotingCommand(
                        request: RequestCode.putKVConfig,
                        fields: ["namespace": namespace, "key": key, "value": value]))
            }
        }

        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Delete a key.")
            @Argument(help: "The namespace, as ORDER_TOPIC_CONFIG.") var namespace: String
            @Argument(help: "The key.") var key: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try admin.send(
                    RemotingCommand(
                        request: RequestCode.deleteKVConfig, fields: ["namespace": namespace, "key": key]))
            }
        }

        struct List: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Print all keys of a namespace.")
            @Argument(help: "The namespace, as ORDER_TOPIC_CONFIG.") var namespace: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                let request = RemotingCommand(
                    request: RequestCode.getKVListByNamespace, fields: ["namespace": namespace])
                try admin.send(request) { try KVTable.decode($0.body)?.table }
            }
        }
    }

    /// `mqadmin wipeWritePerm`, `addWritePerm`.
    struct Permissions: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "perm", abstract: "Write permissions of a broker's topics.",
            subcommands: [Wipe.self, Add.self])

        struct Wipe: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Take a broker's topics out of what producers write to, for example before it is stopped.")
            @Argument(help: "The broker's name.") var broker: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try admin.send(
                    RemotingCommand(request: RequestCode.wipeWritePermOfBroker, fields: ["brokerName": broker])
                ) { ["topics": $0["wipeTopicCount"] ?? "?"] }
            }
        }

        struct Add: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Give them back.")
            @Argument(help: "The broker's name.") var broker: String
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try admin.send(
                    RemotingCommand(request: RequestCode.addWritePermOfBroker, fields: ["brokerName": broker])
                ) { ["topics": $0["addTopicCount"] ?? "?"] }
            }
        }
    }

    /// The NameServers' part of `mqadmin deleteTopic`.
    struct Topics: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "topic", abstract: "Topics.", subcommands: [Delete.self])

        struct Delete: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Drop a topic from the routes.",
                discussion: "Brokers that still have it bring it back with their next registration that tells a change."
            )
            @Argument(help: "The topic.") var topic: String
            @Option(help: "Only where brokers of this RocketMQ cluster have it.") var cluster: String?
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try checkTopic(topic)
                var request = RemotingCommand(request: RequestCode.deleteTopicInNameServer, fields: ["topic": topic])
                request["clusterName"] = cluster
                try admin.send(request)
            }
        }
    }

    /// `mqadmin getNamesrvConfig`, `updateNamesrvConfig`.
    struct Settings: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "config", abstract: "RocketMQ's settings of the nodes.", subcommands: [Get.self, Set.self])

        struct Get: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Print the settings in force.")
            @Argument(help: "Just this setting. Default: all.") var key: String?
            @OptionGroup var admin: AdminOptions

            func run() throws {
                try admin.send(RemotingCommand(request: RequestCode.getNameServerConfig)) { answer in
                    let entries = try PropertiesText(decoding: answer.body).entries
                    return Dictionary(
                        uniqueKeysWithValues: entries.filter { key == nil || $0.key == key }.map { ($0.key, $0.value) })
                }
            }
        }

        struct Set: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Change settings while the nodes run.",
                discussion: """
                    A node says which settings only count after a restart. Unless it was started with -c, or has a \
                    configStorePath, it forgets the change when it ends or is told to read its configuration anew.
                    """)
            @Argument(help: "key=value, once or more.") var settings: [String]
            @OptionGroup var admin: AdminOptions

            func run() throws {
                var text = PropertiesText()
                for setting in settings {
                    let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard parts.count == 2, !parts[0].isEmpty else { throw failUsage("'\(setting)' is not key=value") }
                    text[String(parts[0])] = String(parts[1])
                }
                try admin.send(RemotingCommand(request: RequestCode.updateNameServerConfig, body: text.encoded()))
            }
        }
    }
}
