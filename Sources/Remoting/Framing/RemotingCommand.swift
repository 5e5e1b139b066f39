import Basics

/// One command as an owning value, for clients, agents and tests (protocol.md 1.3 to 1.5).
///
/// The NameServer's hot path uses `CommandHeader` and `ResponseFrame` instead.
public struct RemotingCommand: Hashable, Sendable {
    /// One request or response parameter.
    public struct Field: Hashable, Sendable {
        /// Case-sensitive.
        public var name: String
        /// Always text; numbers are in decimal.
        public var value: String

        /// Names a value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// See `RequestCode` and `ResponseCode`.
    public var code: Int32
    /// See `LanguageCode`. Default JAVA.
    public var language: UInt8
    /// See `RemotingVersion`. Default 5.3.3.
    public var version: Int32
    /// What ties an answer to its request.
    public var opaque: Int32
    /// `responseFlag`, `onewayFlag`.
    public var flag: Int32
    /// Free text; nil is absent.
    public var remark: String?
    /// The ext fields in order; nil leaves the member out, `[]` writes an empty one.
    public var fields: [Field]?
    /// Empty is no body.
    public var body: [UInt8]

    /// Bit of `flag`: the command is an answer.
    public static let responseFlag: Int32 = 1
    /// Bit of `flag`: no answer is wanted.
    public static let onewayFlag: Int32 = 2

    /// A request of this software's own version. Without fields the member is left out.
    public init(request code: Int32, fields: KeyValuePairs<String, String> = [:], body: [UInt8] = []) {
        self.code = code
        language = LanguageCode.java.rawValue
        version = RemotingVersion.v5_3_3
        opaque = 0
        flag = 0
        self.fields = fields.isEmpty ? nil : fields.map { Field(name: $0.key, value: $0.value) }
        self.body = body
    }

    /// Copies a whole frame.
    public init(decoding frame: Frame) throws(RemotingError) {
        var header = CommandHeader()
        try header.decode(frame)
        self.init(header, body: frame.body)
    }

    /// Copies a decoded header and its body.
    public init(_ header: borrowing CommandHeader, body: UnsafeRawBufferPointer) {
        code = header.code
        language = header.language
        version = header.version
        opaque = header.opaque
        flag = header.flag
        remark = header.remark.map { String(decoding: $0, as: UTF8.self) }
        fields = header.hasFields ? header.fields : nil
        self.body = [UInt8](body)
    }

    /// The answer to a request: its opaque and the response flag.
    ///
    /// - Parameter fields: nil leaves the member out, `[:]` writes an empty one (1.9).
    public static func response(
        to request: RemotingCommand, code: Int32, remark: String? = nil,
        fields: KeyValuePairs<String, String>? = nil, body: [UInt8] = []
    ) -> RemotingCommand {
        var response = RemotingCommand(request: code, body: body)
        response.opaque = request.opaque
        response.flag = responseFlag
        response.remark = remark
        response.fields = fields?.map { Field(name: $0.key, value: $0.value) }
        return response
    }

    /// Whether the command answers a request.
    public var isResponse: Bool { flag & RemotingCommand.responseFlag != 0 }
    /// Whether the sender wants no answer.
    public var isOneway: Bool { flag & RemotingCommand.onewayFlag != 0 }

    /// The value of a field; the last one counts. Setting replaces it or appends it, nil removes it.
    public subscript(name: String) -> String? {
        get { fields?.last { $0.name == name }?.value }
        set {
            var changed = fields ?? []
            let index = changed.lastIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): changed[index].value = value
            case (nil, let value?): changed.append(Field(name: name, value: value))
            case (_, nil): changed.removeAll { $0.name == name }
            }
            fields = changed
        }
    }
}
