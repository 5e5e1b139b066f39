import Basics

/// When a node last heard a replica itself, as ages: the only words about liveness that travel.
///
/// | bytes | meaning |
/// |---|---|
/// | varint | age of the last sign of life, milliseconds, rounded up |
/// | varint | age of the last registration, milliseconds, rounded up; not below the other |
///
/// An age above `ClockRate.longestAge` (30 days) travels as 2,592,000,001: older than any use. `AgeBound` refuses it.
/// Whether the connection is open stands in the byte before, together with whether there is anything to report.
public struct ReportedHearing: Hashable, Sendable {
    /// Time since the last sign of life, on the reporter's clock (`AgeBound.reportedAge`).
    public var age: Duration
    /// Time since the last registration; at least `age`, since that is a sign of life too.
    public var registrationAge: Duration
    /// Whether the connection of the last registration is open.
    public var isConnected: Bool

    /// Puts the parts together; a registration age below `age` is raised to it.
    public init(age: Duration, registrationAge: Duration, isConnected: Bool) {
        self.age = age
        self.registrationAge = max(age, registrationAge)
        self.isConnected = isConnected
    }

    /// Bytes of the two ages.
    var agesSize: Int { WireSize.span(age) + WireSize.span(max(age, registrationAge)) }

    func encodeAges(into output: inout ByteWriter) {
        output.append(span: age)
        output.append(span: max(age, registrationAge))
    }

    init(decodingAges reader: inout ByteReader, isConnected: Bool) throws(GossipFormatError) {
        age = try reader.readSpan("age")
        registrationAge = try reader.readSpan("registration age")
        guard registrationAge >= age else { throw GossipFormatError(.contradiction, "registration age") }
        self.isConnected = isConnected
    }
}

/// Whether there is something to report, and whether its connection is open: one byte.
enum Presence: UInt8 {
    case absent = 0
    case closed = 1
    case connected = 2

    init(_ hearing: ReportedHearing?) {
        self = hearing.map { $0.isConnected ? .connected : .closed } ?? .absent
    }
}

/// The answer to one ask: what this node heard of a replica itself.
///
/// | bytes | meaning |
/// |---|---|
/// | 8 | keyed hash of the replica's identity |
/// | 1 | 0 no first-hand entry (and the end), 1 heard and its connection closed, 2 heard and connected |
/// | 2 varints | `ReportedHearing` |
/// | 8 | registration hash |
public struct AgeReport: Hashable, Sendable {
    /// What is told when there is a first-hand entry.
    public struct Heard: Hashable, Sendable {
        /// When.
        public var hearing: ReportedHearing
        /// What it registered (`RegistrationSummary.registrationHash`).
        public var registrationHash: UInt64

        /// Puts the parts together.
        public init(hearing: ReportedHearing, registrationHash: UInt64) {
            self.hearing = hearing
            self.registrationHash = registrationHash
        }
    }

    /// Keyed hash of the replica's identity.
    public var replica: UInt64
    /// Nil when this node has no first-hand entry.
    public var heard: Heard?

    /// Puts the parts together.
    public init(replica: UInt64, heard: Heard?) {
        self.replica = replica
        self.heard = heard
    }

    /// Bytes of the shortest report.
    static let leastBytes = 9
}

extension AgeReport: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: replica)
        output.append(Presence(heard?.hearing).rawValue)
        guard let heard else { return }
        heard.hearing.encodeAges(into: &output)
        output.append(bigEndian: heard.registrationHash)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        replica = try reader.readWord("replica")
        let presence: Presence = try reader.readCase("presence")
        guard presence != .absent else { return }
        heard = Heard(
            hearing: try ReportedHearing(decodingAges: &reader, isConnected: presence == .connected),
            registrationHash: try reader.readWord("registration hash"))
    }
}
