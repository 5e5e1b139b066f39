import Basics

// One exchange: SYN, SYN-ACK, ACK. Both directions are bounded by a round trip. Idle, they take some 190 bytes together.

extension GossipMessage {
    /// Begins an exchange.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce |
    /// | 8 | clock, nanoseconds |
    /// | `Digest` | what the sender holds |
    /// | varint, 8 each | hashes of the replicas asked about, at most 1,024 |
    /// | 0, or 1 and varint | how much the receiver's clock lost at the last exchange, milliseconds |
    public struct Syn: Hashable, Sendable {
        /// Fresh and random; the answer must echo it.
        public var nonce: UInt64
        /// The sender's clock as it writes this.
        public var clock: Instant
        /// What the sender holds.
        public var digest: Digest
        /// Hashes of the replicas the sender wants ages of; at most `WireLimits.asks`.
        public var asks: [UInt64]
        /// How much the receiver's clock was found to have lost, at most.
        public var stall: Duration?

        /// Puts the parts together.
        public init(nonce: UInt64, clock: Instant, digest: Digest, asks: [UInt64] = [], stall: Duration? = nil) {
            self.nonce = nonce
            self.clock = clock
            self.digest = digest
            self.asks = asks
            self.stall = stall
        }
    }

    /// Answers `Syn`, and asks in turn.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce of the `Syn` |
    /// | 8 | nonce of this frame |
    /// | 8 | clock, nanoseconds |
    /// | `Digest` | what the sender holds |
    /// | varint, `AgeReport` each | answers to what was asked, at most 1,024 |
    /// | varint, 8 each | hashes of the replicas asked about, at most 1,024 |
    /// | 0, or 1 and varint | how much the receiver's clock lost, milliseconds |
    public struct SynAck: Hashable, Sendable {
        /// The nonce of the frame it answers.
        public var echo: UInt64
        /// Fresh and random; `Ack` must echo it.
        public var nonce: UInt64
        /// The sender's clock as it writes this: after it received the request.
        public var clock: Instant
        /// What the sender holds.
        public var digest: Digest
        /// What it heard itself of the replicas asked about; at most `WireLimits.asks`.
        public var ages: [AgeReport]
        /// Hashes of the replicas the sender wants ages of; at most `WireLimits.asks`.
        public var asks: [UInt64]
        /// How much the receiver's clock was found to have lost, at most.
        public var stall: Duration?

        /// Puts the parts together.
        public init(
            echo: UInt64, nonce: UInt64, clock: Instant, digest: Digest, ages: [AgeReport] = [],
            asks: [UInt64] = [], stall: Duration? = nil
        ) {
            self.echo = echo
            self.nonce = nonce
            self.clock = clock
            self.digest = digest
            self.ages = ages
            self.asks = asks
            self.stall = stall
        }
    }

    /// Answers what `SynAck` asked, and gives its sender a reading of this clock within a round trip.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce of the `SynAck` |
    /// | 8 | clock, nanoseconds |
    /// | varint, `AgeReport` each | answers to what was asked, at most 1,024 |
    public struct Ack: Hashable, Sendable {
        /// The nonce of the frame it answers.
        public var echo: UInt64
        /// The sender's clock as it writes this.
        public var clock: Instant
        /// What it heard itself of the replicas asked about; at most `WireLimits.asks`.
        public var ages: [AgeReport]

        /// Puts the parts together.
        public init(echo: UInt64, clock: Instant, ages: [AgeReport] = []) {
            self.echo = echo
            self.clock = clock
            self.ages = ages
        }
    }
}

extension GossipMessage.Syn: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: nonce)
        output.append(clock: clock)
        digest.encode(into: &output)
        output.append(words: asks, atMost: WireLimits.asks, "asks")
        output.append(optionalSpan: stall)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        nonce = try reader.readWord("nonce")
        clock = try reader.readClock("clock")
        digest = try Digest(decoding: &reader)
        asks = try reader.readWords(atMost: WireLimits.asks, "asks")
        stall = try reader.readOptionalSpan("stall")
    }
}

extension GossipMessage.SynAck: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: echo)
        output.append(bigEndian: nonce)
        output.append(clock: clock)
        digest.encode(into: &output)
        output.append(list: ages, atMost: WireLimits.asks, "ages")
        output.append(words: asks, atMost: WireLimits.asks, "asks")
        output.append(optionalSpan: stall)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        echo = try reader.readWord("echo")
        nonce = try reader.readWord("nonce")
        clock = try reader.readClock("clock")
        digest = try Digest(decoding: &reader)
        ages = try reader.readList(atMost: WireLimits.asks, of: AgeReport.leastBytes, "ages")
        asks = try reader.readWords(atMost: WireLimits.asks, "asks")
        stall = try reader.readOptionalSpan("stall")
    }
}

extension GossipMessage.Ack: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: echo)
        output.append(clock: clock)
        output.append(list: ages, atMost: WireLimits.asks, "ages")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        echo = try reader.readWord("echo")
        clock = try reader.readClock("clock")
        ages = try reader.readList(atMost: WireLimits.asks, of: AgeReport.leastBytes, "ages")
    }
}
