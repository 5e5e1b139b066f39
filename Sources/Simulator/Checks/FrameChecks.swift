import Basics
import BrokerAgent
import GossipCore
import NameServerCore
import NameServerNode

/// 7, 11, 12, 17, 21 and 27: what may be sent, and by whom. Looks at every frame on the way out.
final class FrameChecks: Invariant {
    private(set) var number = 7
    private(set) var name = ""
    private let watch: GossipWatch
    /// By node: fingerprints of the digests that its present life has sent.
    private var digests: [(life: Int, last: UInt64, all: Set<UInt64>)]
    /// By node: the root and the tables when a digest was last compared with what the tables hold.
    private var compared: [(life: Int, root: SketchSymbol, requests: Int, tableTick: UInt64)]

    init(_ watch: GossipWatch) {
        self.watch = watch
        digests = Array(repeating: (0, 0, []), count: watch.cluster.nodes.count)
        compared = Array(repeating: (0, .zero, 0, 0), count: watch.cluster.nodes.count)
    }

    private func fail(_ number: Int, _ name: String, _ text: String) -> String {
        (self.number, self.name) = (number, name)
        return text
    }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node, let look = watch.looks[node.index] else { return nil }
        for frame in watch.frames where frame.from == node.index && frame.life == look.life {
            let text = content(frame, look) ?? need(frame, look) ?? size(frame)
            if let text { return "\(node.host.name) to \(cluster.nodes[frame.to].host.name): \(text)" }
        }
        return digestsOfPeers(node.index, look)
    }

    // MARK: 7 and 11

    private func content(_ frame: GossipWatch.Frame, _ look: GossipWatch.Look) -> String? {
        switch frame.message {
        case .syn(let syn): return digest(syn.digest, frame, look)
        case .synAck(let answer): return digest(answer.digest, frame, look) ?? reports(answer.ages, frame, look)
        case .ack(let answer): return reports(answer.ages, frame, look)
        case .item(let answer):
            for entry in answer.entries {
                guard let record = entry.record else { continue }
                if let text = told(record, frame) { return text }
            }
            if let image = answer.image, image.offset == 0, image.bytes.count == image.total {
                return images(image.bytes, of: answer.entries.compactMap(\.record), frame)
            }
            return nil
        case .snapshotChunk(let chunk):
            if isWarming(frame.from, look) { return fail(11, "warming is silent", "a snapshot while warming up") }
            for entry in chunk.entries {
                if let text = told(entry.record, frame) { return text }
            }
            return images(chunk.images, of: chunk.entries.filter { !$0.isOversized }.map(\.record), frame)
        default: return nil
        }
    }

    /// Before the event and after it: in between it may have become ready.
    private func isWarming(_ node: Int, _ look: GossipWatch.Look) -> Bool {
        look.state == .warming && (watch.before[node].map { $0.state == .warming } ?? true)
    }

    private func digest(_ digest: Digest, _ frame: GossipWatch.Frame, _ look: GossipWatch.Look) -> String? {
        note(digest, frame)
        guard digest.root == look.root || digest.root == watch.before[frame.from]?.root else {
            return fail(7, "first-hand only", "a digest of something else than what it heard")
        }
        guard digest.root == look.root else { return nil }
        let state = (look.life, look.root, look.requests, look.tableTick)
        if compared[frame.from] == state { return nil }
        compared[frame.from] = state
        // XOR over what the tables hold themselves, made anew.
        let server = watch.cluster.nodes[frame.from].node
        let items = server?.inspectTables { tables in
            tables.firstHandTokens.compactMap { tables.summary(of: $0) }.map {
                SimulatedNode.hash.item(
                    replica: SimulatedNode.hash.replica($0.identity), registration: $0.registrationHash)
            }
        }
        guard let items, digest.root.count == items.count, digest.root.sum == items.reduce(0, ^) else {
            return fail(7, "first-hand only", "the digest is not that of the replicas it heard")
        }
        return nil
    }

    private func note(_ digest: Digest, _ frame: GossipWatch.Frame) {
        if digests[frame.from].life != frame.life { digests[frame.from] = (frame.life, 0, []) }
        let fingerprint = digest.fingerprint
        guard digests[frame.from].last != fingerprint else { return }
        digests[frame.from].last = fingerprint
        digests[frame.from].all.insert(fingerprint)
    }

    private func reports(_ ages: [AgeReport], _ frame: GossipWatch.Frame, _ look: GossipWatch.Look) -> String? {
        for report in ages {
            guard let heard = report.heard else { continue }
            if isWarming(frame.from, look) { return fail(11, "warming is silent", "evidence while warming up") }
            guard let broker = watch.hashes.firstIndex(of: report.replica) else { continue }
            if let text = told(heard.hearing, broker, frame) { return text }
        }
        return nil
    }

    private func told(_ record: ReplicaRecord, _ frame: GossipWatch.Frame) -> String? {
        guard let broker = watch.cluster.brokers.first(where: { $0.replica == record.summary.identity }) else {
            return nil
        }
        return told(record.hearing, broker.index, frame)
    }

    /// A node tells only what it heard itself in this life, and no younger than that is.
    private func told(_ hearing: ReportedHearing, _ broker: Int, _ frame: GossipWatch.Frame) -> String? {
        let label = watch.cluster.brokers[broker].replica.label
        guard let last = watch.heard[frame.from][broker].last, last.life == frame.life else {
            return fail(7, "first-hand only", "an age of \(label), which it never heard")
        }
        let age = watch.time - last.time
        let told = hearing.age.wholeNanoseconds
        // Its clock may be slow, or have stood still without its knowing.
        let slow = told / 1_000 + 1_000 + watch.frozen(frame.from, since: last.time)
        guard told + slow < age else { return nil }
        return fail(7, "first-hand only", "\(label) is \(seconds(told)) old, it says; it heard it \(seconds(age)) ago")
    }

    // MARK: 21

    private func images(_ bytes: [UInt8], of records: [ReplicaRecord], _ frame: GossipWatch.Frame) -> String? {
        guard let images = try? RegistrationImages.decode(bytes, replicas: records.count) else { return nil }
        for (place, record) in records.enumerated() {
            guard let broker = watch.cluster.brokers.first(where: { $0.replica == record.summary.identity }),
                !broker.dropped.isEmpty
            else { continue }
            var names: [String] = []
            images.forEachTopic(of: place) { name, _ in names.append(String(decoding: name, as: UTF8.self)) }
            for name in names {
                guard let drop = broker.dropped[name], broker.topics[name] == nil else { continue }
                // The second registration after it, and the time in which pieces of a split one may come.
                let later = watch.heard[frame.from][broker.index].filter { $0.time > drop + 100_000_000 }
                guard let first = later.first, later.last!.life == first.life else { continue }
                let limit = watch.cluster.options.heartbeat * 2 + .seconds(10) + watch.cluster.options.scan
                if watch.time - first.time > limit.wholeNanoseconds + watch.frozen(frame.from, since: drop) {
                    return fail(21, "residue stays", "\(name), which \(record.summary.identity.label) dropped")
                }
            }
        }
        return nil
    }

    // MARK: 17

    private func need(_ frame: GossipWatch.Frame, _ look: GossipWatch.Look) -> String? {
        let what: String
        switch frame.message {
        case .sketchRequest: what = "sketch"
        case .listRequest: what = "list"
        case .itemRequest(let request) where request.imageOffset == nil: what = "items"
        default: return nil
        }
        let peer = watch.peer(watch.cluster.nodes[frame.to].host.name, of: frame.from)
        guard let digest = peer?.now.digest, digest.root == look.root,
            let last = watch.before[frame.from], last.root == look.root,
            // Of several frames that came at once, one may have told of another set.
            look.counters.framesReceived - last.counters.framesReceived <= 1
        else { return nil }
        return fail(17, "equality is free", "asks for the \(what) of an equal set")
    }

    // MARK: 17 and 27

    private func size(_ frame: GossipWatch.Frame) -> String? {
        let cap: Int
        switch frame.message {
        case .syn(let syn): cap = 160 + 8 * syn.asks.count
        case .synAck(let answer): cap = 176 + 8 * answer.asks.count + 40 * answer.ages.count
        case .ack(let answer): cap = 64 + 40 * answer.ages.count
        default: cap = WireLimits.frameBytes
        }
        if frame.size <= cap { return nil }
        return fail(17, "equality is free", "a frame of \(frame.size) bytes")
    }

    // MARK: 12

    /// What a node holds for its peer's digest was sent by the life that the link belongs to.
    private func digestsOfPeers(_ node: Int, _ look: GossipWatch.Look) -> String? {
        guard watch.isFresh[node] else { return nil }
        for (place, _) in watch.changes[node] {
            let peer = watch.peers[node][place]
            guard let digest = peer.digest, let other = watch.number(ofPeer: place, of: node),
                let life = watch.contacts[node][other].last?.peerLife, peer.firstContact != nil,
                watch.looks[other]?.life == life
            else { continue }
            if digests[other].life == life, digests[other].all.contains(digest.fingerprint) { continue }
            return fail(
                12, "one life", "\(watch.cluster.nodes[node].host.name) goes by a digest of \(peer.name)'s former life")
        }
        return nil
    }
}

