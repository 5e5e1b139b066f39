import Basics
import EventLoop
import Remoting
import RemotingTransport
import Testing

@testable import RouteClient

/// Sending over real sockets: protocol.md 7.4 to 7.6.
@Suite struct SendShellTests {
    private typealias Outcome = Result<SendReceipt, SendFailure>

    /// Sends `count` messages one after the other, then stops.
    private func send(_ count: Int, _ client: RouteClient, _ world: World, policy: SendPolicy = .init()) -> [Outcome] {
        var outcomes: [Outcome] = []
        func next() {
            if outcomes.count == count { return world.stop() }
            let body = Array("message \(outcomes.count)".utf8)
            client.send(OutgoingMessage(topic: "T", body: body), policy: policy) {
                outcomes.append($0)
                next()
            }
        }
        next()
        world.run()
        return outcomes
    }

    private func brokers(_ world: World, _ names: String...) throws -> [StandInBroker] {
        let brokers = try names.map { try world.broker($0) }
        for broker in brokers { try broker.live() }
        return brokers
    }

    @Test func goesRoundAllQueues() throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        let receipts = send(8, client, world).compactMap { try? $0.get() }
        #expect(receipts.count == 8)
        #expect(Set(receipts.map(\.queue)).count == 4)
        #expect(receipts.map(\.queueOffset).sorted() == [0, 0, 0, 0, 1, 1, 1, 1])
        #expect(receipts.allSatisfy { $0.attempts == 1 && $0.status == .stored && !$0.messageID.isEmpty })
        // Every message carries its own unique key and arrives as it was.
        let stored = brokers.flatMap { $0.store.queues.values.flatMap { $0 } }
        #expect(Set(stored.compactMap { MessageProperties($0.properties)["UNIQ_KEY"] }).count == 8)
        #expect(Set(stored.map { String(decoding: $0.body, as: UTF8.self) }) == Set((0..<8).map { "message \($0)" }))
    }

    /// S6: until the route is pulled again the client holds a dead broker, and sends go on.
    @Test(arguments: ["dead", "silent", "code 14"])
    func aBrokerThatFailsIsRetriedElsewhereAndThenAvoided(_ kind: String) throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        switch kind {
        case "dead": brokers[0].die()
        case "silent": brokers[0].behaviour = .silent
        default: brokers[0].behaviour = .code(14)
        }
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        var policy = SendPolicy()
        policy.attemptTimeout = .milliseconds(100)
        let receipts = send(20, client, world, policy: policy).compactMap { try? $0.get() }
        #expect(receipts.count == 20)
        #expect(receipts.allSatisfy { $0.queue.brokerName == "b" })
        // Barred after its first failure.
        #expect(receipts.filter { $0.attempts > 1 }.count <= 1)
        #expect(brokers[0].count(310) <= 1)
    }

    @Test func withoutAvoidanceEveryRoundMeetsTheDeadBroker() throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        brokers[0].die()
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address]) {
            $0.avoidsFaults = false
        }
        let receipts = send(20, client, world).compactMap { try? $0.get() }
        #expect(receipts.count == 20)
        #expect(receipts.filter { $0.attempts > 1 }.count >= 5)
    }

    @Test func aSlowBrokerIsAvoided() throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        brokers[0].behaviour = .slow(.milliseconds(600))
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        let receipts = send(20, client, world).compactMap { try? $0.get() }
        #expect(receipts.count == 20)
        #expect(brokers[0].count(310) == 1)
    }

    /// Rows: code, attempts.
    @Test(arguments: [(13, 1), (16, 3)] as [(Int32, Int)])
    func codesDecideOverRetries(_ code: Int32, _ attempts: Int) throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        for broker in brokers { broker.behaviour = .code(code) }
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        guard case .failure(let failure) = send(1, client, world)[0] else {
            Issue.record("it was sent")
            return
        }
        #expect(failure.attempts == attempts)
        #expect(brokers[0].count(310) + brokers[1].count(310) == attempts)
        // With two brokers, a retry goes to the other one.
        if attempts == 3 { #expect(min(brokers[0].count(310), brokers[1].count(310)) == 1) }
        guard case .code(code, "told to", _) = failure.reason else {
            Issue.record("\(failure)")
            return
        }
    }

    @Test func aNewTopicBorrowsTheDefaultTopicsRouteUntilItHasItsOwn() throws {
        let world = try World()
        let brokers = try brokers(world, "a")
        var borrowed = World.route(brokers, queues: 8)
        borrowed.queueDatas[0].perm = 7
        let server = try world.nameServer(["TBW102": borrowed])
        let client = world.client([server.address]) { $0.pollInterval = .seconds(3_600) }
        var receipt: SendReceipt?
        client.send(OutgoingMessage(topic: "T", body: [1])) {
            receipt = try? $0.get()
            #expect(client.book.publishQueues(of: "T").count == 4)
            // The broker has created the topic; the client finds out without waiting for the next poll.
            server.routes["T"] = World.route(brokers, queues: 3)
        }
        world.when({ client.book.publishQueues(of: "T").count == 3 }) { world.stop() }
        world.run()
        #expect(receipt?.queue.brokerName == "a")
        #expect(server.queries.prefix(2) == ["T", "TBW102"])
    }

    @Test func whatCannotBeSentFailsWithItsReason() throws {
        let world = try World()
        let slave = try world.broker("a", 1)
        let server = try world.nameServer(["T": World.route([slave])])
        let client = world.client([server.address])
        var reasons: [String: String] = [:]
        let messages = [
            "no master": OutgoingMessage(topic: "T", body: []), "no route": OutgoingMessage(topic: "U", body: []),
            "no topic": OutgoingMessage(topic: "", body: []),
            "too large": OutgoingMessage(topic: "T", body: [UInt8](repeating: 0, count: OutgoingMessage.bodyLimit + 1)),
        ]
        for (name, message) in messages {
            client.send(message) {
                if case .failure(let failure) = $0, failure.attempts == 0 { reasons[name] = failure.reason.description }
                if reasons.count == messages.count { world.stop() }
            }
        }
        world.run()
        #expect(reasons["no master"] == "topic T has a route but no usable queue")
        #expect(reasons["no route"] == "no route of topic U")
        #expect(reasons["no topic"] == "limit reached: a topic has at least 1 byte")
        #expect(reasons["too large"] == "limit reached: 4194304 bytes of body")
    }

    @Test func onewayMessagesArriveWithoutAnswers() throws {
        let world = try World()
        let brokers = try brokers(world, "a")
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        var receipt: SendReceipt?
        client.send(OutgoingMessage(topic: "T", body: [7]), policy: SendPolicy(mode: .oneway)) {
            receipt = try? $0.get()
        }
        brokers[0].onSend = {
            #expect($0.isOneway)
            world.stop()
        }
        world.run()
        #expect(receipt?.queueOffset == -1)
    }

    @Test func theDetectorFindsABrokerAgain() throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        brokers[0].die()
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address]) {
            $0.detectsFaults = true
        }
        var sent = 0
        func next() {
            client.send(OutgoingMessage(topic: "T", body: [])) { _ in
                sent += 1
                if client.sendFaults.isReachable("a") { return next() }
                // The broker is back; only the detector asks for offsets.
                try! brokers[0].live()
                world.when({ client.sendFaults.isReachable("a") }) { world.stop() }
            }
        }
        next()
        world.run()
        #expect(brokers[0].count(30) >= 1)
    }

    @Test func aLoadIsCounted() throws {
        let world = try World()
        let brokers = try brokers(world, "a", "b")
        let client = world.client([try world.nameServer(["T": World.route(brokers)]).address])
        let run = ProduceRun(
            platform: world.loop, client: client,
            pacing: ProducePacing(count: 200, rate: 20_000, concurrency: 8, now: world.loop.now)
        ) { OutgoingMessage(topic: $0 == 7 ? "" : "T", body: Array("\($0)".utf8)) }
        run.onFinished = world.stop
        run.start()
        world.run()
        #expect((run.summary.sent, run.summary.failed, run.summary.retried) == (199, 1, 0))
        #expect(run.summary.byBroker.map(\.name) == ["a", "b"])
        #expect(run.summary.byBroker.map(\.sent).reduce(0, +) == 199)
        #expect(run.summary.byReason.map(\.failed) == [1])
        #expect(run.summary.latency.count == 199)
        let bodies = brokers.flatMap { $0.store.queues.values.flatMap { $0 } }.map {
            String(decoding: $0.body, as: UTF8.self)
        }
        #expect(Set(bodies).count == 199)
    }
}
