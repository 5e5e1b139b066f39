import Basics
import Remoting

extension FuzzTarget {
    /// A frame with its header: what every connection to the remoting port begins with.
    static let frame = FuzzTarget("frame") {
        [SampleCommand.command.encoded(), SampleCommand.command.encoded(as: .rocketMQ)]
    } run: {
        exerciseFrame($0)
    }

    /// A frame that decodes is encoded to one that decodes to the same.
    static func exerciseFrame(_ bytes: UnsafeRawBufferPointer) {
        guard case .frame(let frame)? = try? Frame.first(in: bytes) else { return }
        precondition(frame.length <= bytes.count && frame.header.count + frame.body.count + 8 == frame.length)
        guard let command = try? RemotingCommand(decoding: frame) else { return }
        precondition(decoded(command.encoded()) == normal(command), "\(command)")
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

/// A request with everything in its header that needs care.
enum SampleCommand {
    static var command: RemotingCommand {
        var command = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: ["brokerName": "broker-a", "brokerId": "0", "clusterName": "c集\"\\/\u{1}", "compressed": "false"])
        command.remark = "r\u{E9}"
        return command
    }
}
