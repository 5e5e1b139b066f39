import Basics
import Remoting
import Testing

@testable import BrokerAgent

/// A master and a slave core joined without a network: questions arrive at once, answers when the master gives them.
struct ReplicaPair {
    static let masterAddress = Address(host: "127.0.0.1", port: 10_911)
    static let slaveConnection: UInt64 = 900

    var master = BrokerScript()
    var slave = BrokerScript(id: 1)
    var copy = MasterCopy()
    var random = SeededGenerator(seed: 1)
    var events: [String] = []
    var isCut = false
    private var open: [Int32: (question: MasterCopy.Question, life: UInt64)] = [:]
    private var seen = 0
    private var opaque: Int32 = 10_000

    mutating func follow() {
        var directives: [MasterCopy.Directive] = []
        copy.follow(ReplicaPair.masterAddress, now: slave.now, directives: &directives)
        perform(directives)
    }

    mutating func pass(_ duration: Duration, step: Duration = .milliseconds(100)) {
        let end = slave.now + duration
        while slave.now < end {
            master.pass(step)
            slave.pass(step)
            var directives: [MasterCopy.Directive] = []
            copy.tick(now: slave.now, directives: &directives)
            perform(directives)
            settle()
        }
    }

    /// Hands over what the master has sent to the slave since the last time, until nothing is left.
    mutating func settle() {
        while seen < master.sent.count {
            let (connection, command) = master.sent[seen]
            seen += 1
            guard connection == ReplicaPair.slaveConnection else { continue }
            var directives: [MasterCopy.Directive] = []
            if command.isResponse {
                guard let (question, life) = open.removeValue(forKey: command.opaque) else { continue }
                copy.answered(
                    question, life: life, .success(command), broker: &slave.core, now: slave.now,
                    wallTime: slave.wallTime, random: &random, directives: &directives)
            } else if command.code == CopyProtocol.topicsChanged {
                copy.topicsHinted(now: slave.now, directives: &directives)
            }
            perform(directives)
        }
    }

    /// The connection ends: open questions fail.
    mutating func cut() {
        isCut = true
        master.close(ReplicaPair.slaveConnection)
        let lost = open
        open.removeAll()
        for (_, item) in lost.sorted(by: { $0.key < $1.key }) { fail(item.question, item.life) }
        var directives: [MasterCopy.Directive] = []
        copy.connectionClosed(reason: "cut", now: slave.now, random: &random, directives: &directives)
        perform(directives)
    }

    /// Another life of the master's process, with an empty memory.
    mutating func restartMaster() {
        master = BrokerScript(wallTime: 1_700_000_999_000)
        master.now = slave.now
        seen = 0
    }

    private mutating func fail(_ question: MasterCopy.Question, _ life: UInt64) {
        var directives: [MasterCopy.Directive] = []
        copy.answered(
            question, life: life, .failure(.unreachable("cut")), broker: &slave.core, now: slave.now,
            wallTime: slave.wallTime, random: &random, directives: &directives)
        perform(directives)
    }

    private mutating func perform(_ directives: [MasterCopy.Directive]) {
        for directive in directives {
            switch directive {
            case .connect: open.removeAll()
            case .ask(let question, let life, var command, _):
                if isCut {
                    fail(question, life)
                    continue
                }
                opaque += 1
                command.opaque = opaque
                open[opaque] = (question, life)
                master.deliver(command, from: ReplicaPair.slaveConnection)
            case .broker(let directive): slave.take([directive])
            case .changed(_, let isCopying, _): events.append(isCopying ? "copying" : "stopped")
            }
        }
    }
}

@Suite("A slave copies its master") struct MasterCopyTests {
    @Test("old and new messages, topics created later, all under the same offsets")
    func follows() throws {
        var pair = ReplicaPair()
        for index in 0..<3 { _ = pair.master.send("old \(index)", queue: Int32(index % 2)) }
        pair.follow()
        pair.settle()
        #expect(pair.copy.isCopying && pair.events == ["copying"])
        #expect(pair.slave.pull(queue: 0, from: 0)?.texts == ["old 0", "old 2"])
        #expect(pair.slave.registered == [["T"]])
        _ = pair.master.send("new", queue: 1)
        _ = pair.master.send("later topic", to: "U")
        pair.settle()
        #expect(pair.slave.pull(queue: 1, from: 1)?.texts == ["new"])
        #expect(pair.slave.pull("U", from: 0)?.texts == ["later topic"])
        #expect(pair.slave.core.topics.dataVersion == pair.master.core.topics.dataVersion)
        let (one, other) = (pair.master.pull(queue: 0, from: 0), pair.slave.pull(queue: 0, from: 0))
        #expect(one?.body == other?.body, "byte for byte")
    }

