import Basics
import Remoting

extension FuzzTarget {
    /// Messages as a broker answers them to a pull.
    static let storedMessage = FuzzTarget("storedMessage") {
        var message = StoredMessage(topic: "Orders", queueID: 1, queueOffset: 7, body: Array("hello".utf8))
        message.bornHost = Address(host: "10.0.0.1", port: 50_000)
        message.storeHost = Address(host: "2001:db8::1", port: 10_911)
        message.properties = "KEYS\u{1}k\u{2}"
        var bytes = ByteWriter()
        message.encode(into: &bytes)
        return [bytes.array()]
    } run: {
        guard let messages = try? StoredMessage.decodeAll($0) else { return }
        for message in messages where message.topic.utf8.count <= StoredMessage.topicLimit {
            guard message.properties.utf8.count <= StoredMessage.propertiesLimit else { continue }
            var again = ByteWriter()
            message.encode(into: &again)
            let read = try? StoredMessage.decodeAll(again.bytes)
            precondition(read?.count == 1 && read?[0].body == message.body && read?[0].topic == message.topic)
        }
    }
}
