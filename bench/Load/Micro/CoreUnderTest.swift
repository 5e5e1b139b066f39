import Basics
import NameServerCore
import Remoting

/// The core of our node, fed with frames as its shell does, without a shell.
final class CoreUnderTest {
    private var core: NameServer
    private var header = CommandHeader()
    private var output = ByteWriter(capacity: 1 << 16)
    private var directives: [Directive] = []
    private var now = Instant(nanoseconds: 1_000_000_000)
    private let wallTime = WallTime(milliseconds: 1_700_000_000_000)

    init() { core = NameServer(properties: NamesrvProperties(), startedAt: Instant(nanoseconds: 0)) }

    func registration(_ fleet: Fleet, broker: Int, state: Int = 1, changed: Int = 0) -> [UInt8] {
        let body = fleet.body(ofSet: broker / fleet.spread, state: state, changed: state % 2 == 0 ? 0 : changed)
        return fleet.registrationFrame(of: broker, body: body)
    }

    func register(_ fleet: Fleet, broker: Int, state: Int = 1, changed: Int = 0) {
        send(registration(fleet, broker: broker, state: state, changed: changed), from: UInt64(broker + 1))
    }

    /// Bytes of the answer.
    func lookup(_ topic: String, of fleet: Fleet) -> Int {
        send(fleet.lookup(topic).encoded())
        return output.count
    }

    /// Serves one frame; the answer is the only one in `output`.
    func send(_ frame: [UInt8], from connection: UInt64 = 1) {
        output.removeAll()
        directives.removeAll(keepingCapacity: true)
        frame.withUnsafeBytes { bytes in
            guard case .frame(let frame)? = try? Frame.first(in: bytes), (try? header.decode(frame)) != nil else {
                preconditionFailure("a frame of ours does not decode")
            }
            let handled = core.handle(
                header, body: frame.body, from: connection, now: now, wallTime: wallTime, output: &output,
                directives: &directives)
            guard case .decode(let pending) = handled else { return }
            core.finish(
                pending, pending.decode(), now: now, wallTime: wallTime, output: &output, directives: &directives)
        }
    }

    /// Lets all brokers fall silent; says how many went.
    func expireAll() -> Int {
        now = now + .seconds(200)
        directives.removeAll(keepingCapacity: true)
        core.scan(now: now, wallTime: wallTime, directives: &directives)
        return directives.reduce(0) {
            if case .close = $1 { return $0 + 1 }
            return $0
        }
    }
}
