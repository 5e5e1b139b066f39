import Basics
import Platform
import Remoting

extension Consumption {
    /// Hands every complete frame at the front of `bytes` to `handle`, in order, until it answers false.
    ///
    /// - Parameter limit: the largest whole frame accepted, in bytes.
    /// - Throws: the first frame's error, or what `handle` throws; frames before it have been handled.
    @inlinable public static func frames(
        in bytes: UnsafeRawBufferPointer, limit: Int = FrameLimits.frameBytes,
        _ handle: (Frame) throws(RemotingError) -> Bool
    ) throws(RemotingError) -> Consumption {
        var consumed = 0
        while consumed < bytes.count {
            switch try Frame.first(in: UnsafeRawBufferPointer(rebasing: bytes[consumed...]), limit: limit) {
            case .incomplete(let needed):
                return Consumption(consumed: consumed, needed: needed)
            case .frame(let frame):
                consumed += frame.length
                guard try handle(frame) else { return Consumption(consumed: consumed) }
            }
        }
        return Consumption(consumed: consumed)
    }
}
