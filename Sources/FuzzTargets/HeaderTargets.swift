import Basics
import Remoting

extension FuzzTarget {
    /// A JSON header, with all that fastjson lets pass.
    static let jsonHeader = FuzzTarget("jsonHeader") {
        [
            Array(SampleCommand.command.encoded()[8...]),
            Array(
                "{/*a*/code:'105','opaque':\"1,000\",\"Flag\":1.5,\"extFields\":{\"a\":1.50,\"b\":{\"x\" : [1,]},},}\n"
                    .utf8),
        ]
    } run: {
        exerciseHeader(.json, $0)
    }

    /// A ROCKETMQ header.
    static let binaryHeader = FuzzTarget("binaryHeader") {
        [Array(SampleCommand.command.encoded(as: .rocketMQ)[8...])]
    } run: {
        exerciseHeader(.rocketMQ, $0)
    }

    private static func exerciseHeader(_ type: SerializeType, _ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty, bytes.count <= FrameLimits.headerBytes else { return }
        var frame = ByteWriter(capacity: bytes.count + 8)
        frame.append(bigEndian: UInt32(bytes.count + 4))
        frame.append(bigEndian: UInt32(type.rawValue) << 24 | UInt32(bytes.count))
        frame.append(bytes)
        exerciseFrame(frame.bytes)
    }
}
