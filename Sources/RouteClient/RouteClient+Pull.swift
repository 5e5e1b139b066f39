import Basics
import Platform
import Remoting

/// A pull, or a question about offsets, that has no result.
public struct ReadFailure: Error, Hashable, Sendable {
    /// The reason.
    public var reason: RouteClientError
    /// Whether another replica of the broker is not barred: asking again at once goes there.
    public var canTryAnother: Bool
}

extension RouteClient {
    /// As long as a failed replica is barred.
    static let standInHold: Duration = .seconds(2)

    /// Pulls once from the best replica of the queue's broker (protocol.md 7.7, 7.11).
    ///
    /// - Parameters:
    ///   - suggestedBrokerID: of the last answer; 0 at first.
    ///   - limit: messages at most.
    ///   - committed: the group's offset to store on the way; ignored when a slave is asked.
    ///   - hold: how long the broker may wait for a message; a replica that stands in for another one waits at most
    ///     `standInHold`, since it cannot tell when the other one is back.
    public func pull(
        _ queue: MessageQueue, offset: Int64, suggestedBrokerID: Int64 = 0, limit: Int32 = 32,
        group: String, committed: Int64? = nil, hold: Duration = .seconds(15),
        completion: @escaping (Result<(answer: PullAnswer, from: Replica), ReadFailure>) -> Void
    ) {
        ask(queue.brokerName, suggested: suggestedBrokerID, of: queue.topic, timeout: hold + options.brokerTimeout) {
            BrokerRequests.pull(
                queue, offset: offset, limit: limit, group: group, commits: $0.brokerID == 0 ? committed : nil,
                hold: $0.brokerID == suggestedBrokerID ? hold : min(hold, RouteClient.standInHold))
        } completion: { result in
            completion(
                result.flatMap { answer, replica, address in
                    BrokerRequests.pullAnswer(answer, from: address)
                        .map { ($0, replica) }
                        .mapError { ReadFailure(reason: $0, canTryAnother: false) }
                })
        }
    }

    /// The group's offset in a queue; nil when the broker knows none (code 22).
    public func committedOffset(
        of queue: MessageQueue, group: String, completion: @escaping (Result<Int64?, ReadFailure>) -> Void
    ) {
        ask(queue.brokerName, of: queue.topic) { _ in
            BrokerRequests.queryOffset(queue, group: group)
        } completion: {
            completion($0.flatMap { answer, _, address in RouteClient.committedOffset(in: answer, from: address) })
        }
    }

    /// The first offset a queue has, or the one its next message will get.
    public func endOffset(
        _ end: StartingPoint, of queue: MessageQueue, completion: @escaping (Result<Int64, ReadFailure>) -> Void
    ) {
        ask(queue.brokerName, of: queue.topic) { _ in
            BrokerRequests.endOffset(end, of: queue)
        } completion: {
            completion($0.flatMap { answer, _, address in RouteClient.offset(in: answer, from: address) })
        }
    }

    /// Stores the group's offset in a queue.
    public func commit(
        _ offset: Int64, of queue: MessageQueue, group: String,
        completion: @escaping (Result<Void, ReadFailure>) -> Void
    ) {
        ask(queue.brokerName, of: queue.topic) { _ in
            BrokerRequests.commitOffset(offset, of: queue, group: group)
        } completion: {
            completion(
                $0.flatMap { answer, _, address in
                    answer.code == ResponseCode.success ? .success(()) : .failure(.refused(answer, address))
                })
        }
    }

    private static func committedOffset(
        in answer: RemotingCommand, from address: Address
    ) -> Result<Int64?, ReadFailure> {
        answer.code == ResponseCode.queryNotFound ? .success(nil) : offset(in: answer, from: address).map { $0 }
    }

    private static func offset(in answer: RemotingCommand, from address: Address) -> Result<Int64, ReadFailure> {
        guard answer.code == ResponseCode.success else { return .failure(.refused(answer, address)) }
        guard let offset = answer.integer("offset") else {
            return .failure(
                ReadFailure(reason: .malformed("no offset in it", from: address), canTryAnother: false))
        }
        return .success(offset)
    }

    /// Asks the best replica, and remembers it when it does not answer.
    func ask(
        _ brokerName: String, suggested brokerID: Int64 = 0, of topic: String, timeout: Duration? = nil,
        _ request: (Replica) -> RemotingCommand,
        completion: @escaping (Result<(answer: RemotingCommand, from: Replica, at: Address), ReadFailure>) -> Void
    ) {
        guard let broker = book.broker(named: brokerName),
            let replica = PullAddress.choose(
                of: broker, suggested: brokerID, allowsSlaves: options.readsFromSlaves, faults: readFaults,
                now: platform.now)
        else {
            book.suspect(topic, now: platform.now)
            poll()
            return completion(.failure(ReadFailure(reason: .noBroker(name: brokerName), canTryAnother: false)))
        }
        var command = request(replica)
        command.version = options.version
        brokers.call(replica.address, command, timeout: timeout ?? options.brokerTimeout) { [self] result in
            switch result {
            case .success(let (answer, address)): completion(.success((answer, replica, address)))
            case .failure(let error): completion(.failure(readFailed(error, at: replica, topic: topic)))
            }
        }
    }

    private func readFailed(_ error: RouteClientError, at replica: Replica, topic: String) -> ReadFailure {
        let now = platform.now
        readFaults.record(.networkError, of: replica.address, now: now)
        book.suspect(topic, now: now)
        poll()
        let others = book.broker(named: replica.brokerName).map { PullAddress.candidates(of: $0, suggested: 0) } ?? []
        return ReadFailure(
            reason: error,
            canTryAnother: !isClosed
                && others.contains {
                    (options.readsFromSlaves || $0.brokerID == 0) && readFaults.isAvailable($0.address, now: now)
                })
    }
}

extension ReadFailure {
    fileprivate static func refused(_ answer: RemotingCommand, _ address: Address) -> ReadFailure {
        ReadFailure(reason: BrokerRequests.error(answer, address), canTryAnother: false)
    }
}
