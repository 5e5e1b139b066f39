// What a page is told of each round of asking: the whole once, and then what has changed.
//
// Ages grow by themselves, so what is sent is the moment at which a broker was heard, in milliseconds of the watch's own
// clock (`t`); it changes with a heartbeat, twice a minute. With 1,000 brokers at three nodes that is some 100 changes a second
// of 20 bytes, instead of 3,000 ages.

import Basics
import ClusterView

/// Makes the event `round` for those who know the last one, and for those who know nothing.
struct RoundEncoder: Sendable {
    /// Brokers told; further ones are counted. Twice what a node takes by default.
    static let rowLimit = 20_000
    /// Differences told; further ones are counted: a node that is cut off differs in every broker.
    static let differenceLimit = 100
    /// Change of the moment of a heartbeat that is none: answers take their time.
    private static let jitter: Int64 = 400

    /// What one node knows of one broker.
    private struct Cell: Hashable, Sendable {
        var kind: String
        /// When it was heard; nil when nobody says.
        var heardAt: Int64?
        var timeout: Int64?
        /// Until when it is held.
        var heldUntil: Int64?
        var origin: String?

        func isLike(_ other: Cell) -> Bool {
            func near(_ one: Int64?, _ two: Int64?) -> Bool {
                guard let one, let two else { return one == nil && two == nil }
                return abs(one - two) <= RoundEncoder.jitter
            }
            return kind == other.kind && timeout == other.timeout && origin == other.origin
                && near(heardAt, other.heardAt) && near(heldUntil, other.heldUntil)
        }
    }

    private struct Key: Hashable, Sendable {
        var cluster: String
        var name: String
        var id: Int64
    }

    private struct Row: Sendable {
        var number: Int
        var key: Key
        var address: String
        var topics: Int?
        var cells: [Cell]
    }

    private struct Change {
        var rows: [Row] = []
        var cells: [(row: Int, column: Int, cell: Cell)] = []
        var gone: [Int] = []
    }

    private let origin: Instant
    private var rows: [Key: Row] = [:]
    private var nextNumber = 0
    private var differences: [ClusterDifference] = []

    /// - Parameter origin: time 0 of what is sent.
    init(origin: Instant) { self.origin = origin }

    /// Takes a round.
    ///
    /// - Returns: the event for those who got the last one and, if `wantsWhole`, for those who did not.
    mutating func encode(
        _ model: ClusterModel, _ events: [ClusterModel.Event], now: Instant, wallTime: WallTime, wantsWhole: Bool
    ) -> (change: [UInt8], whole: [UInt8]?) {
        let brokers = model.brokers
        let change = take(brokers, model)
        let told = Self.worded(model.differences)
        let areDifferencesNew = told != differences
        differences = told
        let nodes = ClusterStatus.nodes(of: model)
        func event(isWhole: Bool) -> [UInt8] {
            var json = JSONText()
            json.object { json in
                json.member("t", milliseconds(now))
                json.member("wall", wallTime.milliseconds)
                if isWhole { json.member("whole", true) }
                json.member("brokers", brokers.count)
                json.member("nodes", zip(nodes, model.nodes)) { Self.add($1.0, $1.1, to: &$0) }
                encode(isWhole ? wholeChange : change, &json)
                if isWhole || areDifferencesNew { encodeDifferences(model.differences, now, &json) }
                let lines = isWhole ? model.events : events
                if !lines.isEmpty { json.member("events", lines) { $0.add($1.line) } }
            }
            return json.bytes
        }
        return (event(isWhole: false), wantsWhole ? event(isWhole: true) : nil)
    }

    private func milliseconds(_ instant: Instant) -> Int64 { (instant - origin).wholeMilliseconds }

    // MARK: Brokers

    private var wholeChange: Change { Change(rows: rows.values.sorted { $0.number < $1.number }) }

    private mutating func take(_ brokers: [ClusterModel.BrokerRow], _ model: ClusterModel) -> Change {
        var change = Change()
        var left = rows
        for broker in brokers.prefix(Self.rowLimit) {
            let key = Key(cluster: broker.cluster, name: broker.name, id: broker.id)
            var cells = zip(broker.sights, model.nodes).map { cell($0, $1.answeredAt ?? origin) }
            guard var row = left.removeValue(forKey: key) else {
                let row = Row(
                    number: nextNumber, key: key, address: broker.address, topics: broker.topics, cells: cells)
                nextNumber += 1
                rows[key] = row
                change.rows.append(row)
                continue
            }
            let isOther = row.address != broker.address || row.topics != broker.topics
            for index in cells.indices {
                if cells[index].isLike(row.cells[index]) {
                    cells[index] = row.cells[index]
                } else if !isOther {
                    change.cells.append((row.number, index, cells[index]))
                }
            }
            (row.address, row.topics, row.cells) = (broker.address, broker.topics, cells)
            rows[key] = row
            if isOther { change.rows.append(row) }
        }
        for (key, row) in left {
            rows[key] = nil
            change.gone.append(row.number)
        }
        change.gone.sort()
        return change
    }

