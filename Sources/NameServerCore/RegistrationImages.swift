import Basics

/// The registration images of some replicas, decoded: which topics each of them registered.
public struct RegistrationImages: Hashable, Sendable {
    /// One topic of one replica.
    struct Entry: Hashable, Sendable {
        /// Which of the names.
        var name: UInt32
        var topic: ImageTopic
    }

    /// All names back to back, each once, in order of first use.
    var names: [UInt8] = []
    /// Where each name ends.
    var nameEnds: ContiguousArray<Int> = []
    /// The replicas' topics back to back.
    var entries: ContiguousArray<Entry> = []
    /// Where each replica's topics end.
    var ends: ContiguousArray<Int> = []

    init() {}

    /// The images of replicas whose topics are given by name. A name that `ImageLimits` does not allow, or that comes
    /// twice for one replica, is a bug.
    public init(_ replicas: [[(name: String, topic: ImageTopic)]]) {
        var numbers: [String: UInt32] = [:]
        for topics in replicas {
            precondition(Set(topics.map(\.name)).count == topics.count, "a topic comes twice")
            for (name, topic) in topics {
                precondition(ImageLimits.nameBytes.contains(name.utf8.count), "a name of \(name.utf8.count) bytes")
                let number = numbers[name] ?? UInt32(nameEnds.count)
                if numbers.updateValue(number, forKey: name) == nil {
                    names += Array(name.utf8)
                    nameEnds.append(names.count)
                }
                entries.append(Entry(name: number, topic: topic))
            }
            ends.append(entries.count)
        }
    }

    /// How many replicas there are.
    public var count: Int { ends.count }

    /// How many topics a replica registered.
    public func topicCount(of replica: Int) -> Int { range(of: replica).count }

    /// Calls back with each topic of a replica, in the order in which they came; names are valid UTF-8.
    public func forEachTopic(of replica: Int, _ body: (UnsafeRawBufferPointer, ImageTopic) -> Void) {
        names.withUnsafeBytes { bytes in
            for entry in entries[range(of: replica)] { body(name(Int(entry.name), in: bytes), entry.topic) }
        }
    }

    /// The image of one replica alone, as bytes that decode to a run of one.
    public func encoded(replica: Int) -> [UInt8] {
        var encoder = ImageEncoder()
        add(replica, to: &encoder)
        var output = ByteWriter()
        encoder.finish(into: &output)
        return output.array()
    }

    /// Appends all of them as one run.
    public func encode(into output: inout ByteWriter) {
        var encoder = ImageEncoder()
        for replica in ends.indices { add(replica, to: &encoder) }
        encoder.finish(into: &output)
    }

    private func add(_ replica: Int, to encoder: inout ImageEncoder) {
        let range = range(of: replica)
        encoder.beginReplica(topics: range.count)
        names.withUnsafeBytes { bytes in
            for entry in entries[range] {
                encoder.add(entry.topic, number: entry.name, name: name(Int(entry.name), in: bytes))
            }
        }
    }

    private func range(of replica: Int) -> Range<Int> { (replica == 0 ? 0 : ends[replica - 1])..<ends[replica] }

    /// One of the names; `bytes` are all of them.
    func name(_ number: Int, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(number == 0 ? 0 : nameEnds[number - 1])..<nameEnds[number]])
    }
}
