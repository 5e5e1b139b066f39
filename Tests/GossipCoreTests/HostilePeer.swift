import Basics

@testable import GossipCore

/// One hostile node: what it claims to hold and to be. It keeps to its story for long stretches, since who contradicts himself in every
/// frame is turned away at the door; in others it does not.
struct HostilePeer {
    let name: String
    var incarnation: UInt64 = 1
    /// What it claims to hold beside a copy of the node's own set, with all images.
    private(set) var records: [ReplicaRecord] = []
    private(set) var epoch: UInt32 = 1
    private(set) var sketch = Sketch(hash: HostilePeers.hash)
    private(set) var items: [UInt64] = []
    /// Its clock less the node's.
    var clockError: Duration

    init(name: String, clockError: Duration) {
        self.name = name
        self.clockError = clockError
    }

    static func item(_ record: ReplicaRecord) -> UInt64 {
        let hash = HostilePeers.hash
        return hash.item(
            replica: hash.replica(record.summary.identity), registration: record.summary.registrationHash)
    }

    func record(of item: UInt64) -> ReplicaRecord? { records.first { Self.item($0) == item } }

    /// Changes its story: the node's set as it is now, without some of it, and some records of its own.
    mutating func retell(_ own: FirstHandSet, _ records: [ReplicaRecord], leavingOut isLeftOut: () -> Bool) {
        epoch &+= 1
        sketch = own.sketch
        items = []
        for replica in own.all {
            if isLeftOut() { sketch.remove(replica.item) } else { items.append(replica.item) }
        }
        self.records = records
        for item in records.map(Self.item) where !items.contains(item) {
            sketch.insert(item)
            items.append(item)
        }
        items.sort()
    }
}

/// What the attack achieved, over all lives of the node: an attack that gets nowhere shows nothing.
struct HostileTally {
    /// Exchanges completed.
    var exchanges = 0
    /// Ages adopted from answers.
    var adoptions = 0
    /// Of those, ages that count as evidence.
    var trusted = 0
    /// Differences decoded from symbols beyond the root, or from lists.
    var decoded = 0
    /// Items named by peers.
    var named = 0
    /// Registrations learned, snapshots included.
    var learned = 0
    /// Parts of snapshots taken in.
    var chunks = 0
    /// Removals put off.
    var holds = 0
    /// Frames refused, answers that nothing asked for, connections turned down.
    var refused = 0
    /// Lives of the node.
    var lives = 1
}
