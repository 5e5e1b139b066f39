import Basics

/// A machine of the cluster, by role and number.
public enum Machine: Hashable, Sendable, CustomStringConvertible {
    case node(Int), broker(Int), client(Int)

    /// The host's name.
    public var description: String {
        switch self {
        case .node(let index): "ns-\(index + 1)"
        case .broker(let index): "b-\(index + 1)"
        case .client(let index): "client-\(index + 1)"
        }
    }
}

/// Something that goes wrong, or that an operator does. Durations are in nanoseconds of true time.
public enum Fault: Hashable, Sendable {
    /// kill -9; starts again after a while, nil = not before healing.
    case kill(Machine, restartAfter: Int64?)
    /// No FIN, no reset; power comes back and the process starts after a while.
    case powerLoss(Machine, restartAfter: Int64?)
    /// The broker unregisters and ends.
    case stop(broker: Int, restartAfter: Int64?)
    /// Stands still.
    case pause(Machine, HostPause, for: Int64, timersFirst: Bool, wallCatchesUp: Bool)
    /// The clock runs at another rate.
    case drift(Machine, ppm: Int64, for: Int64)
    /// The wall clock jumps.
    case wallStep(Machine, by: Int64)
    /// Nothing gets from one to the other.
    case cut(from: Machine, to: Machine, for: Int64)
    /// Nothing gets through in either direction.
    case partition(Machine, Machine, for: Int64)
    /// Nothing gets in or out.
    case isolate(Machine, for: Int64)
    /// The nodes are in two halves that do not hear each other: those whose bit is set, and the others; brokers keep to
    /// the half of `index % 2` when `splitsBrokers`.
    case split(nodes: UInt64, splitsBrokers: Bool, for: Int64)
    /// Packets are lost, per mille, in both directions.
    case loss(Machine, Machine, perMille: Int, for: Int64)
    /// The way is slow in both directions: latency in nanoseconds.
    case slow(Machine, Machine, latency: Int64, for: Int64)
    /// Few bytes per second get through.
    case narrow(Machine, Machine, bandwidth: Int64, for: Int64)
    /// Bytes are held for a while, and then come all at once.
    case stall(from: Machine, to: Machine, for: Int64)
    /// All connections between two machines are reset.
    case reset(Machine, Machine)
    /// All connections between two machines are dead, and nobody is told.
    case forget(Machine, Machine)
    /// Whole gossip frames from one node to another are lost, doubled and overtaken, per mille.
    case frames(from: Int, to: Int, drop: Int, double: Int, delay: Int, for: Int64)
    /// An operator's command to some nodes (a bit each).
    case command(OperatorCommand, nodes: UInt64)
    /// A broker creates a topic, or changes one.
    case topics(broker: Int, creates: Bool)
    /// A broker drops the topic that it created last, or one of its first ones.
    case dropTopic(broker: Int)
    /// Durable writes fail.
    case fullDisk(node: Int, for: Int64)
}

/// A fault with its time and its number in the schedule.
public struct ScheduledFault: Hashable, Sendable, CustomStringConvertible {
    /// Its number in the drawn schedule, from 1; stays when others are left out.
    public var number: Int
    /// True time.
    public var time: Int64
    /// What happens.
    public var fault: Fault

    /// One line: `#3 at 12.5s: b-1 loses power for 40.0s`.
    public var description: String { "#\(number) at \(seconds(time)): \(fault)" }
}

/// `12.5s`.
func seconds(_ nanoseconds: Int64) -> String {
    let tenths = (nanoseconds + 50_000_000) / 100_000_000
    return "\(tenths / 10).\(abs(tenths % 10))s"
}

extension Fault: CustomStringConvertible {
    /// A clause for the schedule.
    public var description: String {
        switch self {
        case .kill(let who, let after): "kill -9 \(who)\(Fault.back(after))"
        case .powerLoss(let who, let after): "\(who) loses power\(Fault.back(after))"
        case .stop(let broker, let after): "b-\(broker + 1) unregisters and stops\(Fault.back(after))"
        case .pause(let who, let kind, let time, let timersFirst, let wallCatchesUp):
            "\(who) stands still (\(Fault.text(kind))) for \(seconds(time))"
                + (timersFirst ? ", timers first" : "") + (wallCatchesUp ? ", wall clock set right" : "")
        case .drift(let who, let ppm, let time): "\(who)'s clock runs \(ppm) ppm fast for \(seconds(time))"
        case .wallStep(let who, let step): "\(who)'s wall clock steps by \(seconds(step))"
        case .cut(let from, let to, let time): "cut \(from) -> \(to) for \(seconds(time))"
        case .partition(let first, let second, let time): "cut \(first) <-> \(second) for \(seconds(time))"
        case .isolate(let who, let time): "isolate \(who) for \(seconds(time))"
        case .split(let nodes, let brokers, let time):
            "split nodes by mask \(nodes)\(brokers ? " with brokers" : "") for \(seconds(time))"
        case .loss(let first, let second, let rate, let time):
            "\(first) <-> \(second) loses \(rate) per mille for \(seconds(time))"
        case .slow(let first, let second, let latency, let time):
            "\(first) <-> \(second) takes \(latency / 1_000_000) ms for \(seconds(time))"
        case .narrow(let first, let second, let bandwidth, let time):
            "\(first) <-> \(second) carries \(bandwidth) B/s for \(seconds(time))"
        case .stall(let from, let to, let time): "hold bytes \(from) -> \(to) for \(seconds(time))"
        case .reset(let first, let second): "reset connections \(first) <-> \(second)"
        case .forget(let first, let second): "connections \(first) <-> \(second) go dead silently"
        case .frames(let from, let to, let drop, let double, let delay, let time):
            "gossip frames ns-\(from + 1) -> ns-\(to + 1): drop \(drop), double \(double), delay \(delay) per mille for \(seconds(time))"
        case .command(let command, let nodes): "operator: \(command) at nodes of mask \(nodes)"
        case .topics(let broker, let creates): "b-\(broker + 1) \(creates ? "creates" : "changes") a topic"
        case .dropTopic(let broker): "b-\(broker + 1) drops a topic"
        case .fullDisk(let node, let time): "ns-\(node + 1)'s disk is full for \(seconds(time))"
        }
    }

    private static func back(_ after: Int64?) -> String {
        after.map { ", back after \(seconds($0))" } ?? ""
    }

    private static func text(_ kind: HostPause) -> String {
        switch kind {
        case .process: "process"
        case .machine(clockRuns: true): "machine, clock runs"
        case .machine(clockRuns: false): "machine and clock"
        }
    }
}
