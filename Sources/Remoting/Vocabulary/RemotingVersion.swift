// Version numbers of commands (protocol.md 1.7): V4_m_p = 213 + 20m + 2p, V5_m_p = 413 + 20m + 2p.

// swift-format-ignore: AlwaysUseLowerCamelCase
/// The releases at which the protocol changed, and those we claim to be.
public enum RemotingVersion {
    /// From here on a registration body is a RegisterBrokerBody, below it a bare wrapper (2.4).
    public static let v3_0_11: Int32 = 37
    /// From here on routes are written in standard JSON (2.6).
    public static let v4_9_4: Int32 = 401
    /// The last 4.x release described by protocol.md.
    public static let v4_9_8: Int32 = 409
    /// From here on a compressed registration carries topic queue mappings (2.4).
    public static let v5_0_0: Int32 = 413
    /// Peers above this understand GO_AWAY (1.13).
    public static let v5_3_1: Int32 = 475
    /// The release whose behaviour we reproduce; what our own commands carry.
    public static let v5_3_3: Int32 = 479
}
