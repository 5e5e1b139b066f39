import Basics
import Remoting
import Testing

@testable import RouteClient

/// Reading over real sockets: protocol.md 7.7, 7.9 to 7.11.
@Suite struct ConsumerShellTests {
    private final class Seen {
        var texts: [String] = []
        var ledger = DeliveryLedger()

        func attach(_ consumer: Consumer, then check: @escaping () -> Void) {
            consumer.onMessages = { [self] queue, replica, messages in
                for message in messages {
                    texts.append(String(decoding: message.body, as: UTF8.self))
                    ledger.record(message, from: queue, by: replica)
                }
                check()
            }
        }
    }

    private func fill(_ store: MessageStore, _ range: Range<Int>, queues: Int = 2) {
        for index in range {
            let queue = index % queues
            let message = StoredMessage(
                topic: "T", queueID: Int32(queue), queueOffset: 0, body: Array("\(index)".utf8))
            _ = store.append(message, to: "T/\(queue)")
        }
    }

    private func options(_ group: String? = nil, _ start: StartingPoint = .first) -> ConsumerOptions {
        var options = ConsumerOptions()
        options.group = group
        options.start = start
        options.commitInterval = .milliseconds(20)
        options.rebalanceInterval = .milliseconds(100)
        return options
    }

    private func texts(_ range: Range<Int>) -> Set<String> { Set(range.map { "\($0)" }) }

    @Test func readsAllQueuesFromTheFirstMessageAndWhatComesLater() throws {
        let world = try World()
        let brokers = [try world.broker("a"), try world.broker("b")]
        for broker in brokers { try broker.live() }
        fill(brokers[0].store, 0..<100)
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        let consumer = Consumer(client: client, topic: "T", options: options())
        let seen = Seen()
        seen.attach(consumer) { [self] in
            // Pulls are held by now: the second half arrives through them.
            if seen.texts.count == 100 { fill(brokers[1].store, 100..<200) }
            if seen.texts.count == 200 { world.stop() }
        }
        try consumer.start()
        world.run()
        #expect(Set(seen.texts) == texts(0..<200))
        #expect((seen.ledger.received, seen.ledger.duplicates, seen.ledger.missing) == (200, 0, 0))
        #expect(seen.ledger.byQueue.map(\.count.received) == [50, 50, 50, 50])
    }

    @Test func startingLastSkipsWhatIsThere() throws {
        let world = try World()
        let broker = try world.broker("a")
        try broker.live()
        fill(broker.store, 0..<10)
        let client = world.client([try world.nameServer(["T": World.route([broker])]).address])
        let consumer = Consumer(client: client, topic: "T", options: options(nil, .last))
        let seen = Seen()
        seen.attach(consumer) { if seen.texts.count == 4 { world.stop() } }
        try consumer.start()
        world.when({ broker.count(11) == 2 }) { [self] in fill(broker.store, 10..<14) }
        world.run()
        #expect(Set(seen.texts) == texts(10..<14))
    }

    /// S6 and point 9 of the issue: the slave serves reads while the master is gone, then the master again.
    @Test func readsFromTheSlaveWhileTheMasterIsGone() throws {
        let world = try World()
        let master = try world.broker("a")
        let slave = try world.broker("a", 1, store: master.store)
        for broker in [master, slave] { try broker.live() }
        fill(master.store, 0..<10)
        let client = world.client([try world.nameServer(["T": World.route([master, slave])]).address])
        let consumer = Consumer(client: client, topic: "T", options: options())
        let seen = Seen()
        var readers: [[Int64]] = []
        seen.attach(consumer) { [self] in
            readers.append(seen.ledger.byReplica.map(\.replica.brokerID))
            switch seen.texts.count {
            case 10:
                master.die()
                // Held by the slave, which has everything.
                world.when({ slave.count(11) >= 2 }) { fill(master.store, 10..<20) }
            case 20:
                let pulls = master.count(11)
                try! master.live()
                fill(master.store, 20..<21)
                // The slave suggests the master, which is tried again when its bar of 2 s is over.
                feed(world, master, seen, until: pulls)
            default: break
            }
        }
        try consumer.start()
        world.run()
        #expect(readers.first == [0])
        // The slave holds pulls for the master only briefly.
        #expect(slave.holds.allSatisfy { $0 == "2000" } && master.holds.allSatisfy { $0 == "15000" })
        #expect(seen.ledger.byReplica.map(\.replica.brokerID) == [0, 1])
        #expect(seen.texts.count == Set(seen.texts).count)
        #expect(seen.ledger.missing == 0)
    }

    @Test func theSlaveIsLeftAloneWhenToldSo() throws {
        let world = try World()
        let master = try world.broker("a")
        let slave = try world.broker("a", 1, store: master.store)
        for broker in [master, slave] { try broker.live() }
        fill(master.store, 0..<10)
        let server = try world.nameServer(["T": World.route([master, slave])])
        let client = world.client([server.address]) { $0.readsFromSlaves = false }
        let consumer = Consumer(client: client, topic: "T", options: options())
        let seen = Seen()
        var errors = 0
        consumer.onError = { _ in
            errors += 1
            if errors == 4 { try! master.live() }
        }
        seen.attach(consumer) { [self] in
            if seen.texts.count == 10 {
                master.die()
                fill(master.store, 10..<20)
            }
            if seen.texts.count == 20 { world.stop() }
        }
        try consumer.start()
        world.run()
        #expect(Set(seen.texts) == texts(0..<20))
        #expect(errors >= 4 && slave.count(11) == 0)
    }

