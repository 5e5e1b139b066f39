import Basics

// The hash by which nodes compare what a replica registered. It is a XOR over the topics and once the other fields, so
// that a changed registration costs its difference, and neither the order of the topics nor the way to them matters.

/// What a replica registered of one topic, before anybody changed it here. The mappings of static topics are no part.
public struct ImageTopic: Hashable, Sendable {
    /// `readQueueNums`.
    public var readQueues: Int32
    /// `writeQueueNums`.
    public var writeQueues: Int32
    /// `perm`, with the write bit that an acting master's route does not show.
    public var permission: Int32
    /// `topicSysFlag`.
    public var systemFlag: Int32
    /// `order`.
    public var isOrdered: Bool

    /// Puts the values together.
    public init(
        readQueues: Int32, writeQueues: Int32, permission: Int32, systemFlag: Int32 = 0, isOrdered: Bool = false
    ) {
        self.readQueues = readQueues
        self.writeQueues = writeQueues
        self.permission = permission
        self.systemFlag = systemFlag
        self.isOrdered = isOrdered
    }

    /// The keyed hash of the topic: of its name, a zero byte, the four numbers big-endian and the order as 0 or 1.
    public func hash(name: UnsafeRawBufferPointer, under hash: KeyedHash) -> UInt64 {
        let length = name.count + Self.hashedBytes
        return withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) { scratch in
            scratch.copyMemory(from: name)
            let end = name.count
            scratch[end] = 0
            scratch.storeBytes(of: readQueues.bigEndian, toByteOffset: end + 1, as: Int32.self)
            scratch.storeBytes(of: writeQueues.bigEndian, toByteOffset: end + 5, as: Int32.self)
            scratch.storeBytes(of: permission.bigEndian, toByteOffset: end + 9, as: Int32.self)
            scratch.storeBytes(of: systemFlag.bigEndian, toByteOffset: end + 13, as: Int32.self)
            scratch[end + 17] = isOrdered ? 1 : 0
            return hash.hash(UnsafeRawBufferPointer(rebasing: scratch[..<length]))
        }
    }

    /// Bytes that are hashed behind the name. Their number is fixed, so no two topics look the same.
    private static let hashedBytes = 18
}

/// What a registration says of the replica itself, as far as other nodes compare it.
public struct RegistrationFields: Hashable, Sendable {
    /// See `RegistrationSummary.haAddress`.
    public var haAddress: String?
    /// See `RegistrationSummary.zone`.
    public var zone: String?
    /// See `RegistrationSummary.actingMaster`.
    public var actingMaster: Bool?
    /// See `RegistrationSummary.timeoutMillis`.
    public var timeoutMillis: Int64

    /// Puts the fields together.
    public init(haAddress: String?, zone: String?, actingMaster: Bool?, timeoutMillis: Int64) {
        self.haAddress = haAddress
        self.zone = zone
        self.actingMaster = actingMaster
        self.timeoutMillis = timeoutMillis
    }

    /// The fields of a summary.
    public init(_ summary: RegistrationSummary) {
        self.init(
            haAddress: summary.haAddress, zone: summary.zone, actingMaster: summary.actingMaster,
            timeoutMillis: summary.timeoutMillis)
    }

    /// The keyed hash of the fields: both texts behind their length in four bytes (all ones: none), the acting master as
    /// 0 (not given), 1 (false) or 2, the timeout in eight bytes.
    public func hash(under hash: KeyedHash) -> UInt64 {
        var bytes = ByteWriter()
        for text in [haAddress, zone] {
            bytes.append(bigEndian: text.map { UInt32($0.utf8.count) } ?? .max)
            if let text { bytes.append(utf8: text) }
        }
        bytes.append(actingMaster.map { $0 ? 2 : 1 } ?? 0)
        bytes.append(bigEndian: timeoutMillis)
        return hash.hash(bytes.bytes)
    }
}

extension RegistrationImages {
    /// The registration hash of one replica: its topics' hashes and that of its fields, all XORed.
    public func registrationHash(of replica: Int, _ fields: RegistrationFields, under hash: KeyedHash) -> UInt64 {
        var sum = fields.hash(under: hash)
        forEachTopic(of: replica) { name, topic in sum ^= topic.hash(name: name, under: hash) }
        return sum
    }
}
