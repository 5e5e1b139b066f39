import Basics

// To be deleted when the first-hand tracking is merged, which has these three.
extension NameServer {
    mutating func trackFirstHand(hash: KeyedHash) { imageHash = hash }
}
