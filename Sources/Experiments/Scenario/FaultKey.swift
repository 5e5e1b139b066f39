import ClusterConfiguration

/// The words of an entry under `faults`: when, what, and what goes with it.
enum FaultKey: String, SectionKey {
    // When.
    case at, `for`, every, until, apart
    // What.
    case cut, partition, delay, loss, duplicate, bandwidth, reset, halfOpen
    case kill, stop, powerLoss, pause
    case clockJump, clockDrift
    case move, unregister, strayUnregister, createTopic
    case putKeyValue, deleteKeyValue, wipeWritePermission, diskFull
    case heal
    // What goes with it.
    case by, jitter, percent, bytesPerSecond, keepsState, perMillion, reaches, topic, oneWay, of

    static let section = "faults"

    /// Those of which each entry has one.
    static let kinds = allCases.filter { $0.words != nil }

    /// What may go with the fault; nil = this key is no fault.
    var words: Set<FaultKey>? {
        switch self {
        case .cut, .diskFull: lasting
        case .partition: lasting.union([.oneWay, .of])
        case .delay: lasting.union([.by, .jitter])
        case .loss, .duplicate: lasting.union([.percent])
        case .bandwidth: lasting.union([.bytesPerSecond])
        case .kill: lasting.union([.apart, .keepsState])
        case .stop, .powerLoss, .pause: lasting.union([.apart])
        case .clockDrift: lasting.union([.apart, .perMillion])
        case .clockJump: once.union([.apart, .by])
        case .reset, .halfOpen, .move: once
        case .unregister, .strayUnregister, .putKeyValue, .deleteKeyValue, .wipeWritePermission: once.union([.reaches])
        case .createTopic: once.union([.topic])
        case .heal: [.at]
        case .at, .for, .every, .until, .apart, .by, .jitter, .percent, .bytesPerSecond, .keepsState, .perMillion,
            .reaches, .topic, .oneWay, .of:
            nil
        }
    }

    private var once: Set<FaultKey> { [.at, .every, .until] }
    private var lasting: Set<FaultKey> { [.at, .for, .every, .until] }

    /// Whether it goes on until its end.
    var lasts: Bool { words?.contains(.for) ?? false }
}
