import Basics
import Platform
import Remoting
import RemotingTransport

/// One connection per broker address, made when first needed.
final class BrokerConnections {
    /// Requests that brokers send us.
    var onRequest: ((RemotingCommand) -> Void)?

    private let platform: any Platform
    private let options: RouteClientOptions
    private var links: [String: Link] = [:]
    private var isClosed = false

    private final class Link {
        let connection: RemotingConnection
        let address: Address
        /// Calls that timed out since the last answer.
        var silentCalls = 0

        init(_ connection: RemotingConnection, _ address: Address) {
            self.connection = connection
            self.address = address
        }
    }

    /// Timeouts in a row after which a connection is taken for dead. One slow answer must not fail all calls with it.
    static let silentCallLimit = 3

    init(platform: any Platform, options: RouteClientOptions) {
        self.platform = platform
        self.options = options
    }

    /// Sends a request; calls back exactly once, at once when there can be no connection.
    func call(
        _ address: String, _ command: RemotingCommand, timeout: Duration,
        completion: @escaping (Result<(answer: RemotingCommand, from: Address), RouteClientError>) -> Void
    ) {
        let link: Link
        switch self.link(to: address) {
        case .success(let found): link = found
        case .failure(let error): return completion(.failure(error))
        }
        link.connection.call(command, timeout: timeout) { result in
            switch result {
            case .success(let answer):
                link.silentCalls = 0
                completion(.success((answer, link.address)))
            case .failure(let error):
                link.silentCalls = error == .timeout ? link.silentCalls + 1 : 0
                if link.silentCalls >= BrokerConnections.silentCallLimit {
                    link.silentCalls = 0
                    link.connection.close()
                }
                completion(.failure(.noAnswer(error, from: link.address)))
            }
        }
    }

    /// Sends a oneway request; false when there can be no connection.
    @discardableResult func send(_ address: String, _ command: RemotingCommand) -> Bool {
        guard case .success(let link) = link(to: address) else { return false }
        link.connection.send(command)
        return true
    }

    /// Closes connections to addresses that are no longer known.
    func retain(_ isKnown: (String) -> Bool) {
        for address in links.keys.filter({ !isKnown($0) }).sorted() {
            links.removeValue(forKey: address)?.connection.close()
        }
    }

    /// Closes all, for good.
    func close() {
        isClosed = true
        retain { _ in false }
    }

    private func link(to text: String) -> Result<Link, RouteClientError> {
        if isClosed { return .failure(.closed) }
        if let link = links[text] { return .success(link) }
        guard let address = Address(text) else { return .failure(.limit("\(text) is no broker address")) }
        guard links.count < options.brokerConnectionLimit else {
            return .failure(.limit("\(options.brokerConnectionLimit) broker connections"))
        }
        var connectionOptions = RemotingConnectionOptions()
        connectionOptions.connectTimeout = options.connectTimeout
        connectionOptions.sign = options.sign
        connectionOptions.closesOnTimeout = false
        let connection = RemotingConnection(platform: platform, address: address, options: connectionOptions)
        connection.onRequest = { [weak self] in self?.onRequest?($0) }
        let link = Link(connection, address)
        links[text] = link
        return .success(link)
    }
}