    @Test("a send is answered when the slave has it")
    func waitsForTheSlave() {
        var pair = ReplicaPair()
        pair.follow()
        pair.settle()
        #expect(pair.master.send("x") == nil, "not yet")
        pair.settle()
        #expect(pair.master.sent.last { $0.connection == 1 }?.command.code == 0)
        #expect(pair.slave.pull(from: 0)?.texts == ["x"])
    }

    @Test("a stuck slave costs one wait of 2 s, with code 12, and is waited for again when it is back")
    func stuckSlave() throws {
        var pair = ReplicaPair()
        pair.follow()
        pair.settle()
        #expect(pair.master.send("x") == nil)
        pair.master.pass(.milliseconds(1_999))
        #expect(pair.master.sent.last { $0.connection == 1 } == nil)
        pair.master.pass(.milliseconds(1))
        #expect(pair.master.sent.last { $0.connection == 1 }?.command.code == 12)
        #expect(pair.master.send("y")?.code == 0, "nobody to wait for")
        pair.settle()
        pair.pass(.seconds(6))
        #expect(pair.master.send("z") == nil, "the slave asked for the topics again")
        pair.settle()
        #expect(pair.master.sent.last { $0.connection == 1 }?.command.code == 0)
        #expect(pair.slave.pull(from: 0)?.texts == ["x", "y", "z"])
    }

    @Test("a slave that leaves frees the sends that waited for it")
    func leavingSlave() {
        var pair = ReplicaPair()
        pair.follow()
        pair.settle()
        #expect(pair.master.send("x") == nil)
        pair.cut()
        #expect(pair.master.sent.last { $0.connection == 1 }?.command.code == 0)
        #expect(pair.events == ["copying", "stopped"])
    }

    @Test("after a cut it goes on where it was")
    func reconnects() {
        var pair = ReplicaPair()
        _ = pair.master.send("a")
        pair.follow()
        pair.settle()
        pair.cut()
        _ = pair.master.send("b")
        pair.pass(.seconds(10))
        #expect(!pair.copy.isCopying)
        pair.isCut = false
        pair.pass(.seconds(6))
        #expect(pair.copy.isCopying)
        #expect(pair.slave.pull(from: 0)?.texts == ["a", "b"])
        #expect(pair.slave.core.counters.copied == 2)
    }

    @Test("a master that lost its memory is followed, not mixed with the old copy")
    func newIncarnation() {
        var pair = ReplicaPair()
        for _ in 0..<3 { _ = pair.master.send("old") }
        pair.follow()
        pair.settle()
        pair.cut()
        pair.restartMaster()
        for _ in 0..<5 { _ = pair.master.send("new") }
        pair.isCut = false
        pair.pass(.seconds(6))
        #expect(pair.slave.pull(from: 0)?.texts == Array(repeating: "new", count: 5))
    }

    @Test("messages the master dropped are dropped here too")
    func gap() {
        var limits = BrokerLimits()
        limits.messages = 2
        var pair = ReplicaPair()
        pair.master = BrokerScript(limits: limits)
        for index in 0..<5 { _ = pair.master.send("\(index)") }
        pair.follow()
        pair.settle()
        #expect(pair.slave.core.messages.bounds(of: MessageQueueKey(topic: "T", queueID: 0)) == .init(min: 3, max: 5))
        #expect(pair.slave.pull(from: 3)?.texts == ["3", "4"])
    }

    @Test("a consumer that waits at the slave is woken by a copy")
    func wakesAtSlave() {
        var pair = ReplicaPair()
        _ = pair.master.send("a")
        pair.follow()
        pair.settle()
        #expect(pair.slave.pull(from: 1, suspend: 15_000) == nil)
        _ = pair.master.send("b")
        pair.settle()
        #expect(pair.slave.sent.last { $0.connection == 2 }?.command.texts == ["b"])
    }
}
