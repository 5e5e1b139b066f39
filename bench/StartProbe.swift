import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport

/// Asks an address again and again until somebody answers: how long a server takes to start.
final class StartProbe {
    /// Between two attempts.
    private static let pause = Duration.microseconds(500)

    private let loop: EventLoop
    private let begin: Instant
    private let limit: Duration
    private let connection: RemotingConnection
    private var elapsed: Double?
    private lazy var retry = loop.makeTimer { [weak self] in self?.ask() }

    /// The clock starts here.
    init(address: Address, limit: Duration) throws(PlatformError) {
        loop = try EventLoop()
        self.limit = limit
        connection = RemotingConnection(platform: loop, address: address)
        begin = loop.now
    }

    /// Nil when nobody answers within the limit.
    func millisecondsToFirstAnswer() -> Double? {
        ask()
        loop.run()
        return elapsed
    }

    private func ask() {
        let question = RemotingCommand(request: RequestCode.getBrokerClusterInfo)
        connection.call(question, timeout: .seconds(1)) { [weak self] result in self?.answered(result) }
    }

    private func answered(_ result: Result<RemotingCommand, RemotingCallError>) {
        let passed = loop.now - begin
        if case .success = result {
            elapsed = Double(passed.wholeNanoseconds) / 1e6
        } else if passed < limit {
            retry.start(at: loop.now + Self.pause)
            return
        }
        loop.stop()
    }

    /// A loopback port that was free a moment ago.
    static func freeAddress() throws(PlatformError) -> Address {
        let loop = try EventLoop()
        let refusing = Refusing()
        let listener = try loop.listen(
            at: Address(host: "127.0.0.1", port: 0), options: StreamOptions(), handler: refusing)
        let address = listener.address
        listener.close()
        loop.stop()
        loop.run()
        return address
    }

    private final class Refusing: ListenerHandler {
        func accept(_ stream: any ByteStream) -> (any StreamHandler)? { nil }
    }
}
