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
        let isChange = putKeyValue(value, at: key, in: namespace)
        keyValuesChanged(namespace, key, isChange, arrival, &directives)
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
            let isChange = deleteKeyValue(key, from: namespace)
            keyValuesChanged(namespace, key, isChange, arrival, &directives)
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

    /// The file is written after every request, also one that changed nothing, as RocketMQ does (5.5). To other nodes such
    /// a request is a write as well: it says that the value is right.
    private mutating func keyValuesChanged(
        _ namespace: String, _ key: String, _ isChange: Bool, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        directives.append(.persistKV(keyValues.file.encoded()))
        let value = keyValues[namespace, key]
        if firstHand != nil {
            directives.append(.firstHand(.wrote(.keyValue(namespace: namespace, key: key, value: value))))
        }
        guard isChange else { return }
        if firstHand != nil { directives.append(.firstHand(.administered)) }
        note(
            .keyValueChanged, nil, "configuration \(namespace)/\(key) \(value == nil ? "deleted" : "set") by request",
            arrival, &directives)
    }

    // MARK: Requested or replicated

    /// Sets a key (2.2); says whether it had another value.
    mutating func putKeyValue(_ value: String?, at key: String, in namespace: String) -> Bool {
        let old = keyValues[namespace, key]
        keyValues.put(value, at: key, in: namespace)
        return followKeyValue(namespace, from: old, to: value)
    }

    /// Deletes a key (2.2); says whether it was there.
    mutating func deleteKeyValue(_ key: String, from namespace: String) -> Bool {
        let old = keyValues[namespace, key]
        keyValues.remove(key, from: namespace)
        return followKeyValue(namespace, from: old, to: nil)
    }

    private mutating func followKeyValue(_ namespace: String, from old: String?, to new: String?) -> Bool {
        // By bytes: texts that only look alike are others to the digest.
        if old.map({ Array($0.utf8) }) == new.map({ Array($0.utf8) }) { return false }
        if namespace == KeyValueStore.orderTopicNamespace, properties.orderMessageEnable { cache.removeAll() }
        return true
    }
}
