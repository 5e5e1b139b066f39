/// What a broker group says of its queues of one topic: RocketMQ's QueueData without the broker's name.
struct QueueSettings: Hashable {
    var readQueues: Int32
    var writeQueues: Int32
    /// `PermissionBits`.
    var permission: Int32
    var systemFlag: Int32
}

/// The number that stands for settings inside the tables.
struct SettingsID: Hashable {
    var number: UInt32
}

/// Interned settings. Millions of queue entries share a handful of them, so an entry holds a number instead: 8 bytes, not 20.
///
/// Settings are kept while somebody holds a reference to them; the number is free for others afterwards.
struct SettingsTable {
    private struct Held {
        var settings: QueueSettings
        var references: UInt32
    }

    private var held: ContiguousArray<Held> = []
    private var unused: ContiguousArray<SettingsID> = []
    private var numbers: [QueueSettings: SettingsID] = [:]
    /// Where settings were found last, by a few of their bits: saves hashing them.
    private var recent = ContiguousArray(repeating: SettingsID(number: .max), count: 16)

    /// How many different settings are held.
    var count: Int { held.count - unused.count }

    subscript(id: SettingsID) -> QueueSettings { held[Int(id.number)].settings }

    /// The number of the settings, with one more reference to it.
    mutating func retain(_ settings: QueueSettings) -> SettingsID {
        let bits = settings.readQueues &+ settings.writeQueues &* 5 &+ settings.permission &* 3 &+ settings.systemFlag
        let place = Int(bits & 15)
        let guess = recent[place]
        if guess.number < held.count, held[Int(guess.number)].references > 0, self[guess] == settings {
            held[Int(guess.number)].references += 1
            return guess
        }
        let id = find(settings)
        recent[place] = id
        held[Int(id.number)].references += 1
        return id
    }

    private mutating func find(_ settings: QueueSettings) -> SettingsID {
        if let known = numbers[settings] { return known }
        let new = Held(settings: settings, references: 0)
        let id: SettingsID
        if let reused = unused.popLast() {
            id = reused
            held[Int(id.number)] = new
        } else {
            id = SettingsID(number: UInt32(held.count))
            held.append(new)
        }
        numbers[settings] = id
        return id
    }

    /// One reference less.
    mutating func release(_ id: SettingsID) {
        precondition(held[Int(id.number)].references > 0, "release of the unused settings \(id.number)")
        held[Int(id.number)].references -= 1
        guard held[Int(id.number)].references == 0 else { return }
        numbers[self[id]] = nil
        unused.append(id)
    }
}
