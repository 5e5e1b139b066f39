import Basics
import Glibc
import GossipBench
import Platform

/// What two idle nodes really send each other over loopback, as the kernel counts it (G1).
enum GossipWire {
    static func run(hearsay: String, seconds: Int) throws(PlatformError) -> BenchSection {
        var section = BenchSection(
            "wire",
            "Idle bytes per second on the connection of two real nodes, as the kernel counts (\(seconds) s, loopback)",
            columns: ["brokers", "payload", "segments per s", "with TCP/IP", "CPU us per s and node"])
        let nodes = try GossipNodes(count: 2, hearsay: hearsay, mode: "observe")
        defer { nodes.stopAll() }
        try nodes.start(0)
        try nodes.start(1)
        // Both have met and agree by then.
        sleep(5)
        let (before, cpuBefore, start) = (count(nodes.gossip), cpu(nodes), monotonicNanoseconds())
        sleep(UInt32(seconds))
        let (after, cpuAfter) = (count(nodes.gossip), cpu(nodes))
        let elapsed = Double(monotonicNanoseconds() - start) / 1e9
        let bytes = Double(after.bytes - before.bytes) / elapsed
        let segments = Double(after.segments - before.segments) / elapsed
        let wire = bytes + segments * Double(NaiveModels.segmentOverhead)
        section.add(
            .count(0), .tenths(bytes), .tenths(segments), .tenths(wire),
            .tenths((cpuAfter - cpuBefore) / elapsed / 2 * 1e6))
        if after.segments == before.segments {
            section.notes.append("ss (iproute2) shows no such connection: nothing could be counted.")
        } else {
            section.goal("G1 bytes a second on the wire, real nodes", wire, atMost: 500)
        }
        return section
    }

    private static func cpu(_ nodes: GossipNodes) -> Double { nodes.cpuSeconds(0) + nodes.cpuSeconds(1) }

    /// Bytes and segments sent by both ends of all connections to these addresses.
    private static func count(_ addresses: [Address]) -> (bytes: Int, segments: Int) {
        let filter = addresses.map { "dport = :\($0.port) or sport = :\($0.port)" }.joined(separator: " or ")
        guard let pipe = popen("ss -tinH '( \(filter) )' 2>/dev/null", "r") else { return (0, 0) }
        defer { pclose(pipe) }
        var (bytes, segments) = (0, 0)
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), pipe) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            for word in text.split(separator: " ") {
                if word.hasPrefix("bytes_sent:") { bytes += Int(word.dropFirst(11).prefix { $0 != "\n" }) ?? 0 }
                if word.hasPrefix("segs_out:") { segments += Int(word.dropFirst(9).prefix { $0 != "\n" }) ?? 0 }
            }
        }
        return (bytes, segments)
    }
}
