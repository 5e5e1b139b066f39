import Basics

extension ClusterComparison {
    /// The namespace that routes are made with; the only one clients see.
    static let orderNamespace = "ORDER_TOPIC_CONFIG"

    /// Keys of ORDER_TOPIC_CONFIG that nodes do not agree about.
    static func keyValues(_ readings: [NodeReading]) -> [ClusterDifference] {
        let nodes = readings.filter { $0.isUp && $0.orderTopics != nil }
        return Set(nodes.flatMap { ($0.orderTopics ?? [:]).keys }).sorted().compactMap { key in
            let sides = sides(nodes) { Optional($0.orderTopics?[key]) }
            guard sides.count > 1 else { return nil }
            // Who lacks a key stands on the other side, however many they are.
            let ordered = sides.filter { $0.value != nil } + sides.filter { $0.value == nil }
            let text = ordered.map { side in
                "\(enumeration(side.members.map(\.name))): \(side.value.map { "'\($0)'" } ?? "none")"
            }.joined(separator: "; ")
            // They differ since the last of them changed.
            let changed = nodes.compactMap { node in
                node.lastChange("keyValueChanged") { $0.hasPrefix("configuration \(orderNamespace)/\(key) ") }
            }
            return ClusterDifference(
                kind: .keyValue, subject: "\(orderNamespace)/\(key)", here: ordered[0].members.map(\.name),
                there: ordered.dropFirst().flatMap(\.members).map(\.name), sinceMillis: changed.min(), text: text,
                advice: keyValueAdvice(key, ordered))
        }
    }

    private static func keyValueAdvice(
        _ key: String, _ sides: [(value: String?, members: [NodeReading])]
    ) -> String {
        let values = sides.compactMap(\.value)
        let decision = values.count == 1 ? "to set it everywhere, " : "decide which value is right; to set the first, "
        let targets = sides.dropFirst().flatMap(\.members).map(\.address.description).joined(separator: ";")
        let put =
            "mqadmin updateKvConfig -n \(shellWord(targets)) -s \(orderNamespace) -k \(shellWord(key)) -v \(shellWord(values[0]))"
        let delete =
            sides.contains { $0.value == nil }
            ? "; if it was deleted on purpose, mqadmin deleteKvConfig on the others" : ""
        return decision + put + delete
    }
}
