import Remoting

/// Remoting frames in a few words, for traces.
enum FrameText {
    static func describe(_ bytes: UnsafeRawBufferPointer) -> String {
        guard case .frame(let frame)? = try? Frame.first(in: bytes, limit: FrameLimits.frameBytes),
            let command = try? RemotingCommand(decoding: frame)
        else { return "\(bytes.count) bytes" }
        let rest = bytes.count > frame.length ? " and \(bytes.count - frame.length) bytes more" : ""
        let kind = command.isResponse ? "answer" : command.isOneway ? "oneway" : "request"
        let fields = (command.fields ?? []).prefix(4).map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return "\(kind) \(command.code) opaque \(command.opaque) \(fields) \(command.remark ?? "")\(rest)"
    }
}
