// Registration images as bytes, from one node to another.
//
// | bytes | meaning |
// |---|---|
// | varint | names |
// | each: varint, bytes | length, UTF-8: the topics' names, each once, in order of first use |
// | per replica: varint | topics |
// | each: varint | which name, counted from 0 |
// | 4 zigzag varints | readQueueNums, writeQueueNums, perm, topicSysFlag |
// | byte | order, 0 or 1 |
//
// Which replicas these are, and how many, is said elsewhere. Equal images in equal order have equal bytes: there is one
// form only, and the decoder accepts no other.

import Basics

/// What an image may hold. A topic outside the limits is no part of its replica's image, on any node.
public enum ImageLimits {
    /// Topics of one replica: as many as a registration may have.
    public static let topics = 262_144
    /// Bytes of a topic's name.
    public static let nameBytes = 1...1_024
    /// Names of one run: four of the largest replicas that share no topic.
    public static let names = 1 << 20
}

/// Bytes that are no run of images.
public struct ImageFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        /// The bytes end too early, or go on behind the end.
        case length
        /// A number is written in more bytes than it needs, or does not fit its type.
        case number
        /// One of `ImageLimits` is exceeded.
        case limit
        /// A name comes twice, is not used, out of order or no UTF-8.
        case name
    }

    /// What is wrong.
    public var code: Code
    /// Where, for people; never holds bytes of the peer.
    public var context: String

    /// Code and context in one line.
    public var description: String { "registration images: \(code): \(context)" }
}

/// Writes one run, replica by replica.
struct ImageEncoder: ~Copyable {
    private var names = ByteWriter(capacity: 4_096)
    private var replicas = ByteWriter(capacity: 4_096)
    /// Which place in the run each name has, by the caller's number for it.
    private var places: [UInt32: UInt64] = [:]

    /// Begins a replica; that many `add` follow.
    mutating func beginReplica(topics: Int) { replicas.append(varint: UInt64(topics)) }

    /// Adds a topic of the replica.
    ///
    /// - Parameter number: stands for the name in this run: the same name, the same number.
    mutating func add(_ topic: ImageTopic, number: UInt32, name: @autoclosure () -> UnsafeRawBufferPointer) {
        let place = places[number] ?? UInt64(places.count)
        if place == places.count {
            places[number] = place
            let name = name()
            names.append(varint: UInt64(name.count))
            names.append(name)
        }
        replicas.append(varint: place)
        topic.encode(into: &replicas)
    }

    /// Appends the run.
    consuming func finish(into output: inout ByteWriter) {
        output.append(varint: UInt64(places.count))
        output.append(names.bytes)
        output.append(replicas.bytes)
    }
}

extension ImageTopic {
    fileprivate func encode(into output: inout ByteWriter) {
        output.append(zigzag: Int64(readQueues))
        output.append(zigzag: Int64(writeQueues))
        output.append(zigzag: Int64(permission))
        output.append(zigzag: Int64(systemFlag))
        output.append(isOrdered ? 1 : 0)
    }

    /// Bytes that the values take, without the name's place.
    var encodedBytes: Int {
        func length(_ number: Int32) -> Int {
            let zigzag = UInt32(bitPattern: (number << 1) ^ (number >> 31))
            return max(1, (32 - zigzag.leadingZeroBitCount + 6) / 7)
        }
        return length(readQueues) + length(writeQueues) + length(permission) + length(systemFlag) + 1
    }
}

extension RegistrationImages {
    /// Reads a run.
    ///
    /// - Parameter replicas: how many images it must hold.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, replicas: Int
    ) throws(ImageFormatError) -> RegistrationImages {
        var reader = ImageReader(reader: ByteReader(bytes))
        var images = RegistrationImages()
        try reader.readNames(into: &images)
        for _ in 0..<replicas { try reader.readReplica(into: &images) }
        guard reader.namesUsed == images.nameEnds.count else {
            throw ImageFormatError(code: .name, context: "\(images.nameEnds.count - reader.namesUsed) unused")
        }
        guard reader.reader.remaining == 0 else {
            throw ImageFormatError(code: .length, context: "\(reader.reader.remaining) bytes behind the end")
        }
        return images
    }

    /// Reads a run.
    public static func decode(_ bytes: [UInt8], replicas: Int) throws(ImageFormatError) -> RegistrationImages {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(ImageFormatError) in try decode(bytes, replicas: replicas) }
        }
        return try result.get()
    }
}

private struct ImageReader {
    var reader: ByteReader
    /// Names that a topic has named so far.
    var namesUsed = 0
    private var replica: UInt32 = 0
    /// The last replica that named each name, counted from 1.
    private var lastUse: ContiguousArray<UInt32> = []

