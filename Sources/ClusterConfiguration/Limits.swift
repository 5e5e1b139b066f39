/// What one node may use, so that no peer can make it use more.
public struct Limits: Hashable, Sendable {
    /// Connections open at the same time; further ones are closed at once. 1 to 1,000,000, default 20,000.
    public var connections = 20_000
    /// How long a connection may do nothing. 1 s to 1 d, default 120 s, as RocketMQ's.
    public var idleConnection: Duration = .seconds(120)
    /// The longest frame taken, in bytes. 64 KiB to 64 MiB, what a stream may hold back; default 16 MiB, as RocketMQ's.
    public var frameBytes = 16 << 20
    /// Answer bytes that may wait for one peer; it is dropped above. 1 MiB to 1 GiB, default 64 MiB.
    ///
    /// At least `frameBytes`.
    public var unsentBytes = 64 << 20
    /// Topics in the tables; registrations that would add more are refused. 1 to 10,000,000, default 1,000,000.
    public var topics = 1_000_000
    /// Brokers (group and id) in the tables. 1 to 1,000,000, default 10,000.
    public var brokers = 10_000
    /// Bytes of encoded route answers kept for reuse. 0 (none) to 4 GiB, default 64 MiB.
    public var routeCacheBytes = 64 << 20

    /// The defaults above.
    public init() {}

    enum Key: String, SectionKey {
        case connections, idleConnection, frameBytes, unsentBytes, topics, brokers, routeCacheBytes
        static let section = "limits"
    }
}

extension Limits {
    init(_ reader: MappingReader<Key>) {
        self.init()
        connections = reader.integer(.connections, in: 1...1_000_000, default: connections)
        idleConnection = reader.duration(.idleConnection, in: .seconds(1) ... .seconds(86_400), default: idleConnection)
        frameBytes = reader.byteSize(.frameBytes, in: 64 << 10...64 << 20, default: frameBytes)
        unsentBytes = reader.byteSize(.unsentBytes, in: 1 << 20...1 << 30, default: unsentBytes)
        topics = reader.integer(.topics, in: 1...10_000_000, default: topics)
        brokers = reader.integer(.brokers, in: 1...1_000_000, default: brokers)
        routeCacheBytes = reader.byteSize(.routeCacheBytes, in: 0...4 << 30, default: routeCacheBytes)
        if unsentBytes < frameBytes {
            let (unsent, frame) = (ByteSize.text(unsentBytes), ByteSize.text(frameBytes))
            reader.report(
                .unsentBytes, "\(unsent) must not be less than limits.frameBytes (\(frame)), one whole answer")
        }
    }
}
