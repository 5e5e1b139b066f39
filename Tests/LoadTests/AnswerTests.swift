import Remoting
import Testing

@testable import Load

@Suite("What answers must say")
struct AnswerTests {
    private let fleet = Fleet(brokers: 2, topics: 1, spread: 2)

    private func accepts(_ check: inout BodyCheck, _ body: [UInt8]) -> Bool {
        body.withUnsafeBytes { check.accepts($0) }
    }

    @Test("a route in any order and either dialect is right, one with other brokers is not")
    func route() throws {
        var check = BodyCheck(.route(["bench-broker-0", "bench-broker-1"]))
        let body = Limits.routeBody(fleet)
        #expect(accepts(&check, body))
        #expect(accepts(&check, body))
        var turned = try #require(try TopicRouteData.decode(body))
        turned.brokerDatas.reverse()
        #expect(accepts(&check, turned.encoded(.legacy)))
        turned.queueDatas.removeLast()
        #expect(!accepts(&check, turned.encoded(.legacy)))
        #expect(!accepts(&check, []))
        #expect(!accepts(&check, Array("{\"brokerDatas\":".utf8)))
        #expect(!accepts(&check, Limits.routeBody(Fleet(brokers: 1, topics: 1, spread: 1))))
        #expect(accepts(&check, body))
    }

    @Test("a topic list must have as many topics as were registered")
    func topics() {
        var check = BodyCheck(.topics(2))
        #expect(!accepts(&check, TopicList(topicList: ["a"]).encoded()))
        #expect(accepts(&check, TopicList(topicList: ["a", "b"]).encoded()))
        #expect(!accepts(&check, Array("nonsense".utf8)))
    }
}
