// Every limit on what arrives from the wire, each with its reason. A peer that exceeds one gets an error, never memory.

/// Limits of a frame and its header.
public enum FrameLimits {
    /// Whole frame in bytes, length word included: 16 MiB, RocketMQ's own default (`com.rocketmq.remoting.frameMaxLength`).
    public static let frameBytes = 16_777_216
    /// Header in bytes: RocketMQ's largest field, message properties, stays below 32 KiB, 192 KiB with every byte escaped.
    public static let headerBytes = 256 << 10
    /// Ext fields of one header, duplicates counted: real requests have up to 20. Looking one up is a walk over all.
    public static let fieldCount = 256
}

/// Limits of the JSON reader.
public enum JSONLimits {
    /// Objects and arrays inside one another. RocketMQ's deepest body has 6; one machine word holds the kinds of 64.
    public static let depth = 64
}

/// Limits of bodies.
public enum BodyLimits {
    /// A compressed body inflated, in bytes: four frames full.
    public static let inflatedBytes = 64 << 20
    /// How many times larger than a compressed body it may become, beyond `inflatedFloor`. Topic lists reach 40 at the
    /// very most, zlib itself 1,032: a small frame must not cost the event loop as much as a large one.
    public static let inflationRatio = 128
    /// What any compressed body may become, in bytes.
    public static let inflatedFloor = 1 << 20
    /// Topics of one registration: twice what a full frame of ordinary JSON holds; 10 MiB once packed.
    public static let topicCount = 262_144
    /// Topic queue mappings of one registration: static topics are few.
    public static let mappingCount = 65_536
    /// Queues of all mappings of one registration.
    public static let mappingQueueCount = 262_144
    /// Array elements and map entries of one body that become values of their own: a list of this many topics is half a
    /// frame, and the largest such values together take 50 MB.
    public static let elementCount = 524_288
    /// Configuration text in bytes: a hundred times the largest real one.
    public static let propertiesBytes = 1 << 20
    /// Properties of one configuration text: NameServer and Netty have about 50 between them.
    public static let propertyCount = 4_096
}

/// Limits of a PROXY header.
public enum ProxyLimits {
    /// Version 1 line in bytes, line end included, as the HAProxy specification says.
    public static let lineBytes = 107
    /// Version 2 header in bytes: 16, the addresses, and room for the TLVs load balancers add (certificate names, ids).
    public static let binaryBytes = 4_096
}
