import Basics
import Remoting
import Testing

@testable import RouteClient

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

private func answer(
    _ status: PullAnswer.Status, next: Int64, suggested: Int64 = 0, offsets: Range<Int64> = 0..<0
) -> PullAnswer {
    PullAnswer(
        status: status, nextOffset: next, minOffset: 0, maxOffset: 100, suggestedBrokerID: suggested,
        messages: offsets.map { StoredMessage(topic: "T", queueID: 0, queueOffset: $0, body: []) })
}

/// Reading one queue: protocol.md 7.10, 7.11.
@Suite struct QueueReaderTests {
    private func reader(at offset: Int64) -> QueueReader {
        var reader = QueueReader(start: .first, hasGroup: false)
        _ = reader.step(now: at(0))
        reader.endOffset(offset)
        return reader
    }

    @Test func findsWhereToBegin() {
        // Without a group: the end asked for.
        var plain = QueueReader(start: .last, hasGroup: false)
        #expect(plain.step(now: at(0)) == .findEnd(.last))
        #expect(plain.step(now: at(0)) == .wait)
        plain.endOffset(42)
        #expect(plain.step(now: at(0)) == .pull(offset: 42, suggestedBrokerID: 0))
        // With a group: its offset, and when there is none the end.
        var known = QueueReader(start: .first, hasGroup: true)
        #expect(known.step(now: at(0)) == .findCommittedOffset)
        known.committedOffset(7)
        #expect(known.step(now: at(0)) == .pull(offset: 7, suggestedBrokerID: 0))
        var unknown = QueueReader(start: .first, hasGroup: true)
        _ = unknown.step(now: at(0))
        unknown.committedOffset(nil)
        #expect(unknown.step(now: at(0)) == .findEnd(.first))
    }

    @Test func deliversInOrderAndFollowsTheSuggestion() {
        var reader = reader(at: 5)
        _ = reader.step(now: at(0))
        let messages = reader.pulled(answer(.found, next: 8, suggested: 1, offsets: 5..<8), from: 0, now: at(1))
        #expect(messages.map(\.queueOffset) == [5, 6, 7])
        #expect(reader.step(now: at(1)) == .pull(offset: 8, suggestedBrokerID: 1))
        // Messages before the offset were asked for by nobody.
        #expect(
            reader.pulled(answer(.found, next: 10, offsets: 6..<10), from: 1, now: at(2)).map(\.queueOffset) == [8, 9])
    }

    /// Rows: answer, replica, offset afterwards (from 50), rest in ms after an answer that came 10 ms after the pull.
    @Test(
        arguments: [
            (.nothingNew, 50, 0, 50, 90), (.noMatch, 60, 0, 60, 0), (.noMatch, 50, 0, 50, 90),
            (.offsetIllegal, 70, 0, 70, 1_000), (.offsetIllegal, 20, 0, 20, 1_000), (.offsetIllegal, 20, 1, 50, 1_000),
            (.offsetIllegal, 70, 1, 70, 1_000), (.found, 50, 0, 50, 90),
        ] as [(PullAnswer.Status, Int64, Int64, Int64, Int64)])
    func reactsToCodes(
        _ status: PullAnswer.Status, _ next: Int64, _ brokerID: Int64, _ offset: Int64, _ rest: Int64
    ) {
        var reader = reader(at: 50)
        _ = reader.step(now: at(0))
        #expect(reader.pulled(answer(status, next: next), from: brokerID, now: at(10)).isEmpty)
        if rest > 0 {
            #expect(reader.step(now: at(10)) == .rest(until: at(10 + rest)))
            #expect(reader.step(now: at(9 + rest)) == .rest(until: at(10 + rest)))
        }
        #expect(reader.step(now: at(10 + rest)) == .pull(offset: offset, suggestedBrokerID: 0))
    }

    @Test func anEmptyAnswerAfterAHoldIsFollowedAtOnce() {
        var reader = reader(at: 50)
        _ = reader.step(now: at(0))
        _ = reader.pulled(answer(.nothingNew, next: 50), from: 0, now: at(15_000))
        #expect(reader.step(now: at(15_000)) == .pull(offset: 50, suggestedBrokerID: 0))
    }

    @Test func restsAfterAFailureUnlessThereIsAnotherReplica() {
        var reader = reader(at: 50)
        _ = reader.step(now: at(0))
        reader.failed(canTryAnother: true, now: at(10))
        #expect(reader.step(now: at(10)) == .pull(offset: 50, suggestedBrokerID: 0))
        reader.failed(canTryAnother: false, now: at(20))
        #expect(reader.step(now: at(20)) == .rest(until: at(1_020)))
        reader.wake()
        #expect(reader.step(now: at(21)) == .pull(offset: 50, suggestedBrokerID: 0))
        // A failure while looking for the offset asks for it again.
        var searching = QueueReader(start: .last, hasGroup: true)
        _ = searching.step(now: at(0))
        searching.failed(canTryAnother: true, now: at(1))
        #expect(searching.step(now: at(1)) == .findCommittedOffset)
    }
}

@Suite struct DeliveryLedgerTests {
    private let queue = MessageQueue(topic: "T", brokerName: "a", queueID: 0)
    private let master = Replica(brokerName: "a", brokerID: 0, address: "10.0.0.1:1")
    private let slave = Replica(brokerName: "a", brokerID: 1, address: "10.0.0.2:1")

    @Test func countsGapsRepeatsAndDuplicates() {
        var ledger = DeliveryLedger()
        for (offset, key, replica) in [
            (10, "k1", master), (11, "k2", master), (14, "k3", slave), (11, "k2", slave), (15, "k1", slave),
        ] {
            var message = StoredMessage(topic: "T", queueID: 0, queueOffset: Int64(offset), body: [1, 2])
            message.properties = MessageProperties(dictionaryLiteral: ("UNIQ_KEY", key)).text
            ledger.record(message, from: queue, by: replica)
        }
        #expect((ledger.received, ledger.duplicates, ledger.bodyBytes, ledger.missing) == (5, 2, 10, 2))
        let count = ledger.byQueue[0].count
        #expect((count.firstOffset, count.nextOffset, count.readAgain) == (10, 16, 1))
        #expect(ledger.byReplica.map(\.received) == [2, 3])
        // Moved back by a broker that lost its messages: what comes then is new.
        ledger.recordCorrection(of: queue, to: 3)
        ledger.record(
            StoredMessage(topic: "T", queueID: 0, queueOffset: 3, body: []), from: queue, by: master)
        #expect((ledger.corrections, ledger.missing, ledger.byQueue[0].count.readAgain) == (1, 2, 1))
    }
}
