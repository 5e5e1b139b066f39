import Basics

// To be deleted when the first-hand tracking is merged, which has these three.
extension NameServer {
    /// See the contract.
    public mutating func trackFirstHand(hash: KeyedHash) { imageHash = hash }
}
