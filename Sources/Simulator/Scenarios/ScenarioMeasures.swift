import Basics

/// What was measured over one scenario: the metrics of gossip.md section 4.
public struct ScenarioMeasures: Hashable, Sendable {
    /// From the fault, or from the last heartbeat where that is named, to the first alarm; nil = no alarm.
    public var detection: Double?
    /// Broker-seconds for which a running node did not serve a broker that some node had heard within its timeout.
    public var falseEviction = 0.0
    /// Broker-seconds for which a node served a broker that no node had heard for timeout, scan and a second.
    public var zombie = 0.0
    /// The longest time, in seconds, for which a node that served a living broker before did not serve it.
    public var routeGap = 0.0
    /// Route requests for topics of living brokers that were answered with "topic does not exist".
    public var topicNotExist = 0
    /// Those answered with "name server not ready".
    public var notReady = 0
    /// Those answered with a route.
    public var routes = 0
    /// Alarms: warnings that two nodes differ.
    public var alarms = 0
    /// Bytes of gossip frames that nodes sent.
    public var gossipBytes = 0
    /// Periods (seconds) from the end of the fault until all nodes agree; nil = not measured, or never.
    public var periodsToConverge: Double?

    /// Nothing yet.
    public init() {}

    /// Takes another part of the same scenario in: sums where sums mean something, otherwise the worse one.
    mutating func merge(_ other: ScenarioMeasures) {
        func worse(_ left: Double?, _ right: Double?) -> Double? {
            guard let left, let right else { return left ?? right }
            return max(left, right)
        }
        detection = worse(detection, other.detection)
        falseEviction += other.falseEviction
        zombie += other.zombie
        routeGap = max(routeGap, other.routeGap)
        topicNotExist += other.topicNotExist
        notReady += other.notReady
        routes += other.routes
        alarms += other.alarms
        gossipBytes += other.gossipBytes
        periodsToConverge = worse(periodsToConverge, other.periodsToConverge)
    }

    /// Each with its name and unit, in the order above; what was not measured is a dash.
    public var named: [(name: String, value: String)] {
        func text(_ value: Double?) -> String { value.map { oneDecimal($0) } ?? "-" }
        return [
            ("detection s", text(detection)), ("false-eviction broker-s", text(falseEviction)),
            ("zombie broker-s", text(zombie)), ("route gap s", text(routeGap)), ("TOPIC_NOT_EXIST", "\(topicNotExist)"),
            ("not ready", "\(notReady)"), ("routes", "\(routes)"), ("alarms", "\(alarms)"),
            ("gossip bytes", "\(gossipBytes)"), ("periods to converge", text(periodsToConverge)),
        ]
    }
}

/// One decimal, without a locale.
func oneDecimal(_ value: Double) -> String {
    let tenths = Int64((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}
