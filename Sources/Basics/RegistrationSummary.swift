/// RocketMQ's DataVersion: which state of its topics a broker speaks of. Equal when all three numbers are.
public struct RegistrationVersion: Hashable, Sendable {
    /// The term of the broker's controller; 0 without one.
    public var stateVersion: Int64
    /// When the state was made, in milliseconds since 1970 by the broker's clock.
    public var timestamp: Int64
    /// Raised with every change; nil when the broker sent `null`.
    public var counter: Int64?

    /// Puts the three together.
    public init(stateVersion: Int64, timestamp: Int64, counter: Int64?) {
        self.stateVersion = stateVersion
        self.timestamp = timestamp
        self.counter = counter
    }
}

/// A replica's last registration without its topics: what nodes tell each other to name it, compare it and explain it.
public struct RegistrationSummary: Hashable, Sendable {
    /// Who registered.
    public var identity: ReplicaIdentity
    /// Where a slave copies from; nil when not given.
    public var haAddress: String?
    /// RocketMQ's `__ZONE_NAME`; nil when not given.
    public var zone: String?
    /// `enableActingMaster` as given: nil marks a 4.x broker.
    public var actingMaster: Bool?
    /// Milliseconds of silence it is granted, its own `heartbeatTimeoutMillis` or the node's default.
    public var timeoutMillis: Int64
    /// Explains a difference, decides none.
    public var version: RegistrationVersion
    /// Keyed hash of the registration image: topics as registered and the fields above but for the version.
    public var registrationHash: UInt64
    /// Topics in the image.
    public var topicCount: Int
    /// Topics that the node's table still holds for the group though the replica no longer registers them; never shared.
    public var residueCount: Int

    /// Puts the parts together.
    public init(
        identity: ReplicaIdentity, haAddress: String? = nil, zone: String? = nil, actingMaster: Bool? = nil,
        timeoutMillis: Int64, version: RegistrationVersion, registrationHash: UInt64, topicCount: Int,
        residueCount: Int = 0
    ) {
        self.identity = identity
        self.version = version
        self.haAddress = haAddress
        self.zone = zone
        self.actingMaster = actingMaster
        self.timeoutMillis = timeoutMillis
        self.registrationHash = registrationHash
        self.topicCount = topicCount
        self.residueCount = residueCount
    }
}
