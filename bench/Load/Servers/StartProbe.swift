import Basics
import Glibc
import Remoting

/// Asks an address again and again until somebody answers: how long a server takes to start.
public enum StartProbe {
    /// Between two attempts.
    private static let pause: UInt32 = 200

    /// Nanoseconds from now to the first whole answer; nil when none came within the limit.
    public static func firstAnswer(of address: Address, limit: Duration) -> Int64? {
        firstAnswer(of: address, since: monotonicTime(), limit: limit)
    }

    /// Nanoseconds from `begin` to the first whole answer; nil when none came within the limit.
    static func firstAnswer(of address: Address, since begin: Int64, limit: Duration) -> Int64? {
        let question = RemotingCommand(request: RequestCode.getBrokerClusterInfo).encoded()
        guard let endpoint = try? Endpoint(address) else { return nil }
        while monotonicTime() - begin < limit.wholeNanoseconds {
            if (try? Exchange.answer(to: question, at: endpoint)) != nil { return monotonicTime() - begin }
            usleep(pause)
        }
        return nil
    }
}
