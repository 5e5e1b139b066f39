import Basics

extension GossipConfiguration {
    /// How many there may be.
    private enum Counts {
        /// A rotation needs two; every further one is tried for each connection.
        static let keys = 8
        /// Looked through for each connection.
        static let blocks = 64
    }

    private typealias Reader = MappingReader<Key>

    /// Where keys say who may listen and speak.
    private static let securityKeys: [Key] = [.preSharedKeys, .certificate, .privateKey, .authority]

    /// `files` turns paths of the file into paths to open.
    init(_ reader: MappingReader<Key>, clusterName: String, files: RelativePaths) {
        self.init()
        mode = reader.choice(.mode, default: mode)
        period = reader.duration(.period, in: .milliseconds(100) ... .seconds(60), default: period)
        label = reader.name(.label, default: clusterName)
        security = GossipConfiguration.security(reader, files)
        insecure = reader.boolean(.insecure, default: insecure)
        allow = reader.addressBlocks(.allow, limit: Counts.blocks)
        discovery = reader.optionalAddress(.discovery, dialledBy: "the nodes")?.value
        replicate = Set(reader.choices(.replicate, limit: Operation.allCases.count))
        applyUnregister = reader.boolean(.applyUnregister, default: applyUnregister)
        witnesses = reader.integer(.witnesses, in: 1...16, default: witnesses)
        closeGrace = reader.duration(.closeGrace, in: .zero ... .seconds(30), default: closeGrace)
        gateUnknownTopics = reader.boolean(.gateUnknownTopics, default: gateUnknownTopics)
        if insecure, let key = GossipConfiguration.securityKeys.first(where: reader.isGiven) {
            reader.report(.insecure, "true asks for plain text, but \(key.rawValue) for TLS; leave one of them out")
        }
    }

    private static func security(_ reader: Reader, _ files: RelativePaths) -> Security {
        let keys = reader.values(.preSharedKeys, limit: Counts.keys) { (text) throws(ValueFault) in
            guard Reader.isPath(text) else { throw ValueFault("is no path") }
            return files.resolved(text)
        }
        let certificateKeys: [Key] = [.certificate, .privateKey, .authority]
        let paths = certificateKeys.map { reader.optionalPath($0).map(files.resolved) }
        guard let given = certificateKeys.first(where: reader.isGiven) else {
            return keys.isEmpty ? .plaintext : .preSharedKeys(keys)
        }
        if reader.isGiven(.preSharedKeys) {
            reader.report(
                .preSharedKeys, "cannot go with \(given.rawValue); give keys or certificate, privateKey and authority")
        }
        let missing = certificateKeys.filter { !reader.isGiven($0) }.map(\.rawValue)
        if !missing.isEmpty { reader.report(given, "needs \(missing.joined(separator: " and ")) beside it") }
        guard let certificate = paths[0], let privateKey = paths[1], let authority = paths[2] else { return .plaintext }
        return .certificates(Certificates(certificate: certificate, privateKey: privateKey, authority: authority))
    }

    /// What the section alone cannot know. With every mode `off` nothing of it matters, so that this one word always
    /// switches gossip off.
    func check(_ nodes: [NodeConfiguration], _ reader: MappingReader<Key>) {
        let gossiping = nodes.filter { $0.gossipMode != .off }
        guard !gossiping.isEmpty else { return }
        checkPlaintext(gossiping, reader)
        let others = gossiping.count - 1
        if witnesses > max(others, 1), discovery == nil {
            let found =
                switch others {
                case 0: "no other node gossips"
                case 1: "only 1 other node gossips"
                default: "only \(others) other nodes gossip"
                }
            reader.report(.witnesses, "is \(witnesses), but \(found)")
        }
        if !replicate.isEmpty, !gossiping.contains(where: { $0.gossipMode == .replicate }) {
            reader.report(.replicate, "has no effect, for no node is in mode replicate; set the mode or leave this out")
        }
    }

    private func checkPlaintext(_ gossiping: [NodeConfiguration], _ reader: Reader) {
        guard !insecure, !GossipConfiguration.securityKeys.contains(where: reader.isGiven) else { return }
        let exposed: String
        if let node = gossiping.first(where: { !$0.gossip.isOnLoopback }) {
            exposed = "node '\(node.name)' gossips at \(node.gossip)"
        } else if let discovery, !discovery.isOnLoopback {
            exposed = "gossip.discovery finds peers at \(discovery)"
        } else {
            return
        }
        reader.report(
            .preSharedKeys,
            "is needed, for \(exposed), beyond this machine: name a file that is the same on every node "
                + "(openssl rand -hex 32 > gossip.key), or certificate, privateKey and authority; "
                + "insecure: true does without, and everybody on the way can read and forge")
    }
}

extension Address {
    /// Whether what is sent here stays on this machine. Only digits and `localhost` count: another name may point away.
    fileprivate var isOnLoopback: Bool {
        host == "localhost" || AddressBlock.loopback.contains { $0.contains(host) }
    }
}
