import Basics
import Load
import Platform
import Remoting

/// What the measurements of gossip use of the load tool.
enum GossipSupport {
    /// A full registration with this body.
    static func registration(broker: Int, body: [UInt8]) -> [UInt8] {
        Fleet().registrationFrame(of: broker, body: body)
    }

    /// A request as a frame.
    static func encoded(_ command: RemotingCommand) -> [UInt8] { command.encoded() }

    /// Asks until somebody answers; false when nobody did within the limit.
    static func answers(_ address: Address, within limit: Duration) -> Bool {
        StartProbe.firstAnswer(of: address, limit: limit) != nil
    }

    /// A loopback port that was free a moment ago.
    static func freeAddress() throws(PlatformError) -> Address {
        do {
            return try ServerUnderTest.freeAddress()
        } catch {
            throw PlatformError(operation: "find a free port", name: "\(error.kind)", message: error.description)
        }
    }
}