/// 12, of names: while two living nodes go by one name, neither is a witness for long.
final class OneNodeAName: Invariant {
    let number = 12
    let name = "one life"
    private let watch: GossipWatch
    /// Seconds, by node and name, that it was believed.
    private var believed: [String: Int] = [:]
    /// Until it is noticed: the first frames of the one after the other has taken its place.
    private static let grace = 10

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if node != nil || watch.sharedNames.isEmpty { return nil }
        for node in cluster.nodes where node.host.pause == nil {
            for peer in watch.peers[node.index] where peer.isWitness {
                guard watch.sharedNames.contains(peer.name) else { continue }
                let key = "\(node.index) \(peer.name)"
                believed[key, default: 0] += 1
                if believed[key, default: 0] <= Self.grace { continue }
                return "\(node.host.name) believes two nodes that both call themselves \(peer.name)"
            }
        }
        return nil
    }
}

/// 27: what one frame of gossip makes a node do takes at most a millisecond, by a simple model of the cost.
///
/// Virtual time does not pass while a node works, so work is counted instead: what a frame and a byte, received or sent,
/// cost on the machine of the measurements, rounded up.
final class GossipCost: Invariant {
    let number = 27
    let name = "stock traffic waits at most 1 ms"
    private let watch: GossipWatch
    private static let frame = 4_000
    private static let byte = 8

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node, watch.isFresh[node.index], let look = watch.looks[node.index],
            let last = watch.before[node.index], last.life == look.life
        else { return nil }
        let inputs = max(1, look.counters.framesReceived - last.counters.framesReceived)
        let frames = look.counters.framesSent - last.counters.framesSent + inputs
        let bytes =
            look.counters.bytesSent - last.counters.bytesSent + look.counters.bytesReceived
            - last.counters.bytesReceived
        let cost = (frames * Self.frame + bytes * Self.byte) / inputs
        if cost <= 1_000_000 { return nil }
        return "\(node.host.name) works \(cost / 1_000) us on one frame: \(frames) frames, \(bytes) bytes"
    }
}

extension Digest {
    /// Tells two digests apart; cheaper than a hash that withstands enemies.
    fileprivate var fingerprint: UInt64 {
        var value: UInt64 = 0x9E37_79B9_7F4A_7C15
        for part in [
            UInt64(state.rawValue) << 8 | UInt64(mode.rawValue), UInt64(localHealth), UInt64(replicas), UInt64(late),
            root.sum, root.check, UInt64(bitPattern: Int64(root.count)), versionXor, keyValueDigest,
            administrationDigest, UInt64(epoch),
        ] {
            let product = (value ^ part).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            value = product.high ^ product.low
        }
        return value
    }
}
