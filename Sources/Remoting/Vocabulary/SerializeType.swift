/// How a frame's header is written: the first byte of the second word (protocol.md 1.2).
public enum SerializeType: UInt8, Hashable, Sendable, CaseIterable {
    /// One JSON object (1.3).
    case json = 0
    /// Fixed fields, big-endian (1.4).
    case rocketMQ = 1
}
