import Basics
import Remoting

// UPDATE_NAMESRV_CONFIG (318) and GET_NAMESRV_CONFIG (319): protocol.md 2.20, 2.21, 5.4.

extension NameServer {
    mutating func updateProperties(
        _ body: UnsafeRawBufferPointer, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        if body.isEmpty { return output.answer(arrival) }
        let text: PropertiesText
        do throws(RemotingError) {
            text = try PropertiesText(decodingRequest: body)
        } catch {
            return fail("string2Properties error", arrival, &output)
        }
        if text.entries.contains(where: { refusedKeys.contains($0.key) }) {
            counters.errors += 1
            return output.answer(
                arrival, code: ResponseCode.noPermission, remark: "Can not update config in black list.")
        }
        if let fault = NamesrvProperties.fault(in: text) { return fail("\(fault); nothing changed", arrival, &output) }
        var changed = properties
        changed.update(text)
        let later = properties.changes(to: changed).filter { $0.effect == .afterRestart }.map(\.name)
        if changed != properties {
            completeSteps(of: nil, &directives)
            properties = changed
            propertiesChanged()
            let keys = text.entries.map(\.key).joined(separator: ", ")
            note(.propertiesChanged, nil, "settings changed by request: \(keys)", arrival, &directives)
        }
        if !properties.configStorePath.isEmpty { directives.append(.persistProperties(properties.encoded())) }
        output.answer(arrival, remark: later.isEmpty ? nil : "needs a restart: \(later.joined(separator: ", "))")
    }

    /// Takes over settings that the operator changed in a file, as far as they count while the node runs.
    public mutating func change(_ new: NamesrvProperties) {
        properties.takeOver(new)
        propertiesChanged()
    }

    /// Takes over other bounds of topics, of brokers and of encoded routes; what is held already stays, above them too. The
    /// other bounds stay as they were at the start.
    public mutating func change(_ new: NameServerLimits) {
        limits.topics = new.topics
        limits.brokers = new.brokers
        limits.routeCacheBytes = new.routeCacheBytes
        cache.limit = new.routeCacheBytes
        if cache.byteCount > cache.limit { cache.removeAll() }
    }

    mutating func printProperties(_ arrival: Arrival, _ output: inout ByteWriter) {
        let mark = output.beginAnswer(arrival)
        output.append(properties.encoded())
        ResponseFrame.end(&output, mark)
    }

    /// Routes look different under other settings, and a repeated registration may have to do something now.
    private mutating func propertiesChanged() {
        cache.removeAll()
        let tick = tables.tick()
        for index in tables.groups.indices { tables.groups[index].revisedAt = tick }
    }
}
