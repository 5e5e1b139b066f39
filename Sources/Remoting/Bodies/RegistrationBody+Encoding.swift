// The broker's side: the body as a 5.3.3 broker writes it, or an older one for older versions.

import Basics

extension RegistrationBody {
    /// The body of a REGISTER_BROKER request, in the form its version and `compressed` field ask for (protocol.md 2.4, 3.7).
    ///
    /// - Parameters:
    ///   - topics: in this order.
    ///   - filterServers: ignored below version 37, whose form has none.
    ///   - mappingDataVersion: v5, JSON only; nobody but brokers reads it. Default counter 0 at the same time.
    ///   - mappingInfos: v5 only.
    public static func encode(
        topics: [TopicConfig], dataVersion: DataVersion, filterServers: [String] = [], compressed: Bool = false,
        version: Int32 = RemotingVersion.v5_3_3, mappingDataVersion: DataVersion? = nil,
        mappingInfos: [TopicQueueMapping] = []
    ) -> [UInt8] {
        let form = RegistrationForm(
            topics: topics, dataVersion: dataVersion, filterServers: filterServers,
            mappingDataVersion: mappingDataVersion ?? DataVersion(counter: 0, timestamp: dataVersion.timestamp),
            mappingInfos: mappingInfos, isV5: version >= RemotingVersion.v5_0_0)
        var output = ByteWriter(capacity: 512 + topics.count * 192)
        if version < RemotingVersion.v3_0_11 {
            form.writeWrapper(&output)
            return output.array()
        }
        guard compressed else {
            form.writeBody(&output)
            return output.array()
        }
        form.writeBinary(&output)
        return Zlib.deflate(output.bytes)
    }
}

private struct RegistrationForm {
    let topics: [TopicConfig]
    let dataVersion: DataVersion
    let filterServers: [String]
    let mappingDataVersion: DataVersion
    let mappingInfos: [TopicQueueMapping]
    let isV5: Bool

    func writeBody(_ output: inout ByteWriter) {
        output.appendObject(.legacy) { members, output in
            members.strings("filterServerList", filterServers, &output)
            members.name("topicConfigSerializeWrapper", &output)
            writeWrapper(&output)
        }
    }

    func writeWrapper(_ output: inout ByteWriter) {
        output.appendObject(.legacy) { members, output in
            members.name("dataVersion", &output)
            dataVersion.encode(hasStateVersion: isV5, into: &output)
            if isV5 {
                members.name("mappingDataVersion", &output)
                mappingDataVersion.encode(into: &output)
            }
            members.name("topicConfigTable", &output)
            writeObject(topics, &output) { topic, output in
                output.appendJSON(string: topic.topicName, dialect: .legacy)
                output.append(UInt8(ascii: ":"))
                topic.encode(hasAttributes: isV5, into: &output)
            }
            guard isV5 else { return }
            members.name("topicQueueMappingDetailMap", &output)
            output.append("{}")
            members.name("topicQueueMappingInfoMap", &output)
            writeObject(mappingInfos, &output) { mapping, output in
                output.appendJSON(string: mapping.topic, dialect: .legacy)
                output.append(UInt8(ascii: ":"))
                mapping.info.encode(.legacy, into: &output)
            }
        }
    }

    private func writeObject<Entry>(
        _ entries: [Entry], _ output: inout ByteWriter, _ write: (Entry, inout ByteWriter) -> Void
    ) {
        output.appendObject(.legacy) { members, output in
            for entry in entries {
                members.separate(&output)
                write(entry, &output)
            }
        }
    }

    /// See `RegistrationBody.init(binary:)` for the layout.
    func writeBinary(_ output: inout ByteWriter) {
        writeBlock(&output) { dataVersion.encode(hasStateVersion: isV5, into: &$0) }
        output.append(bigEndian: Int32(topics.count))
        for topic in topics { writeBlock(&output) { topic.encodeText(hasAttributes: isV5, into: &$0) } }
        writeBlock(&output) { output in
            var members = JSONMembers(.legacy)
            output.append(UInt8(ascii: "["))
            for server in filterServers {
                members.separate(&output)
                output.appendJSON(string: server, dialect: .legacy)
            }
            output.append(UInt8(ascii: "]"))
        }
        guard isV5 else { return }
        output.append(bigEndian: Int32(mappingInfos.count))
        for mapping in mappingInfos { writeBlock(&output) { mapping.info.encode(.legacy, into: &$0) } }
    }

    private func writeBlock(_ output: inout ByteWriter, _ write: (inout ByteWriter) -> Void) {
        let start = output.count
        output.append(bigEndian: Int32(0))
        write(&output)
        output.patch(bigEndian: Int32(output.count - start - 4), at: start)
    }
}
