import NameServerCore
import Remoting
import Testing

/// REGISTER_BROKER, protocol.md section 8, items 29 to 62.
@Suite struct RegistrationTests {
    @Test("29: a registration gives a route") func registers() {
        let node = CoreNode()
        let answer = node.register()
        #expect(answer.code == 0)
        #expect(answer.fields == [])
        #expect(answer.body.isEmpty)
        #expect(
            node.route("A").text == """
                {"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"C",\
                "enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,\
                "readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}
                """)
    }

    @Test("63: unregistering empties the tables") func unregisters() {
        let node = CoreNode()
        node.register()
        #expect(node.unregister().code == 0)
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#)
        #expect(node.topicList() == #"{"topicList":[]}"#)
    }
}