    private func cell(_ sight: ReplicaSight, _ answeredAt: Instant) -> Cell {
        let now = milliseconds(answeredAt)
        switch sight {
        case .unknown: return Cell(kind: "unknown")
        case .missing: return Cell(kind: "missing")
        case .listed: return Cell(kind: "listed")
        case .heard(let age, let timeout): return Cell(kind: "heard", heardAt: now - age, timeout: timeout)
        case .protected(let age, let timeout, let held):
            return Cell(kind: "protected", heardAt: now - age, timeout: timeout, heldUntil: held.map { now + $0 })
        case .learned(let age, let origin, _):
            return Cell(kind: "learned", heardAt: age.map { now - $0 }, origin: origin)
        }
    }

    private func encode(_ change: Change, _ json: inout JSONText) {
        if !change.rows.isEmpty {
            json.member("rows", change.rows) { json, row in
                json.array { json in
                    json.add(row.number)
                    for text in [row.key.cluster, row.key.name] { json.add(text) }
                    json.add(row.key.id)
                    json.add(row.address)
                    if let topics = row.topics { json.add(topics) } else { json.addNull() }
                    json.array { json in for cell in row.cells { Self.add(cell, to: &json) } }
                }
            }
        }
        if !change.cells.isEmpty {
            json.member("cells", change.cells) { json, change in
                json.array { json in
                    json.add(change.row)
                    json.add(change.column)
                    Self.add(change.cell, to: &json)
                }
            }
        }
        if !change.gone.isEmpty { json.member("gone", change.gone) { $0.add($1) } }
    }

    /// `[kind, heard at, timeout, held until, origin]`, cut off behind the last that is known.
    private static func add(_ cell: Cell, to json: inout JSONText) {
        json.array { json in
            json.add(cell.kind)
            let numbers = [cell.heardAt, cell.timeout, cell.heldUntil]
            let count = cell.origin == nil ? (numbers.lastIndex { $0 != nil } ?? -1) + 1 : numbers.count
            for number in numbers.prefix(count) {
                if let number { json.add(number) } else { json.addNull() }
            }
            if let origin = cell.origin { json.add(origin) }
        }
    }

    // MARK: Nodes

    private static func add(_ node: ClusterStatus.Node, _ polled: ClusterModel.Node, to json: inout JSONText) {
        json.object { json in
            json.member("name", node.name)
            json.member("address", node.address)
            json.member("up", node.isUp)
            json.member("error", node.error)
            guard let status = polled.status else { return }
            json.member("software", status.software)
            json.member("mode", node.mode)
            json.member("state", node.state)
            json.member("uptime", node.uptimeMillis)
            json.member("brokers", node.brokers)
            json.member("topics", node.topics)
            // In thousandths: a table of numbers needs no fractions.
            json.member("registrations", Int64((polled.registrationsPerSecond * 1000).rounded()))
            json.member("lookups", Int64((polled.lookupsPerSecond * 1000).rounded()))
            json.member("differs", node.differsFrom ?? [])
            json.member("peers", node.peers) { json, peer in
                json.object { json in
                    json.member("name", peer.name)
                    json.member("up", peer.isConnected)
                    json.member("state", peer.state)
                    json.member("micros", peer.roundTripMicros)
                    json.member("agrees", peer.agrees)
                    json.member("problem", peer.problem)
                }
            }
        }
    }

    // MARK: Differences

    /// Without what changes with every look.
    private static func worded(_ differences: [ClusterDifference]) -> [ClusterDifference] {
        differences.prefix(differenceLimit).map {
            var difference = $0
            difference.sinceMillis = nil
            return difference
        }
    }

    private func encodeDifferences(_ differences: [ClusterDifference], _ now: Instant, _ json: inout JSONText) {
        json.member("differenceCount", differences.count)
        json.member("differences", differences.prefix(Self.differenceLimit)) { json, difference in
            json.object { json in
                json.member("kind", difference.kind.rawValue)
                json.member("subject", difference.subject)
                json.member("since", difference.sinceMillis.map { milliseconds(now) - $0 })
                json.member("here", difference.here)
                json.member("there", difference.there)
                json.member("text", difference.text)
                json.member("advice", difference.advice)
            }
        }
    }
}
