import Basics
import GossipCore

/// Draws what goes wrong, and when, from a seed.
public struct FaultSchedule {
    private var random: SeededGenerator
    private let options: ClusterOptions
    private let end: Int64

    /// A schedule for a safety phase of `duration`.
    ///
    /// Some runs are quiet and some are hostile, and some keep to few kinds of faults: the combinations that break
    /// things differ, and a run with everything at once hides many of them.
    public static func drawn(_ options: ClusterOptions, duration: Duration) -> [ScheduledFault] {
        var schedule = FaultSchedule(options, duration)
        return schedule.draw()
    }

    private init(_ options: ClusterOptions, _ duration: Duration) {
        random = SeededGenerator(seed: options.seed ^ 0x4641_554C_5453)
        self.options = options
        end = duration.wholeNanoseconds
    }

    /// Kinds of faults, to choose among.
    private enum Kind: CaseIterable {
        case kill, powerLoss, stop, pause, frozen, drift, wallStep, cut, partition, isolate, split, loss, slow, narrow
        case stall, reset, forget, frames, command, topics, fullDisk
    }

    private mutating func draw() -> [ScheduledFault] {
        let minutes = max(1, Int(end / 60_000_000_000))
        let perMinute = [1, 2, 4][below(3)]
        let count = max(1, minutes * perMinute / 2 + below(minutes + 1))
        var kinds = Kind.allCases.filter { $0 != .frames || options.mode != .off }
        if below(3) > 0 { kinds = (0..<(2 + below(5))).map { _ in kinds[below(kinds.count)] } }
        var faults: [(time: Int64, fault: Fault)] = []
        for _ in 0..<count {
            // The first seconds belong to the start.
            let time = 5_000_000_000 + Int64(random.next() % UInt64(max(end - 5_000_000_000, 1)))
            faults.append((time, draw(kinds[below(kinds.count)])))
        }
        let sorted = faults.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return sorted.enumerated().map { number, item in
            ScheduledFault(number: number + 1, time: item.element.time, fault: item.element.fault)
        }
    }

    private mutating func draw(_ kind: Kind) -> Fault {
        switch kind {
        case .kill: .kill(victim(), restartAfter: restart())
        case .powerLoss: .powerLoss(victim(), restartAfter: restart())
        case .stop: .stop(broker: below(options.brokers), restartAfter: restart())
        case .pause:
            .pause(
                victim(), chance(2) ? .process : .machine(clockRuns: true), for: time(), timersFirst: chance(2),
                wallCatchesUp: true)
        case .frozen:
            .pause(
                victim(), .machine(clockRuns: false), for: time(), timersFirst: chance(2), wallCatchesUp: chance(2))
        case .drift: .drift(victim(), ppm: Int64(below(1_001)) - 500, for: time())
        case .wallStep: .wallStep(victim(), by: (Int64(below(7_201)) - 3_600) * 1_000_000_000)
        case .fullDisk: .fullDisk(node: below(options.nodes), for: time())
        case .topics: topics()
        case .command: command()
        default: drawNetwork(kind)
        }
    }

    private mutating func drawNetwork(_ kind: Kind) -> Fault {
        let (first, second) = pair()
        switch kind {
        case .cut: return .cut(from: first, to: second, for: time())
        case .partition: return .partition(first, second, for: time())
        case .isolate: return .isolate(victim(), for: time())
        case .split:
            let all = (UInt64(1) << UInt64(min(options.nodes, 63))) - 1
            return .split(nodes: random.next() & all, splitsBrokers: chance(2), for: time())
        case .loss: return .loss(first, second, perMille: [10, 100, 300, 600][below(4)], for: time())
        case .slow: return .slow(first, second, latency: Int64(1 + below(3_000)) * 1_000_000, for: time())
        case .narrow: return .narrow(first, second, bandwidth: Int64([300, 3_000, 30_000][below(3)]), for: time())
        case .stall: return .stall(from: first, to: second, for: Int64(below(60_000)) * 1_000_000)
        case .reset: return .reset(first, second)
        case .forget: return .forget(first, second)
        default:
            let rates = [0, 10, 100, 300]
            return .frames(
                from: below(options.nodes), to: below(options.nodes), drop: rates[below(4)], double: rates[below(4)],
                delay: rates[below(4)], for: time())
        }
    }

    private mutating func topics() -> Fault {
        let broker = below(options.brokers)
        let choice = below(4)
        return choice == 3 ? .dropTopic(broker: broker) : .topics(broker: broker, creates: choice != 1)
    }

    private mutating func command() -> Fault {
        let broker = "broker-\(below(options.brokers) + 1)"
        let commands: [OperatorCommand] = [
            .wipeWritePermission(broker: broker), .addWritePermission(broker: broker),
            .deleteTopic("topic-\(below(max(options.topicsPerBroker, 1)))"),
            .putKeyValue("key-\(below(3))", "value-\(below(100))"), .deleteKeyValue("key-\(below(3))"),
        ]
        return .command(commands[below(commands.count)], nodes: random.next() & 0xFF)
    }

    // MARK: Choices

    private mutating func below(_ bound: Int) -> Int { bound <= 1 ? 0 : Int(random.next() % UInt64(bound)) }

    private mutating func chance(_ one: Int) -> Bool { below(one) == 0 }

    private mutating func victim() -> Machine {
        switch below(8) {
        case 0 where options.clients > 0: .client(below(options.clients))
        case 1..<4 where options.brokers > 0: .broker(below(options.brokers))
        default: .node(below(options.nodes))
        }
    }

    /// Two machines that speak to each other.
    private mutating func pair() -> (Machine, Machine) {
        let node = below(options.nodes)
        let other: Machine =
            switch below(8) {
            case 0 where options.clients > 0: .client(below(options.clients))
            case 1..<4 where options.nodes > 1: .node((node + 1 + below(options.nodes - 1)) % options.nodes)
            default: .broker(below(max(options.brokers, 1)))
            }
        return chance(2) ? (.node(node), other) : (other, .node(node))
    }

    /// Mostly seconds, sometimes longer than any timeout.
    private mutating func time() -> Int64 {
        let limits: [Int64] = [1_000, 10_000, 40_000, 150_000, 400_000]
        return (1 + Int64(random.next() % UInt64(limits[below(limits.count)]))) * 1_000_000
    }

    private mutating func restart() -> Int64? { chance(6) ? nil : time() }
}
