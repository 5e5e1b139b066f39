import Basics
import Remoting

/// The ext fields of REGISTER_BROKER (protocol.md 2.4), in memory of their own.
struct RegistrationRequest: Hashable, Sendable {
    var cluster: String
    var name: String
    var address: String
    var brokerID: Int64
    var haAddress: String?
    var zone: String?
    /// `heartbeatTimeoutMillis` as given.
    var timeoutMillis: Int64?
    /// `enableActingMaster` as given; nil marks a 4.x broker.
    var actingMaster: Bool?
    var layout: BodyLayout

    var identity: ReplicaIdentity { ReplicaIdentity(cluster: cluster, name: name, id: brokerID, address: address) }

    /// `broker-a:0 at 10.0.0.1:10911`, as events say it.
    var label: String { "\(name):\(brokerID) at \(address)" }

    /// - Throws: the name of the field that is missing or no number: such a registration would damage the reference's
    ///   tables, so it is refused (2.24).
    init(_ header: borrowing CommandHeader) throws(MissingField) {
        cluster = try header.required("clusterName")
        name = try header.required("brokerName")
        address = try header.required("brokerAddr")
        brokerID = try header.requiredInteger("brokerId")
        haAddress = header.string("haServerAddr")
        zone = header.string("__ZONE_NAME")
        timeoutMillis = header.integer("heartbeatTimeoutMillis")
        actingMaster = header.boolean("enableActingMaster")
        layout = BodyLayout(version: header.version, isCompressed: header.boolean("compressed") == true)
    }
}

/// A parameter that a request cannot do without.
struct MissingField: Error {
    var name: StaticString

    var remark: String { "\(name) is missing or malformed" }
}

extension CommandHeader {
    func required(_ name: StaticString) throws(MissingField) -> String {
        guard let text = string(name) else { throw MissingField(name: name) }
        return text
    }

    func requiredInteger(_ name: StaticString) throws(MissingField) -> Int64 {
        guard let value = integer(name) else { throw MissingField(name: name) }
        return value
    }
}

/// A registration whose body is being decoded elsewhere: all that is needed to finish it, in memory of its own.
public struct PendingRegistration: Sendable {
    /// What the core remembers of it. A registration, an unregistration or a close that arrives meanwhile and is newer
    /// makes it void; its ticket is torn up then.
    struct Ticket: Sendable {
        var number: UInt64
        var connection: UInt64
        var cluster: String
        var address: String
        /// What its body counts for in `NameServerLimits.pendingBytes`.
        var weight: Int
    }

    var ticket: Ticket
    var request: RegistrationRequest
    var fingerprint: BodyFingerprint
    var arrival: Arrival
    var body: [UInt8]

    /// Inflates and parses the body: milliseconds of work that any thread may do.
    ///
    /// What is left of the registration for `NameServer.begin` needs the body no more; see `withoutBody`.
    public func decode() -> Result<RegistrationBody, RemotingError> {
        body.withUnsafeBytes { bytes in
            Self.decode(bytes, request.layout, receivedAt: arrival.wallTime)
        }
    }

    /// The same for `NameServer.begin`, which asks for the decoded body.
    public var withoutBody: PendingRegistration {
        var registration = self
        registration.body = []
        return registration
    }

    static func decode(
        _ body: UnsafeRawBufferPointer, _ layout: BodyLayout, receivedAt: WallTime
    ) -> Result<RegistrationBody, RemotingError> {
        do throws(RemotingError) {
            return .success(
                try RegistrationBody.decode(
                    body, version: layout.version, compressed: layout.isCompressed, receivedAt: receivedAt))
        } catch {
            return .failure(error)
        }
    }
}
