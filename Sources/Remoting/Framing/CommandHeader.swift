// The envelope of one command, for the hot path: decoded in place, reused for every frame of a node.

import Basics

/// A decoded header (protocol.md 1.3, 1.4) whose texts still lie in the frame; allocation-free once warm.
///
/// All pointers it hands out are valid until the next `decode` and no longer than the frame's buffer.
public struct CommandHeader: ~Copyable {
    /// Request or response code. Default 0.
    public internal(set) var code: Int32 = 0
    /// Bit 0: response. Bit 1: oneway.
    public internal(set) var flag: Int32 = 0
    /// What ties an answer to its request; any value. 0 when the peer left it out.
    public internal(set) var opaque: Int32 = 0
    /// The peer's release (1.7). Default 0.
    public internal(set) var version: Int32 = 0
    /// See `LanguageCode`; other values may arrive in binary headers.
    public internal(set) var language: UInt8 = LanguageCode.java.rawValue
    /// Whether ext fields were given, be it an empty object.
    public internal(set) var hasFields = false

    var remarkSpan = TextSpan.absent
    var frame = UnsafeRawBufferPointer(start: nil, count: 0)
    var scratch = ByteWriter(capacity: 1_024)
    private(set) var slotCount = 0
    private let slots: UnsafeMutablePointer<Slot>

    /// One ext field as it arrived.
    private struct Slot {
        var name: TextSpan
        var value: TextSpan
    }

    /// Makes the header's memory, about 8 KiB.
    public init() { slots = .allocate(capacity: FrameLimits.fieldCount) }

    deinit { slots.deallocate() }

    /// Whether the command answers a request.
    public var isResponse: Bool { flag & RemotingCommand.responseFlag != 0 }
    /// Whether the sender wants no answer.
    public var isOneway: Bool { flag & RemotingCommand.onewayFlag != 0 }
    /// Free text, mostly why a request failed; nil when absent.
    public var remark: UnsafeRawBufferPointer? { resolve(remarkSpan) }

    /// What makes ASCII letters lower-case; only the two cases of a letter become it.
    private static let lowerCase: UInt32 = 0x2020_2020
    private static let wordTrue = UInt32(littleEndian: 0x6575_7274)

    // MARK: Decoding

    /// Replaces everything by what a frame says.
    ///
    /// - Throws: `.header` or `.limit`: the connection must be closed without an answer (1.14). The header then holds
    ///   an arbitrary part of the frame.
    public mutating func decode(_ frame: Frame) throws(RemotingError) {
        begin(frame)
        switch frame.serializeType {
        case .json:
            if decodeUsualJSON() { return }
            begin(frame)
            try decodeJSON()
        case .rocketMQ: try decodeBinary()
        }
    }

    @inline(__always)
    private mutating func begin(_ frame: Frame) {
        code = 0
        flag = 0
        opaque = 0
        version = 0
        language = LanguageCode.java.rawValue
        hasFields = false
        remarkSpan = .absent
        self.frame = frame.header
        scratch.removeAll()
        slotCount = 0
    }

    /// Notes an ext field; an absent value still hides earlier ones of its name.
    mutating func append(name: TextSpan, value: TextSpan) throws(RemotingError) {
        guard slotCount < FrameLimits.fieldCount else {
            throw RemotingError(.limit, "more than \(FrameLimits.fieldCount) ext fields")
        }
        (slots + slotCount).initialize(to: Slot(name: name, value: value))
        slotCount += 1
    }

    /// The place of bytes of the frame.
    func span(_ bytes: UnsafeRawBufferPointer) -> TextSpan {
        guard let start = bytes.baseAddress, let base = frame.baseAddress else {
            return TextSpan(place: .frame, offset: 0, count: 0)
        }
        return TextSpan(place: .frame, offset: start - base, count: bytes.count)
    }

    @inline(__always)
    func resolve(_ span: TextSpan) -> UnsafeRawBufferPointer? {
        switch span.place {
        case .absent: return nil
        case .frame:
            return UnsafeRawBufferPointer(
                start: frame.baseAddress.map { $0 + Int(span.offset) }, count: Int(span.count))
        case .scratch:
            return UnsafeRawBufferPointer(
                start: scratch.bytes.baseAddress.map { $0 + Int(span.offset) }, count: Int(span.count))
        }
    }

    // MARK: Ext fields

    /// A field's text, UTF-8 without escapes; nil when absent or null. The last one of a name counts.
    public func field(_ name: StaticString) -> UnsafeRawBufferPointer? {
        var index = slotCount
        while index > 0 {
            index -= 1
            if let candidate = resolve(slots[index].name), candidate == name { return resolve(slots[index].value) }
        }
        return nil
    }

    /// A field as a string of its own.
    public func string(_ name: StaticString) -> String? { field(name).map { String(decoding: $0, as: UTF8.self) } }

    /// A field declared `long` (1.10); nil when absent or not convertible.
    public func integer(_ name: StaticString) -> Int64? { field(name).flatMap(IntegerText.strict) }

    /// A field declared `int` (1.10); nil when absent, not convertible or beyond 32 bits.
    public func int32(_ name: StaticString) -> Int32? { integer(name).flatMap { Int32(exactly: $0) } }

    /// A field declared `boolean` (1.10): whether it says `true`, in any case; nil only when absent.
    public func boolean(_ name: StaticString) -> Bool? {
        field(name).map { $0.count == 4 && $0.loadUnaligned(as: UInt32.self) | Self.lowerCase == Self.wordTrue }
    }

    /// Hands over every field in order of arrival, repeated ones too; a value that is null is nil.
    public func forEachField(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
        for index in 0..<slotCount {
            if let name = resolve(slots[index].name) { body(name, resolve(slots[index].value)) }
        }
    }

    /// All fields in order of arrival; of a repeated name only the last one, and none that is null.
    var fields: [RemotingCommand.Field] {
        var fields: [RemotingCommand.Field] = []
        for index in 0..<slotCount {
            guard let value = resolve(slots[index].value), let name = resolve(slots[index].name) else { continue }
            let isRepeated = (index + 1..<slotCount).contains { later in
                guard let other = resolve(slots[later].name), other.count == name.count else { return false }
                return other.elementsEqual(name)
            }
            if isRepeated { continue }
            fields.append(
                .init(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)))
        }
        return fields
    }
}
