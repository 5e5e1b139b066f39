/// Bits of a queue's or topic's `perm` (protocol.md 3.4).
public enum PermissionBits {
    /// New topics may take this one as their model.
    public static let inherit: Int32 = 1
    /// Producers may send.
    public static let write: Int32 = 2
    /// Consumers may pull.
    public static let read: Int32 = 4
    /// Unused here.
    public static let priority: Int32 = 8
}
