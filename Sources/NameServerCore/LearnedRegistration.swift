import Basics

/// What a peer told about a replica that this node does not hear itself, ready to be served until its evidence runs out.
public struct LearnedRegistration: Hashable, Sendable {
    /// What the replica registered at the peer. `residueCount` is not looked at.
    public var summary: RegistrationSummary
    /// Its registration image: one `ImageCoding` run for this one replica. `summary.registrationHash` must be its hash.
    public var image: [UInt8]
    /// The name of the node that told it, for people.
    public var origin: String
    /// Whether nothing but one report from before first contact speaks for it (warm-up).
    public var isProvisional: Bool
    /// The last instant at which it may be served.
    public var usableUntil: Instant

    /// Puts the parts together.
    public init(
        summary: RegistrationSummary, image: [UInt8], origin: String, isProvisional: Bool, usableUntil: Instant
    ) {
        self.summary = summary
        self.image = image
        self.origin = origin
        self.isProvisional = isProvisional
        self.usableUntil = usableUntil
    }
}

/// A replica that is served though this node does not hear it: a `LearnedRegistration` without its topics.
public struct LearnedReplica: Hashable, Sendable {
    /// See `LearnedRegistration`.
    public var summary: RegistrationSummary
    /// See `LearnedRegistration`.
    public var origin: String
    /// See `LearnedRegistration`.
    public var isProvisional: Bool
    /// See `LearnedRegistration`.
    public var usableUntil: Instant

    /// Puts the parts together.
    public init(summary: RegistrationSummary, origin: String, isProvisional: Bool, usableUntil: Instant) {
        self.summary = summary
        self.origin = origin
        self.isProvisional = isProvisional
        self.usableUntil = usableUntil
    }
}

/// What `NameServer.learn` did with a registration. Nothing has changed unless it is `learned`.
public enum LearnOutcome: Hashable, Sendable, CaseIterable {
    /// It is served from now on; whatever was learned of the same replica before is replaced.
    case learned
    /// This node hears the replica itself, or did and has not dropped it yet: a live entry of its (cluster, address).
    case isFirstHand
    /// Its place in the group, (broker name, id) or (broker name, address), is held by a first-hand replica, or by a
    /// learned one with a newer state.
    case slotTaken
    /// The image is not the one of the summary: its hash or its number of topics is another.
    case imageMismatch
    /// The image is no `ImageCoding` run of one replica.
    case malformed
    /// `NameServerLimits`: brokers, topics and clusters, each counted over first-hand and learned ones; lengths of names.
    case limit
    /// `usableUntil` has passed.
    case outdated
}

/// Why a learned replica is no longer served though nobody asked for it.
public enum LearnedDrop: String, Hashable, Sendable, CaseIterable {
    /// Its broker registered here, or another replica took its place in the group first-hand.
    case heardFirstHand = "heard first-hand now"
    /// `usableUntil` has passed.
    case evidenceRanOut = "its evidence ran out"
    /// UNREGISTER_BROKER named it.
    case unregistered = "unregistered"
    /// Another learned replica with a newer state has taken its place in the group.
    case outranked = "a newer registration was learned in its place"
}
