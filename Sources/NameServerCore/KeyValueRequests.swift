import Basics
import Remoting

// PUT_KV_CONFIG (100), GET_KV_CONFIG (101), DELETE_KV_CONFIG (102), GET_KVLIST_BY_NAMESPACE (219): protocol.md 2.2, 2.3.

extension NameServer {
    mutating func putKeyValue(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        guard let namespace = header.string("namespace"), let key = header.string("key") else {
            return fail("namespace or key is null", arrival, &output)
        }
        let value = header.string("value")
        if keyValues.byteCount(putting: value ?? "", at: key, in: namespace) > limits.keyValueBytes {
            return fail("the limit of \(limits.keyValueBytes) bytes of configuration is reached", arrival, &output)
        }
        let old = keyValues[namespace, key]
        keyValues.put(value, at: key, in: namespace)
        keyValuesChanged(namespace, key, old != value, arrival, &directives)
        output.answer(arrival)
    }

    mutating func getKeyValue(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        let namespace = header.string("namespace")
        let key = header.string("key")
        if let namespace, let key, let value = keyValues[namespace, key] {
            return output.answer(arrival, fields: .one("value", value))
        }
        counters.errors += 1
        output.answer(
            arrival, code: ResponseCode.queryNotFound,
            remark: "No config item, Namespace: \(namespace ?? "null") Key: \(key ?? "null")", fields: .empty)
    }

    mutating func deleteKeyValue(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        if let namespace = header.string("namespace"), let key = header.string("key") {
            let old = keyValues[namespace, key]
            keyValues.remove(key, from: namespace)
            keyValuesChanged(namespace, key, old != nil, arrival, &directives)
        }
        output.answer(arrival)
    }

    mutating func keyValueList(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        let namespace = header.string("namespace")
        guard let namespace, let values = keyValues[namespace] else {
            counters.errors += 1
            return output.answer(
                arrival, code: ResponseCode.queryNotFound,
                remark: "No config item, Namespace: \(namespace ?? "null")")
        }
        let mark = output.beginAnswer(arrival)
        KVTable(table: values).encode(.legacy, into: &output)
        ResponseFrame.end(&output, mark)
    }

    /// The file is written after every request, also one that changed nothing, as RocketMQ does (5.5).
    private mutating func keyValuesChanged(
        _ namespace: String, _ key: String, _ isChange: Bool, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        directives.append(.persistKV(keyValues.file.encoded()))
        guard isChange else { return }
        if firstHand != nil { directives.append(.firstHand(.administered)) }
        if namespace == KeyValueStore.orderTopicNamespace, properties.orderMessageEnable { cache.removeAll() }
        let verb = keyValues[namespace, key] == nil ? "deleted" : "set"
        note(.keyValueChanged, nil, "configuration \(namespace)/\(key) \(verb) by request", arrival, &directives)
    }
}