    /// Keeps messages coming until the master delivers again.
    private func feed(_ world: World, _ master: StandInBroker, _ seen: Seen, until pulls: Int) {
        if master.count(11) > pulls + 1 { return world.stop() }
        let count = seen.texts.count
        world.when({ seen.texts.count > count || master.count(11) > pulls + 1 }) { [self] in
            let next = master.store.queues.values.reduce(0) { $0 + $1.count }
            fill(master.store, next..<next + 2)
            feed(world, master, seen, until: pulls)
        }
        if count < 21 { return }
        let next = master.store.queues.values.reduce(0) { $0 + $1.count }
        fill(master.store, next..<next + 2)
    }

    @Test func aGroupSharesTheQueuesAndRemembersItsOffsets() throws {
        let world = try World()
        let broker = try world.broker("a")
        try broker.live()
        fill(broker.store, 0..<40, queues: 4)
        let server = try world.nameServer(["T": World.route([broker], queues: 4)])
        let clients = (0..<2).map { index in
            world.client([server.address], seed: UInt64(index)) { $0.clientID = "client-\(index)" }
        }
        let consumers = clients.map { Consumer(client: $0, topic: "T", options: options("G")) }
        let seen = [Seen(), Seen()]
        for (one, consumer) in zip(seen, consumers) { one.attach(consumer) {} }
        for consumer in consumers { try consumer.start() }
        world.when({ consumers.allSatisfy { $0.queues.count == 2 } && seen[0].texts.count + seen[1].texts.count >= 40 })
        {
            #expect(Set(consumers[0].queues).isDisjoint(with: consumers[1].queues))
            // One leaves: the other takes over where it stopped.
            let left = consumers[1].queues.map { "G/T/\($0.queueID)" }
            consumers[1].stop { [self] in
                #expect(broker.store.members["G"] == ["client-0"])
                #expect(left.map { broker.store.committed[$0] } == [10, 10])
                fill(broker.store, 40..<48, queues: 4)
                broker.notifyMembers(of: "G")
                world.when({ consumers[0].queues.count == 4 && seen[0].texts.count + seen[1].texts.count >= 48 }) {
                    consumers[0].stop { world.stop() }
                }
            }
        }
        world.run()
        #expect(Set(seen[0].texts + seen[1].texts) == texts(0..<48))
        #expect(broker.store.committed.values.sorted() == [12, 12, 12, 12])
        #expect(broker.store.members["G"] == [])
    }

    @Test func aBrokerThatLostItsMessagesMovesTheConsumer() throws {
        let world = try World()
        let broker = try world.broker("a")
        try broker.live()
        broker.store.committed = ["G/T/0": 50, "G/T/1": 2]
        fill(broker.store, 0..<8)
        let client = world.client([try world.nameServer(["T": World.route([broker])]).address])
        let consumer = Consumer(client: client, topic: "T", options: options("G"))
        let seen = Seen()
        var moves: [String] = []
        consumer.onCorrection = { moves.append("\($0.queueID): \($1) to \($2)") }
        seen.attach(consumer) { [self] in
            if seen.texts.count == 2 { fill(broker.store, 8..<10) }
            if seen.texts.count == 4 { world.stop() }
        }
        try consumer.start()
        world.run()
        // Queue 0 has 4 messages: reading goes on behind them. Queue 1 is read from offset 2.
        #expect(moves == ["0: 50 to 4"])
        #expect(Set(seen.texts) == ["5", "7", "8", "9"])
    }

    @Test func followsTheRoute() throws {
        let world = try World()
        let brokers = [try world.broker("a"), try world.broker("b")]
        for broker in brokers { try broker.live() }
        fill(brokers[0].store, 0..<4)
        fill(brokers[1].store, 4..<8)
        let server = try world.nameServer()
        let client = world.client([server.address])
        let consumer = Consumer(client: client, topic: "T", options: options())
        let seen = Seen()
        seen.attach(consumer) {
            if seen.texts.count == 4 { server.routes["T"] = World.route(brokers) }
            if seen.texts.count == 8 { world.stop() }
        }
        try consumer.start()
        // There is no route at first: the consumer waits for one.
        world.when({ server.queries.count >= 2 }) { server.routes["T"] = World.route([brokers[0]]) }
        world.run()
        #expect(Set(seen.texts) == texts(0..<8))
        #expect(consumer.queues.count == 4)
    }

    @Test func readErrorsAreReportedAndGotOver() throws {
        let world = try World()
        let broker = try world.broker("a")
        try broker.live()
        fill(broker.store, 0..<4)
        broker.behaviour = .code(16)
        let client = world.client([try world.nameServer(["T": World.route([broker])]).address])
        let consumer = Consumer(client: client, topic: "T", options: options())
        let seen = Seen()
        var errors: [RouteClientError] = []
        consumer.onError = {
            errors.append($0)
            broker.behaviour = .answer
        }
        seen.attach(consumer) { if seen.texts.count == 4 { world.stop() } }
        try consumer.start()
        world.run()
        #expect(Set(seen.texts) == texts(0..<4))
        guard case .code(16, "told to", _) = errors.first else {
            Issue.record("\(errors)")
            return
        }
    }
}
