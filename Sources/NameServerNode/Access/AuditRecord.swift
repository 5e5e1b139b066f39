import AccessControl
import Basics
import Logging
import NameServerCore
import Remoting

/// One administrative request, for the log of them.
struct AuditRecord {
    /// The longest argument that is written whole, in characters: names fit, values of thousands do not.
    private static let argumentLength = 64
    /// Settings of one request that are written.
    private static let settingCount = 16

    /// Who: an access key, when the signature was checked and right.
    var accessKey: String?
    /// The response code; nil for a oneway request, which has none.
    var result: Int32?
    /// Why it was refused.
    private let refusal: AccessRefusal?
    private let origin: RequestOrigin
    private let code: Int32
    /// What for, with secrets left out and long values cut.
    private let arguments: Logger.Metadata

    init(
        _ header: borrowing CommandHeader, body: UnsafeRawBufferPointer, from origin: RequestOrigin,
        accessKey: String? = nil, refusal: AccessRefusal? = nil
    ) {
        self.origin = origin
        self.accessKey = accessKey ?? refusal?.accessKey
        self.refusal = refusal
        code = header.code
        result = refusal.map { _ in ResponseCode.noPermission }
        arguments = Self.arguments(header, body)
    }

    /// The response code of an answer; nil for none.
    static func result(of answer: Slice<UnsafeRawBufferPointer>) -> Int32? {
        guard case .frame(let frame)? = try? Frame.first(in: UnsafeRawBufferPointer(rebasing: answer)) else {
            return nil
        }
        return try? RemotingCommand(decoding: frame).code
    }

    /// For a line of log.
    var metadata: Logger.Metadata {
        var metadata = arguments
        metadata["event"] = "audit"
        metadata["account"] = "\(accessKey ?? "-")"
        metadata["address"] = "\(origin.peer)"
        metadata["request"] = "\(Self.names[code] ?? "\(code)")"
        metadata["result"] = "\(result.map { "\($0)" } ?? "oneway")"
        if case .proxied(let source) = origin.forwarding { metadata["source"] = "\(source?.description ?? "unknown")" }
        if let refusal {
            metadata["reason"] = "\(refusal.reason.rawValue)"
            metadata["remark"] = "\(refusal.remark)"
        }
        return metadata
    }

    /// RocketMQ's names of the requests that administer.
    private static let names: [Int32: String] = [
        RequestCode.putKVConfig: "PUT_KV_CONFIG", RequestCode.deleteKVConfig: "DELETE_KV_CONFIG",
        RequestCode.wipeWritePermOfBroker: "WIPE_WRITE_PERM_OF_BROKER",
        RequestCode.addWritePermOfBroker: "ADD_WRITE_PERM_OF_BROKER",
        RequestCode.deleteTopicInNameServer: "DELETE_TOPIC_IN_NAMESRV",
        RequestCode.updateNameServerConfig: "UPDATE_NAMESRV_CONFIG",
    ]

    private static let shown: [(field: StaticString, name: String)] = [
        ("namespace", "namespace"), ("key", "key"), ("value", "value"), ("brokerName", "broker"), ("topic", "topic"),
        ("clusterName", "cluster"),
    ]

    private static func arguments(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer
    ) -> Logger.Metadata {
        var arguments: Logger.Metadata = [:]
        for (field, name) in shown {
            if let value = header.field(field) { arguments[name] = "\(clipped(value))" }
        }
        if header.code == RequestCode.updateNameServerConfig { arguments["settings"] = "\(settings(body))" }
        return arguments
    }

    /// What an update of the configuration sets. Only values of RocketMQ's own settings are shown, for what another key holds
    /// may be a password, and only plain ones, so that none passes for another setting.
    private static func settings(_ body: UnsafeRawBufferPointer) -> String {
        guard let text = try? PropertiesText(decodingRequest: body) else { return "(no properties)" }
        var parts = text.entries.prefix(settingCount).map { entry in
            guard isPlain(entry.key) else { return "(a key of \(entry.key.utf8.count) bytes)" }
            let isShown = NamesrvProperties.hasSetting(entry.key) && isPlain(entry.value)
            return "\(entry.key)=\(isShown ? entry.value : "(\(entry.value.utf8.count) bytes)")"
        }
        if text.entries.count > settingCount { parts.append("and \(text.entries.count - settingCount) more") }
        return parts.joined(separator: " ")
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= argumentLength
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "(") }
    }

    private static func clipped(_ bytes: UnsafeRawBufferPointer) -> String {
        // Enough bytes for as many characters; a huge value is not looked through.
        let scalars = String(decoding: bytes.prefix(4 * argumentLength + 4), as: UTF8.self).unicodeScalars
        let clipped = scalars.prefix(argumentLength)
        return String(String.UnicodeScalarView(clipped)) + (clipped.count < scalars.count ? "…" : "")
    }
}
