import Basics

/// The replicas this node heard itself, as its peers compare them: a set of items with its sketch (rule R1).
///
/// Nothing learned ever enters. The tables keep the registrations; here are only their hashes, about 100 bytes each.
struct FirstHandSet {
    struct Replica {
        let token: ReplicaToken
        /// `KeyedHash.replica` of its identity.
        let hash: UInt64
        var registration: UInt64
        var item: UInt64
        var version: UInt64
        /// Silence it is granted.
        var timeout: Duration
    }

    let hash: KeyedHash
    private(set) var sketch: Sketch
    /// XOR of all versions.
    private(set) var versionDigest: UInt64 = 0
    /// Counts the changes of the set, so that symbols of two states are never mixed.
    private(set) var epoch: UInt32 = 0
    private var replicas: ContiguousArray<Replica?> = []
    private var byHash: [UInt64: ReplicaToken] = [:]
    private var byItem: [UInt64: ReplicaToken] = [:]
    private var sorted: (epoch: UInt32, items: [UInt64]) = (0, [])

    init(hash: KeyedHash) {
        self.hash = hash
        sketch = Sketch(hash: hash)
    }

    var count: Int { sketch.itemCount }

    subscript(token: ReplicaToken) -> Replica? {
        Int(token.number) < replicas.count ? replicas[Int(token.number)] : nil
    }

    func replica(hash: UInt64) -> Replica? { byHash[hash].flatMap { self[$0] } }
    func replica(item: UInt64) -> Replica? { byItem[item].flatMap { self[$0] } }

    /// All replicas in the order of their tokens.
    var all: some Sequence<Replica> { replicas.lazy.compactMap { $0 } }

    /// The first replica whose token is at least `number`; how a snapshot walks the set.
    func replica(from number: Int) -> Replica? {
        var number = number
        while number < replicas.count {
            if let replica = replicas[number] { return replica }
            number += 1
        }
        return nil
    }

    /// Takes in a registration: a new replica, or another state of a known one.
    mutating func set(_ token: ReplicaToken, _ summary: RegistrationSummary) {
        let replicaHash = hash.replica(summary.identity)
        let new = Replica(
            token: token, hash: replicaHash, registration: summary.registrationHash,
            item: hash.item(replica: replicaHash, registration: summary.registrationHash),
            version: hash.version(summary.version, of: replicaHash),
            timeout: .milliseconds(max(0, summary.timeoutMillis)))
        let old = self[token]
        if let old, old.item == new.item {
            versionDigest ^= old.version ^ new.version
            replicas[Int(token.number)] = new
            return
        }
        if let old {
            remove(token)
            if planted(.sketchKeepsOld) { sketch.insert(old.item) }
        }
        while replicas.count <= Int(token.number) { replicas.append(nil) }
        replicas[Int(token.number)] = new
        byHash[new.hash] = token
        byItem[new.item] = token
        versionDigest ^= new.version
        sketch.insert(new.item)
        epoch &+= 1
    }

    @discardableResult
    mutating func remove(_ token: ReplicaToken) -> Replica? {
        guard let old = self[token] else { return nil }
        replicas[Int(token.number)] = nil
        if byHash[old.hash] == token { byHash[old.hash] = nil }
        if byItem[old.item] == token { byItem[old.item] = nil }
        versionDigest ^= old.version
        sketch.remove(old.item)
        epoch &+= 1
        return old
    }

    /// All items in increasing order; sorted once for each state of the set.
    mutating func sortedItems() -> [UInt64] {
        if sorted.epoch != epoch || sorted.items.count != count {
            sorted = (epoch, byItem.keys.sorted())
        }
        return sorted.items
    }
}
