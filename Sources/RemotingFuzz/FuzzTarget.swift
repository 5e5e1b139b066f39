import Basics
import GossipCore
import NameServerCore
import Remoting

/// What one input is given to. The first byte of an input chooses.
enum FuzzTarget: UInt8, CaseIterable {
    case frame, jsonHeader, binaryHeader, registration, oldRegistration, compressedRegistration, inflatedRegistration
    case dataVersion, route, clusterInfo, keyValues, properties, proxy, conversation
    case gossipFrame, images

    /// Feeds an input: decoders may refuse it, must not crash, and must agree with the encoders about what they accept.
    static func exercise(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let target = allCases[Int(first) % allCases.count]
        target.run(UnsafeRawBufferPointer(rebasing: input[1...]))
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .frame: exerciseFrame(bytes)
        case .jsonHeader: exerciseHeader(.json, bytes)
        case .binaryHeader: exerciseHeader(.rocketMQ, bytes)
        case .registration: exerciseRegistration(bytes, version: RemotingVersion.v5_3_3, compressed: false)
        case .oldRegistration: exerciseRegistration(bytes, version: 0, compressed: false)
        case .compressedRegistration: exerciseRegistration(bytes, version: RemotingVersion.v5_3_3, compressed: true)
        case .inflatedRegistration:
            Zlib.deflate(bytes).withUnsafeBytes {
                exerciseRegistration($0, version: RemotingVersion.v5_3_3, compressed: true)
            }
        case .dataVersion:
            guard let version = try? DataVersion.decode(bytes, receivedAt: WallTime(milliseconds: 1)) else { return }
            let again = version.encoded().withUnsafeBytes {
                try? DataVersion.decode($0, receivedAt: WallTime(milliseconds: 2))
            }
            precondition(again?.timestamp == version.timestamp, "\(version) became \(String(describing: again))")
        case .route: exerciseBody(TopicRouteData.self, bytes)
        case .clusterInfo: exerciseBody(ClusterInfo.self, bytes)
        case .keyValues:
            guard let file = try? KVConfigFile(decoding: [UInt8](bytes)) else { return }
            precondition((try? KVConfigFile(decoding: file.encoded())) == file, "\(file)")
        case .properties: _ = (try? PropertiesText(decodingRequest: bytes))?.encoded()
        case .proxy:
            guard case .header(let length, _)? = try? ProxyHeader.recognise(bytes) else { return }
            precondition(length <= bytes.count, "\(length) of \(bytes.count) bytes")
        case .conversation: Conversation.hold(bytes)
        case .gossipFrame:
            // Every value has one form: what decodes encodes to the same bytes.
            guard let message = try? GossipMessage.decode(bytes) else { return }
            var again = ByteWriter()
            message.encode(into: &again)
            precondition(again.bytes.elementsEqual(bytes), "\(message)")
        case .images:
            guard let images = try? RegistrationImages.decode(bytes, replicas: 2) else { return }
            var again = ByteWriter()
            images.encode(into: &again)
            precondition(again.bytes.elementsEqual(bytes), "\(images)")
        }
    }

    private func exerciseFrame(_ bytes: UnsafeRawBufferPointer) {
        guard case .frame(let frame)? = try? Frame.first(in: bytes) else { return }
        precondition(frame.length <= bytes.count && frame.header.count + frame.body.count + 8 == frame.length)
        guard let command = try? RemotingCommand(decoding: frame) else { return }
        precondition(FuzzTarget.decoded(command.encoded()) == FuzzTarget.normal(command), "\(command)")
    }

    private func exerciseHeader(_ type: SerializeType, _ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty, bytes.count <= FrameLimits.headerBytes else { return }
        var frame = ByteWriter(capacity: bytes.count + 8)
        frame.append(bigEndian: UInt32(bytes.count + 4))
        frame.append(bigEndian: UInt32(type.rawValue) << 24 | UInt32(bytes.count))
        frame.append(bytes)
        exerciseFrame(frame.bytes)
    }

    private func exerciseRegistration(_ bytes: UnsafeRawBufferPointer, version: Int32, compressed: Bool) {
        let received = WallTime(milliseconds: 1_700_000_000_000)
        guard
            let body = try? RegistrationBody.decode(
                bytes, version: version, compressed: compressed, receivedAt: received)
        else { return }
        let configs = body.topicConfigs
        let encoded = RegistrationBody.encode(
            topics: configs, dataVersion: body.dataVersion, filterServers: body.filterServers ?? [],
            mappingInfos: body.mappingInfos)
        let again = encoded.withUnsafeBytes {
            try? RegistrationBody.decode($0, version: RemotingVersion.v5_3_3, compressed: false, receivedAt: received)
        }
        // Topics of one name under different keys fall together when they are written under their names.
        if body.hasForeignKeys { return }
        precondition(again?.topicConfigs == configs && again?.mappingInfos == body.mappingInfos, "\(configs)")
    }

    private func exerciseBody<Body: RemotingBody>(_ type: Body.Type, _ bytes: UnsafeRawBufferPointer) {
        guard let body = try? Body.decode(bytes) else { return }
        for dialect in JSONDialect.allCases {
            precondition((try? Body.decode(body.encoded(dialect))) == body, "\(body)")
        }
    }

    private static func decoded(_ bytes: [UInt8]) -> RemotingCommand? {
        bytes.withUnsafeBytes { bytes in
            guard case .frame(let frame)? = try? Frame.first(in: bytes) else { return nil }
            return try? RemotingCommand(decoding: frame)
        }
    }

    /// What a command is after its language went through its name.
    private static func normal(_ command: RemotingCommand) -> RemotingCommand {
        var normal = command
        if LanguageCode(rawValue: command.language) == nil { normal.language = LanguageCode.other.rawValue }
        return normal
    }
}
