// An experiment as its file describes it, validated. ScenarioReading.swift makes it from YAML.

import Basics

/// What runs, what goes wrong when, and what must come of it. Every time is in the scenario's own time: RocketMQ's
/// timings as people know them, `timeScale` times slower than a live run goes.
public struct Scenario: Hashable, Sendable {
    /// A NameServer.
    public struct Node: Hashable, Sendable {
        /// `ns-1`, `ns-2`, ….
        public var name: String
    }

    /// A broker replica.
    public struct Replica: Hashable, Sendable {
        /// Its group.
        public var group: String
        /// 0 = master.
        public var id: Int64
        /// `broker-a:0`.
        public var name: String { "\(group):\(id)" }
    }

    /// A topic that a group's replicas register.
    public struct Topic: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// The groups that hold it, by name, sorted.
        public var groups: [String]
        /// Queues for reading and for writing, on each broker.
        public var queues: Int
    }

    /// A producer or consumer.
    public struct Client: Hashable, Sendable {
        /// What it does.
        public enum Role: Hashable, Sendable {
            /// Sends `rate` messages a second of scenario time, each at its time whether or not others were answered.
            case producer(rate: Double, avoidsFaults: Bool)
            /// Reads everything, from slaves while a master is gone when `readsFromSlaves`.
            case consumer(readsFromSlaves: Bool)
        }

        /// `producer-1`, `consumer-1`, ….
        public var name: String
        /// What it does.
        public var role: Role
        /// The topic it works on.
        public var topic: String
    }

    /// The rhythm, in scenario time.
    public struct Timings: Hashable, Sendable {
        /// How often brokers register.
        public var heartbeat: Duration
        /// How often nodes look for silent brokers.
        public var scan: Duration
        /// After how long a silence a broker is dead.
        public var expiry: Duration
        /// How often clients pull routes.
        public var routePoll: Duration
        /// How often nodes compare.
        public var gossipPeriod: Duration
    }

    /// A word for files and the command line: letters, digits and `-`.
    public var name: String
    /// One line.
    public var title: String
    /// What the experiment asks, in a sentence or two.
    public var question: String
    /// How many times faster than written a live run goes, 1 to 100. A simulated run needs no hurry.
    public var timeScale: Int
    /// From the moment when everybody is up and agrees to the end.
    public var duration: Duration
    /// Decides what chance decides.
    public var seed: UInt64
    /// 1 to 9.
    public var nodes: [Node]
    /// In the order of the file, masters first within a group.
    public var replicas: [Replica]
    /// What the groups register.
    public var topics: [Topic]
    /// Producers, then consumers.
    public var clients: [Client]
    /// The rhythm.
    public var timings: Timings
    /// Further lines of the nodes' section `gossip` of cluster.yaml, key and YAML value, as the file gives them.
    public var gossipSettings: [Setting]
    /// RocketMQ's own properties of the nodes, key and value.
    public var nodeProperties: [Setting]
    /// What is compared, at least one.
    public var arms: [Arm]
    /// In the order of their beginning.
    public var faults: [PlannedFault]
    /// What must hold.
    public var checks: [Check]

    /// A key and its value, as written.
    public struct Setting: Hashable, Sendable {
        /// Of cluster.yaml.
        public var key: String
        /// As written.
        public var value: String
    }

    /// What people call somebody.
    public func name(of party: Party) -> String {
        switch party {
        case .node(let index): nodes[index].name
        case .broker(let index): replicas[index].name
        case .client(let index): clients[index].name
        }
    }
}

/// One way to run the nodes; all arms of an experiment meet the same faults.
public enum Arm: String, Hashable, Sendable, CaseIterable {
    /// Hearsay without gossip: RocketMQ's behaviour.
    case off
    /// Compares and reports.
    case observe
    /// Also puts removals off.
    case protect
    /// Also fills gaps.
    case replicate
    /// An Apache NameServer that the user's command starts; live driver only.
    case apache
}
