import Basics

// What travels instead of names: 64-bit keyed hashes. A replica's hash names it; an item stands for one state of it.

extension KeyedHash {
    /// Names a replica: cluster, broker name, id and address, each with its length.
    public func replica(_ identity: ReplicaIdentity) -> UInt64 {
        var bytes = ByteWriter(capacity: 128)
        for text in [identity.cluster, identity.name, identity.address] {
            bytes.append(bigEndian: UInt32(truncatingIfNeeded: text.utf8.count))
            bytes.append(utf8: text)
        }
        bytes.append(bigEndian: identity.id)
        return hash(bytes.bytes)
    }

    /// One state of a replica: what the sketch holds.
    public func item(replica: UInt64, registration: UInt64) -> UInt64 { pair(replica, registration) }

    /// The replica's DataVersion, for the digest that tells "same content, other version".
    func version(_ version: RegistrationVersion, of replica: UInt64) -> UInt64 {
        pair(
            pair(replica, UInt64(bitPattern: version.stateVersion)),
            pair(
                UInt64(bitPattern: version.timestamp), UInt64(bitPattern: version.counter ?? .min)))
    }

    private func pair(_ first: UInt64, _ second: UInt64) -> UInt64 {
        withUnsafeBytes(of: (first.bigEndian, second.bigEndian)) { hash($0) }
    }
}
