import Basics
import Remoting
import RemotingTransport
import Testing

@testable import RouteClient

/// Routes over real sockets: S3 of the design, protocol.md 7.1 and 7.2.
@Suite struct RouteShellTests {
    @Test(arguments: 0..<6 as Range<UInt64>)
    func refusedAndSilentNameServersAreLeftForOneThatAnswers(_ seed: UInt64) throws {
        let world = try World()
        let silent = try world.nameServer()
        silent.behaviour = .silent
        let route = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
        let good = try world.nameServer(["T": route])
        let client = world.client([try world.deadAddress(), silent.address, good.address], seed: seed)
        var found: Result<TopicRouteData, RouteClientError>?
        client.route("T") { found = $0 }
        // The client stays with the one that answered: three more polls go there and nowhere else.
        world.when({ found != nil && good.queries.count >= 4 }) { world.stop() }
        world.run()
        #expect(found == .success(route))
        #expect(client.currentNameServer == good.address)
        #expect(silent.queries.count <= 1)
    }

    @Test func anErrorCodeIsAnAnswerAndKeepsTheNameServerAndTheRoute() throws {
        let world = try World()
        let route = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
        let servers = [try world.nameServer(["T": route]), try world.nameServer(["T": route])]
        let client = world.client(servers.map(\.address))
        var unknown: Result<TopicRouteData, RouteClientError>?
        client.route("nope") { unknown = $0 }
        client.route("T") { _ in
            for server in servers {
                server.routes = [:]
                server.behaviour = .code(1)
            }
        }
        world.when({ servers[0].queries.count + servers[1].queries.count >= 8 }) { world.stop() }
        world.run()
        #expect(unknown == .failure(.noRoute(topic: "nope")))
        #expect(servers.contains { $0.queries.isEmpty })
        #expect(client.book.route(of: "T") == route)
    }

    @Test func whenAllNameServersAreDownTheRouteComesOnceOneIsBack() throws {
        let world = try World()
        let address = try world.deadAddress()
        let client = world.client([try world.deadAddress(), address]) { $0.pollInterval = .seconds(3_600) }
        var failure: RouteClientError?
        var changed: [String] = []
        client.onRouteChange = {
            changed.append($0)
            world.stop()
        }
        client.route("T") {
            if case .failure(let error) = $0 { failure = error }
            let route = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
            world.keep.append(try! StandInNameServer(world.loop, ["T": route], at: address))
        }
        world.run()
        guard case .noNameServer = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(changed == ["T"])
        #expect(client.currentNameServer == address)
    }

    @Test func aChangedRouteIsNoticedByPolling() throws {
        let world = try World()
        let one = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
        let server = try world.nameServer(["T": one])
        let client = world.client([server.address])
        var sizes: [Int] = []
        client.onRouteChange = { topic in
            sizes.append(client.book.publishQueues(of: topic).count)
            if sizes.count == 2 { return world.stop() }
            let count = server.queries.count
            world.when({ server.queries.count > count + 1 }) {
                server.routes["T"]!.queueDatas[0].writeQueueNums = 5
            }
        }
        try client.follow("T")
        world.run()
        #expect(sizes == [2, 5])
    }

    @Test func everyRouteAnswerIsHeard() throws {
        let world = try World()
        let route = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
        let server = try world.nameServer(["T": route])
        let client = world.client([server.address])
        var heard: [Result<TopicRouteData, RouteClientError>] = []
        client.onRouteAnswer = { topic, answer in
            #expect(topic == "T")
            heard.append(answer)
            switch heard.count {
            case 2: server.routes = [:]
            case 3: server.behaviour = .code(1)
            case 4: server.behaviour = .silent
            case 5: world.stop()
            default: break
            }
        }
        client.publishQueues(of: "T") { _ in }
        world.run()
        #expect(heard[0] == .success(route) && heard[1] == .success(route))
        #expect(heard[2] == .failure(.noRoute(topic: "T")))
        guard case .failure(.code(1, "told to", _)) = heard[3], case .failure(.noNameServer) = heard[4] else {
            Issue.record("\(heard)")
            return
        }
    }

    @Test func aSurveyAsksEveryNameServer() throws {
        let world = try World()
        let full = sampleRoute(brokers: ["a": [0: "127.0.0.1:1", 1: "127.0.0.1:2"]], queues: [("a", 2, 2, 6)])
        let lacking = sampleRoute(brokers: ["a": [0: "127.0.0.1:1"]], queues: [("a", 2, 2, 6)])
        let addresses = [
            try world.nameServer(["T": full]).address, try world.nameServer(["T": lacking]).address,
            try world.deadAddress(), try world.nameServer(["T": full]).address,
        ]
        var survey: RouteSurvey?
        RouteSurvey.ask(platform: world.loop, nameServers: addresses, topic: "T") {
            survey = $0
            world.stop()
        }
        world.run()
        #expect(survey?.rows.map(\.nameServer) == addresses)
        #expect(survey?.rows.map(\.differences) == [[], ["lacks a:1 at 127.0.0.1:2"], [], []])
        guard case .failure(.noAnswer) = survey?.rows[2].route else {
            Issue.record("\(String(describing: survey?.rows[2]))")
            return
        }
    }

    @Test func callsFailWhenTheClientCloses() throws {
        let world = try World()
        let silent = try world.nameServer()
        silent.behaviour = .silent
        let client = world.client([silent.address])
        var failures: [RouteClientError] = []
        for topic in ["T", "U"] {
            client.route(topic) { if case .failure(let error) = $0 { failures.append(error) } }
        }
        client.send(OutgoingMessage(topic: "V", body: [])) {
            if case .failure(let error) = $0 { failures.append(error.reason) }
        }
        world.when({ silent.queries.count == 3 }) {
            client.close()
            client.route("W") { if case .failure(let error) = $0 { failures.append(error) } }
            world.stop()
        }
        world.run()
        #expect(failures == [.closed, .closed, .closed, .closed])
    }
}
