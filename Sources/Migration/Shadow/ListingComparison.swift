// What two NameServers list: broker groups, clusters, KV tables. Topics are compared with their routes (RouteComparison).

import ClusterView
import Remoting

/// Compares two listings, as values: order never counts.
enum ListingComparison {
    /// All that differs.
    ///
    /// - Parameter comparesBytes: whether equal values in different bytes count, too.
    static func findings(
        reference: ServerListing, candidate: ServerListing, comparesBytes: Bool = false
    ) -> [ShadowFinding] {
        var findings = groups(reference, candidate) + clusters(reference, candidate) + keyValues(reference, candidate)
        if comparesBytes, let difference = ByteDifference(reference.clusterBytes, candidate.clusterBytes) {
            findings.append(
                ShadowFinding(.bytes, item: "cluster info", difference.reference, difference.candidate))
        }
        return findings
    }

    private static func groups(_ reference: ServerListing, _ candidate: ServerListing) -> [ShadowFinding] {
        let (left, right) = (reference.groups, candidate.groups)
        var findings: [ShadowFinding] = []
        for name in Set(left.keys).union(right.keys).sorted() {
            guard let ours = left[name], let theirs = right[name] else {
                findings.append(
                    ShadowFinding(
                        .group, broker: name, item: name, left[name]?.addressWords ?? "not listed",
                        right[name]?.addressWords ?? "not listed"))
                continue
            }
            if ours.settingWords != theirs.settingWords {
                findings.append(
                    ShadowFinding(.group, broker: name, item: name, ours.settingWords, theirs.settingWords))
            }
            for id in Set(ours.brokerAddrs.keys).union(theirs.brokerAddrs.keys).sorted()
            where ours.brokerAddrs[id] != theirs.brokerAddrs[id] {
                findings.append(
                    ShadowFinding(
                        .replica, broker: name, item: "\(name):\(id)", ours.brokerAddrs[id] ?? "not listed",
                        theirs.brokerAddrs[id] ?? "not listed"))
            }
        }
        return findings
    }

    /// Groups that only one of them lists at all are told by `groups`; what is left are names without a group.
    private static func clusters(_ reference: ServerListing, _ candidate: ServerListing) -> [ShadowFinding] {
        let (left, right) = (reference.cluster.clusterAddrTable, candidate.cluster.clusterAddrTable)
        let told = Set(reference.groups.keys).symmetricDifference(candidate.groups.keys)
        var findings: [ShadowFinding] = []
        for cluster in Set(left.keys).union(right.keys).sorted() {
            let (ours, theirs) = (Set(left[cluster] ?? []), Set(right[cluster] ?? []))
            for broker in ours.symmetricDifference(theirs).subtracting(told).sorted() {
                func words(_ names: Set<String>) -> String {
                    names.contains(broker) ? "named in \(cluster)" : "not named in \(cluster)"
                }
                findings.append(
                    ShadowFinding(.cluster, broker: broker, item: cluster, words(ours), words(theirs)))
            }
        }
        return findings
    }

    private static func keyValues(_ reference: ServerListing, _ candidate: ServerListing) -> [ShadowFinding] {
        var findings: [ShadowFinding] = []
        for namespace in Set(reference.keyValues.keys).union(candidate.keyValues.keys).sorted() {
            guard let ours = reference.keyValues[namespace] ?? nil, let theirs = candidate.keyValues[namespace] ?? nil
            else { continue }
            for key in Set(ours.keys).union(theirs.keys).sorted() where ours[key] != theirs[key] {
                func words(_ value: String?) -> String { value.map { "'\($0)'" } ?? "none" }
                findings.append(
                    ShadowFinding(.keyValue, item: "\(namespace)/\(key)", words(ours[key]), words(theirs[key])))
            }
        }
        return findings
    }
}

extension BrokerData {
    /// `0 at 10.0.0.1:10911, 1 at 10.0.0.2:10911`.
    var addressWords: String {
        guard !brokerAddrs.isEmpty else { return "no address" }
        return brokerAddrs.sorted { $0.key < $1.key }.map { "\($0.key) at \($0.value)" }.joined(separator: ", ")
    }

    /// `cluster C`, and what else is not usual. A group that does not say whether a slave may act says no, as 4.x.
    var settingWords: String {
        var words = "cluster \(cluster)"
        if let zoneName { words += ", zone \(zoneName)" }
        if enableActingMaster ?? false { words += ", a slave may act as master" }
        return words
    }
}

/// Where two bodies begin to differ.
struct ByteDifference {
    var reference: String
    var candidate: String

    /// Nil when they are the same.
    init?(_ reference: [UInt8], _ candidate: [UInt8]) {
        guard reference != candidate else { return nil }
        let same = zip(reference, candidate).prefix { $0 == $1 }.count
        func words(_ bytes: [UInt8]) -> String {
            let text = String(decoding: bytes[same...].prefix(24), as: UTF8.self)
            return "\(bytes.count) bytes, from byte \(same): \(text)"
        }
        self.reference = words(reference)
        self.candidate = words(candidate)
    }
}
