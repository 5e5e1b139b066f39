/// One decoder, or what stands behind it, under fire: bytes in, whatever they are.
public struct FuzzTarget: Sendable {
    /// What it is called on the command line and in the corpus.
    public let name: String
    /// Good inputs, from which mutations start.
    public let seeds: @Sendable () -> [[UInt8]]
    /// Feeds an input: it may be refused, must not crash, and what is accepted must agree with the encoder.
    public let run: @Sendable (UnsafeRawBufferPointer) -> Void

    init(
        _ name: String, seeds: @escaping @Sendable () -> [[UInt8]],
        run: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    /// All of them: everything that a socket or a file brings in.
    public static let all: [FuzzTarget] = [
        .frame, .jsonHeader, .binaryHeader, .registration, .oldRegistration, .compressedRegistration,
        .inflatedRegistration, .dataVersion, .route, .clusterInfo, .keyValueFile, .properties, .proxyHeader,
        .conversation, .storedMessage, .gossipFrame, .images, .http, .clusterFile, .accountsFile, .recording,
    ]

    /// The one of this name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

    /// Feeds an array.
    public func feed(_ input: [UInt8]) { input.withUnsafeBytes { run($0) } }
}
