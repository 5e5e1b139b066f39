import Basics

/// How a node is timed; nodes that differ report it, since they then expect different things of the same broker.
///
/// Four spans, in the order below, as varint milliseconds.
public struct NodeTimings: Hashable, Sendable {
    /// How often brokers are to register.
    public var heartbeat: Duration
    /// How often the node looks for dead brokers.
    public var scan: Duration
    /// Silence granted to brokers that name none themselves.
    public var expiry: Duration
    /// Time between two exchanges with a peer.
    public var period: Duration

    /// Puts the parts together; each whole milliseconds, at least 0. Above 30 days it travels as "longer than that".
    public init(heartbeat: Duration, scan: Duration, expiry: Duration, period: Duration) {
        self.heartbeat = heartbeat
        self.scan = scan
        self.expiry = expiry
        self.period = period
    }
}

/// Why a session is refused.
public enum HelloRefusal: UInt8, Hashable, Sendable, CaseIterable {
    /// The peer belongs to another cluster.
    case label = 1
    /// The peer hashes with another key.
    case key = 2
    /// The peer's name is not among this node's peers.
    case unknownNode = 3
    /// No protocol version is known to both.
    case version = 4
    /// A live session with another incarnation of the same name exists.
    case duplicate = 5
    /// No room for a further session.
    case busy = 6
}

extension GossipMessage {
    /// Who speaks. The first frame of the node that dialled; `HelloAck` carries it back.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | text, 0 to 64 | label of the cluster |
    /// | text, 1 to 64 | name of the node |
    /// | 8 | incarnation |
    /// | 8 | clock, nanoseconds, 0 to 2^62 |
    /// | varint | uptime, milliseconds |
    /// | 1, 1 | lowest and highest protocol version spoken; 1 <= lowest <= highest |
    /// | 1 | mode |
    /// | 1 | state |
    /// | 8 | fingerprint of the hash key |
    /// | 4 varints | heartbeat, scan, expiry, period, in milliseconds |
    /// | text, 0 to 64 | software, for people |
    ///
    /// A text is the varint number of its bytes and the bytes, UTF-8. All numbers are big-endian but for varints.
    public struct Hello: Hashable, Sendable {
        /// The label of the cluster; 0 to 64 bytes.
        public var label: String
        /// The node's name; 1 to 64 bytes.
        public var node: String
        /// One life of one process: drawn at random at its start.
        public var incarnation: UInt64
        /// The node's clock as it writes this.
        public var clock: Instant
        /// Since the process started; whole milliseconds.
        public var uptime: Duration
        /// Protocol versions spoken, from 1 on.
        public var protocols: ClosedRange<UInt8>
        /// What the node may do.
        public var mode: GossipMode
        /// How far its word counts.
        public var state: NodeState
        /// Fingerprint of the hash key; equal when the sketches can be compared.
        public var salt: UInt64
        /// How it is timed.
        public var timings: NodeTimings
        /// Name and version of the program, for people; 0 to 64 bytes.
        public var software: String

        /// Puts the parts together.
        public init(
            label: String, node: String, incarnation: UInt64, clock: Instant, uptime: Duration,
            protocols: ClosedRange<UInt8> = GossipFrame.version...GossipFrame.version, mode: GossipMode,
            state: NodeState, salt: UInt64, timings: NodeTimings, software: String
        ) {
            self.label = label
            self.node = node
            self.incarnation = incarnation
            self.clock = clock
            self.uptime = uptime
            self.protocols = protocols
            self.mode = mode
            self.state = state
            self.salt = salt
            self.timings = timings
            self.software = software
        }
    }

    /// The answer to `Hello`: the bytes of a `Hello`, then one byte, 0 or the refusal's.
    public struct HelloAck: Hashable, Sendable {
        /// Who answers.
        public var hello: Hello
        /// Nil when the session is accepted; else the connection closes after this frame.
        public var refusal: HelloRefusal?

        /// Puts the parts together.
        public init(hello: Hello, refusal: HelloRefusal? = nil) {
            self.hello = hello
            self.refusal = refusal
        }
    }
}

extension NodeTimings: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(span: heartbeat)
        output.append(span: scan)
        output.append(span: expiry)
        output.append(span: period)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        heartbeat = try reader.readSpan("heartbeat")
        scan = try reader.readSpan("scan")
        expiry = try reader.readSpan("expiry")
        period = try reader.readSpan("period")
    }
}

extension GossipMessage.Hello: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(!node.isEmpty && protocols.lowerBound > 0, "hello of \(node), protocols \(protocols)")
        output.append(text: label, atMost: WireLimits.nodeBytes, "label")
        output.append(text: node, atMost: WireLimits.nodeBytes, "node")
        output.append(bigEndian: incarnation)
        output.append(clock: clock)
        output.append(count: Int(uptime.wholeMilliseconds), atMost: Int(WireLimits.uptimeMillis), "uptime")
        output.append(protocols.lowerBound)
        output.append(protocols.upperBound)
        output.append(mode.rawValue)
        output.append(state.rawValue)
        output.append(bigEndian: salt)
        timings.encode(into: &output)
        output.append(text: software, atMost: WireLimits.softwareBytes, "software")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        label = try reader.readText(atMost: WireLimits.nodeBytes, "label")
        node = try reader.readText(atMost: WireLimits.nodeBytes, atLeast: 1, "node")
        incarnation = try reader.readWord("incarnation")
        clock = try reader.readClock("clock")
        uptime = .milliseconds(try reader.readCount(atMost: Int(WireLimits.uptimeMillis), "uptime"))
        let (lowest, highest) = (try reader.readByte("protocols"), try reader.readByte("protocols"))
        guard lowest > 0, lowest <= highest else { throw GossipFormatError(.contradiction, "protocols") }
        protocols = lowest...highest
        mode = try reader.readCase("mode")
        state = try reader.readCase("state")
        salt = try reader.readWord("salt")
        timings = try NodeTimings(decoding: &reader)
        software = try reader.readText(atMost: WireLimits.softwareBytes, "software")
    }
}

extension GossipMessage.HelloAck: WireCodable {
    func encode(into output: inout ByteWriter) {
        hello.encode(into: &output)
        output.append(refusal?.rawValue ?? 0)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        hello = try GossipMessage.Hello(decoding: &reader)
        let byte = try reader.readByte("refusal")
        refusal = HelloRefusal(rawValue: byte)
        guard byte == 0 || refusal != nil else { throw GossipFormatError(.value, "refusal") }
    }
}