    init(reader: ByteReader) { self.reader = reader }

    mutating func readNames(into images: inout RegistrationImages) throws(ImageFormatError) {
        let count = try readCount("names", limit: ImageLimits.names)
        // Each takes at least two bytes, so no memory is asked for that the bytes do not pay for.
        guard count <= reader.remaining / 2 else {
            throw ImageFormatError(code: .length, context: "\(count) names in \(reader.remaining) bytes")
        }
        images.nameEnds.reserveCapacity(count)
        for _ in 0..<count {
            let length = try readCount("bytes of a name", limit: ImageLimits.nameBytes.upperBound)
            guard length >= ImageLimits.nameBytes.lowerBound else {
                throw ImageFormatError(code: .limit, context: "an empty name")
            }
            guard let name = reader.readBytes(length) else { throw ended("name") }
            guard isValidUTF8(name) else { throw ImageFormatError(code: .name, context: "no UTF-8") }
            images.names.append(contentsOf: name)
            images.nameEnds.append(images.names.count)
        }
        guard images.hasDistinctNames else { throw ImageFormatError(code: .name, context: "one name twice") }
        lastUse = ContiguousArray(repeating: 0, count: count)
    }

    mutating func readReplica(into images: inout RegistrationImages) throws(ImageFormatError) {
        replica += 1
        let count = try readCount("topics", limit: ImageLimits.topics)
        guard count <= reader.remaining / 6 else {
            throw ImageFormatError(code: .length, context: "\(count) topics in \(reader.remaining) bytes")
        }
        for _ in 0..<count {
            let place = try readCount("a name's place", limit: ImageLimits.names)
            guard place <= namesUsed, place < lastUse.count, lastUse[place] != replica else {
                throw ImageFormatError(code: .name, context: "name \(place) of \(lastUse.count), \(namesUsed) used")
            }
            if place == namesUsed { namesUsed += 1 }
            lastUse[place] = replica
            images.entries.append(.init(name: UInt32(place), topic: try readTopic()))
        }
        images.ends.append(images.entries.count)
    }

    private mutating func readTopic() throws(ImageFormatError) -> ImageTopic {
        var topic = ImageTopic(
            readQueues: try readNumber(), writeQueues: try readNumber(), permission: try readNumber(),
            systemFlag: try readNumber())
        guard let order = reader.readInteger(UInt8.self) else { throw ended("order") }
        guard order <= 1 else { throw ImageFormatError(code: .number, context: "order \(order)") }
        topic.isOrdered = order == 1
        return topic
    }

    private mutating func readNumber() throws(ImageFormatError) -> Int32 {
        do throws(VarintError) {
            if let number = Int32(exactly: try reader.readZigzag()) { return number }
        } catch {
            throw failed(error, "number")
        }
        throw ImageFormatError(code: .number, context: "more than 32 bits")
    }

    private mutating func readCount(_ what: StaticString, limit: Int) throws(ImageFormatError) -> Int {
        let count: UInt64
        do throws(VarintError) {
            count = try reader.readVarint()
        } catch {
            throw failed(error, what)
        }
        guard count <= UInt64(limit) else {
            throw ImageFormatError(code: .limit, context: "\(what): \(count), at most \(limit)")
        }
        return Int(count)
    }

    private func failed(_ error: VarintError, _ what: StaticString) -> ImageFormatError {
        error == .truncated ? ended(what) : ImageFormatError(code: .number, context: "\(what)")
    }

    private func ended(_ what: StaticString) -> ImageFormatError {
        ImageFormatError(code: .length, context: "\(what) is missing at byte \(reader.position)")
    }
}

private func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
}

extension RegistrationImages {
    /// Whether no name comes twice: an open-addressed table of name numbers, since a sort would take many times as long.
    fileprivate var hasDistinctNames: Bool {
        var bits = 4
        while 1 << bits < nameEnds.count * 2 { bits += 1 }
        var slots = ContiguousArray<UInt32>(repeating: .max, count: 1 << bits)
        return names.withUnsafeBytes { bytes in
            for number in nameEnds.indices {
                let name = name(number, in: bytes)
                var hasher = Hasher()
                hasher.combine(bytes: name)
                var slot = hasher.finalize() & (slots.count - 1)
                while slots[slot] != .max {
                    if self.name(Int(slots[slot]), in: bytes).isSame(as: name) { return false }
                    slot = (slot + 1) & (slots.count - 1)
                }
                slots[slot] = UInt32(number)
            }
            return true
        }
    }
}
