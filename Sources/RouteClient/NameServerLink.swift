import Basics
import Platform
import Remoting
import RemotingTransport

/// The client's one NameServer connection: asks the current NameServer, and the next one when it does not answer.
final class NameServerLink {
    /// Set while all NameServers have failed and the next round is not due.
    private(set) var restsUntil: Instant?
    /// The NameServer in use.
    var current: Address { selector.current }

    private let platform: any Platform
    private let options: RouteClientOptions
    private var selector: NameServerSelector
    private var generator: SeededGenerator
    private var connection: RemotingConnection?
    private var isClosed = false

    init(platform: any Platform, addresses: [Address], options: RouteClientOptions, generator: SeededGenerator) {
        self.platform = platform
        self.options = options
        self.generator = generator
        selector = NameServerSelector(addresses, backoff: options.nameServerBackoff, using: &self.generator)
    }

    /// Asks until a NameServer answers, each at most once. Any response code is an answer.
    func ask(
        _ command: RemotingCommand,
        completion: @escaping (Result<(answer: RemotingCommand, from: Address), RouteClientError>) -> Void
    ) {
        ask(command, attemptsLeft: selector.addresses.count, completion: completion)
    }

    private func ask(
        _ command: RemotingCommand, attemptsLeft: Int,
        completion: @escaping (Result<(answer: RemotingCommand, from: Address), RouteClientError>) -> Void
    ) {
        if isClosed { return completion(.failure(.closed)) }
        let connection = connected()
        let address = connection.address
        connection.call(command, timeout: options.nameServerTimeout) { [self] result in
            switch result {
            case .success(let answer):
                if address == selector.current {
                    selector.succeeded()
                    restsUntil = nil
                }
                completion(.success((answer, address)))
            case .failure(let error):
                failed(connection)
                if isClosed { return completion(.failure(.closed)) }
                if attemptsLeft == 1 || restsUntil ?? .zero > platform.now {
                    return completion(.failure(.noNameServer(error, last: address)))
                }
                ask(command, attemptsLeft: attemptsLeft - 1, completion: completion)
            }
        }
    }

    /// Ends the connection; calls under way fail.
    func close() {
        isClosed = true
        let last = connection
        connection = nil
        last?.close()
    }

    /// Gives up a connection and moves on. Closing it fails its other calls, which find it given up already.
    private func failed(_ connection: RemotingConnection) {
        guard connection === self.connection else { return }
        self.connection = nil
        if case .rest(let rest) = selector.failed(connection.address, using: &generator) {
            restsUntil = platform.now + rest
        }
        connection.close()
    }

    private func connected() -> RemotingConnection {
        if let connection, connection.address == selector.current { return connection }
        var connectionOptions = RemotingConnectionOptions()
        connectionOptions.connectTimeout = options.connectTimeout
        connectionOptions.sign = options.sign
        connectionOptions.closesOnTimeout = false
        let connection = RemotingConnection(
            platform: platform, address: selector.current, options: connectionOptions)
        self.connection = connection
        return connection
    }
}
