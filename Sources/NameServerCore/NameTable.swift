/// The number that stands for a name inside the tables: dense, starting at 0, reused after the name is forgotten.
///
/// `Kind` keeps a topic's number from being taken for a broker's.
struct NameID<Kind>: Hashable, Comparable, Sendable {
    var number: UInt32

    var index: Int { Int(number) }

    static func < (left: NameID, right: NameID) -> Bool { left.number < right.number }
}

/// The kinds of names; they exist only to tell their numbers apart.
enum TopicKind {}
enum GroupKind {}
enum ClusterKind {}
enum AddressKind {}

typealias TopicID = NameID<TopicKind>
/// A broker name: the replica group's, shared by its master and slaves.
typealias GroupID = NameID<GroupKind>
typealias ClusterID = NameID<ClusterKind>
typealias AddressID = NameID<AddressKind>

/// Interned names: bytes to small numbers and back.
///
/// A name is found straight from the bytes of a request, without allocation; it is kept while somebody holds a reference
/// to it. A hash table with open addressing and linear probing; deleting shifts the followers back, so there are no
/// grave markers that would slow it down with time. The hash is Swift's keyed one: names come from the network, and
/// nobody outside can make them collide.
struct NameTable<Kind>: ~Copyable {
    typealias ID = NameID<Kind>

    private struct Entry {
        var bytes: UnsafeMutableRawPointer?
        var length: Int32
        var references: Int32
        var hash: UInt32
    }

    private struct Slot {
        var hash: UInt32
        var number: UInt32
    }

    private var entries: ContiguousArray<Entry> = []
    private var unused: ContiguousArray<UInt32> = []
    private var slots = ContiguousArray(repeating: NameTable.vacant, count: 16)

    private static var vacant: Slot { Slot(hash: 0, number: .max) }

    /// How many names are held.
    var count: Int { entries.count - unused.count }

    /// One more than the largest number in use: the length of an array indexed by these numbers.
    var bound: Int { entries.count }

    deinit { for entry in entries { entry.bytes?.deallocate() } }

    /// The number of a name that is held; nil for an unknown one.
    func lookup(_ name: UnsafeRawBufferPointer) -> ID? {
        let number = slots[position(of: name, hash: Self.hash(name))].number
        return number == .max ? nil : ID(number: number)
    }

    /// The name's bytes; empty for a number that is not in use. Valid until the name is released.
    func bytes(of id: ID) -> UnsafeRawBufferPointer {
        let entry = entries[id.index]
        return UnsafeRawBufferPointer(start: entry.bytes.map { UnsafeRawPointer($0) }, count: Int(entry.length))
    }

    /// The name as text.
    func text(of id: ID) -> String { String(decoding: bytes(of: id), as: UTF8.self) }

    /// Whether `first` stands before `second` in byte order, the order of everything this server prints.
    func precedes(_ first: ID, _ second: ID) -> Bool { bytes(of: first).precedes(bytes(of: second)) }

    /// The number of `name`, which is made known if it was not, with one more reference to it.
    mutating func retain(_ name: UnsafeRawBufferPointer) -> ID {
        let hash = Self.hash(name)
        let position = position(of: name, hash: hash)
        if slots[position].number != .max {
            entries[Int(slots[position].number)].references += 1
            return ID(number: slots[position].number)
        }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(name.count, 1), alignment: 1)
        if let start = name.baseAddress { copy.copyMemory(from: start, byteCount: name.count) }
        let entry = Entry(bytes: copy, length: Int32(name.count), references: 1, hash: hash)
        let number: UInt32
        if let reused = unused.popLast() {
            number = reused
            entries[Int(reused)] = entry
        } else {
            number = UInt32(entries.count)
            entries.append(entry)
        }
        slots[position] = Slot(hash: hash, number: number)
        if count * 4 > slots.count * 3 { grow() }
        return ID(number: number)
    }

    /// One more reference to a name that is held.
    mutating func retain(_ id: ID) {
        precondition(entries[id.index].references > 0, "retain of the unused number \(id.number)")
        entries[id.index].references += 1
    }

    /// One reference less; the name is forgotten, and its number free for another, with the last one.
    mutating func release(_ id: ID) {
        precondition(entries[id.index].references > 0, "release of the unused number \(id.number)")
        entries[id.index].references -= 1
        guard entries[id.index].references == 0 else { return }
        vacate(position(of: bytes(of: id), hash: entries[id.index].hash))
        entries[id.index].bytes?.deallocate()
        entries[id.index] = Entry(bytes: nil, length: 0, references: 0, hash: 0)
        unused.append(id.number)
    }

    /// The slot that holds `name`, or the vacant one where it belongs.
    private func position(of name: UnsafeRawBufferPointer, hash: UInt32) -> Int {
        let mask = slots.count - 1
        var position = Int(hash) & mask
        while slots[position].number != .max {
            let slot = slots[position]
            if slot.hash == hash, bytes(of: ID(number: slot.number)).isSame(as: name) { break }
            position = (position + 1) & mask
        }
        return position
    }

    private mutating func vacate(_ position: Int) {
        let mask = slots.count - 1
        var hole = position
        var next = (hole + 1) & mask
        while slots[next].number != .max {
            let home = Int(slots[next].hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = Self.vacant
    }

    private mutating func grow() {
        let old = slots
        let mask = old.count * 2 - 1
        slots = ContiguousArray(repeating: Self.vacant, count: mask + 1)
        for slot in old where slot.number != .max {
            var position = Int(slot.hash) & mask
            while slots[position].number != .max { position = (position + 1) & mask }
            slots[position] = slot
        }
    }

    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
