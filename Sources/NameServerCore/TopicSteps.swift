import Basics
import Remoting

// Step 10 of protocol.md 2.5, the topics of a registration: all at once, or, of a large one, some at a time.
//
//     begin ─▶ judge, start ─▶ some topics ─▶ proceed ─▶ some topics ─▶ ... ─▶ complete ─▶ answer
//                                    └─ between two steps other requests are served ─┘
//
// Topics become visible as they enter the tables, as they do when a broker sends them in pieces (split registration, 2.5),
// so nobody meets a state that the protocol does not know. The replica stands in its place and is bound to its connection
// from the start: whatever ends a replica ends one that is half in the tables, too. The DataVersion and the memory of the
// body come last: until then 322 answers that the broker has something newer, and no repetition is recognised.
//
// One registration at a time is under way. It is void as soon as a newer one, an unregistration or an expiry of its replica,
// or the end of its connection was handled: what it has not put yet stays out. What would have to see all of it (another
// registration of its group, 205, 216, 217, 327, 318) completes it first, so the order of arrival holds there.

/// A registration that was accepted and is entering the tables.
struct RegistrationUnderWay {
    let number: UInt64
    let registration: IncomingRegistration
    let body: RegistrationBody
    let standing: RegistrationStanding
    let live: LiveID
    /// Its replica's place; when another has it, or it is gone, so is this registration's right to go on.
    let slot: ReplicaSlot
    /// Whether entries that are there already are replaced: not when the DataVersion is the registered one.
    let isNewVersion: Bool
    /// What the gossip layer knows of the replica.
    var mark: FirstHandMark?
    var difference: RegistrationDifference
    /// The sequence of the last registration, and how much of it was passed; see `LiveEntry.topicSequence`.
    let hints: ContiguousArray<TopicID>
    var hinted = 0
    /// The numbers of the topics that are in the tables, in the order of the body; empty for ever without `contributesTopics`.
    var topics: ContiguousArray<TopicID> = []

    init(
        number: UInt64, registration: IncomingRegistration, body: RegistrationBody, standing: RegistrationStanding,
        live: LiveID, slot: ReplicaSlot, isNewVersion: Bool, mark: FirstHandMark?, difference: RegistrationDifference,
        hints: ContiguousArray<TopicID>
    ) {
        (self.number, self.registration, self.body, self.standing) = (number, registration, body, standing)
        (self.live, self.slot, self.isNewVersion, self.mark) = (live, slot, isNewVersion, mark)
        (self.difference, self.hints) = (difference, hints)
        if standing.contributesTopics { topics.reserveCapacity(body.topics.count) }
    }

    var remaining: Int { standing.contributesTopics ? body.topics.count - topics.count : 0 }
}

/// Where the registration stands whose topics enter the tables in several steps.
enum RegistrationSteps {
    case none
    case underWay(RegistrationUnderWay)
    /// Nothing is left but to answer; nil: it was void, or its replica is no more.
    case over(Arrival, LiveID?)

    mutating func take() -> RegistrationSteps {
        defer { self = .none }
        return self
    }
}

extension NameServer {
    /// Whether a registration is in the tables in part only.
    public var hasStepsLeft: Bool { if case .underWay = steps { true } else { false } }

    /// Topics that may still be added by the registration under way.
    var topicsToCome: Int { if case .underWay(let step) = steps { step.remaining } else { 0 } }

    /// Goes on with the registration that `begin` left unfinished.
    ///
    /// - Parameter budget: topics at most.
    /// - Returns: whether it is over now: answered, unless it was oneway.
    public mutating func proceed(
        atMost budget: Int, output: inout ByteWriter, directives: inout [Directive]
    ) -> Bool {
        let start = output.count
        let errors = counters.errors
        switch steps.take() {
        case .none: preconditionFailure("no registration is under way")
        case .underWay(var step):
            guard isStanding(step) else {
                release(step.registration.names)
                steps = .over(step.registration.arrival, nil)
                return proceed(atMost: budget, output: &output, directives: &directives)
            }
            applyTopics(&step, atMost: budget)
            guard step.remaining == 0 else {
                steps = .underWay(step)
                return false
            }
            complete(&step, &directives)
            release(step.registration.names)
            steps = .over(step.registration.arrival, step.live)
            return proceed(atMost: budget, output: &output, directives: &directives)
        case .over(let arrival, let live):
            let isThere = live.map { tables.live[$0.index].isInUse } ?? false
            answerRegistration(of: isThere ? live : nil, arrival, &output)
            checkAnswer(from: start, arrival, &output)
            requests.add(RequestCode.registerBroker, hasFailed: counters.errors != errors)
            return true
        }
    }

    /// Puts all of the registration under way into the tables, if it is one of the group: what follows must find it whole.
    mutating func completeSteps(of group: GroupID?, _ directives: inout [Directive]) {
        guard case .underWay(let waiting) = steps, group == nil || waiting.registration.names.group == group else {
            return
        }
        guard case .underWay(var step) = steps.take() else { return }
        let isStanding = isStanding(step)
        if isStanding {
            applyTopics(&step, atMost: step.remaining)
            complete(&step, &directives)
        }
        release(step.registration.names)
        steps = .over(step.registration.arrival, isStanding ? step.live : nil)
    }

    /// Makes the registration under way void if it is one of these.
    mutating func endSteps(where isVoid: (IncomingRegistration) -> Bool) {
        guard case .underWay(let step) = steps, isVoid(step.registration) else { return }
        release(step.registration.names)
        steps = .over(step.registration.arrival, nil)
    }

    /// Whether the replica is still where the registration put it. A group that went and came again has other slots.
    private func isStanding(_ step: RegistrationUnderWay) -> Bool {
        let entry = tables.live[step.live.index]
        let group = step.registration.names.group
        return entry.isInUse && entry.underWay == step.number && entry.group == group && tables.exists(group)
            && tables.groups[group.index].slot(step.slot.brokerID) == step.slot
    }

    /// Step 10b: the next topics of a master or of the smallest slave, at most so many.
    mutating func applyTopics(_ step: inout RegistrationUnderWay, atMost budget: Int) {
        let count = min(budget, step.remaining)
        guard count > 0 else { return }
        let group = step.registration.names.group
        let tick = tables.tick()
        let body = step.body
        let request = step.registration.request
        let isReadOnly = request.brokerID != 0 && request.actingMaster == true
        let first = step.topics.count
        body.withNames { names in
            for topic in body.topics[first..<first + count] {
                let name = names.part(topic.nameStart, topic.nameLength)
                let known = knownTopic(name, &step)
                let current = known.flatMap { tables.entry(of: group, in: $0) }
                if let known, current != nil, !step.isNewVersion {
                    step.topics.append(known)
                    continue
                }
                let entry = QueueEntry(
                    group: group, readQueues: topic.readQueueNums, writeQueues: topic.writeQueueNums,
                    permission: isReadOnly ? topic.perm & ~PermissionBits.write : topic.perm,
                    systemFlag: topic.topicSysFlag)
                if let known {
                    if entry != current { step.difference.count(tables.put(entry, in: known, at: tick)) }
                    step.topics.append(known)
                } else {
                    let (id, change) = tables.put(entry, underName: name, at: tick)
                    step.difference.count(change)
                    step.topics.append(id)
                }
            }
        }
        if step.difference.touchesTopics {
            tables.groups[group.index].revisedAt = tick
            tables.boundTopicList(of: group)
        }
    }

    /// The number of a name; nil for one not known yet.
    ///
    /// Brokers send their topics in the same order each time, so the sequence of the last registration mostly tells the
    /// number without hashing the name. Where one was inserted or dropped since, the search goes on behind it.
    private func knownTopic(_ name: UnsafeRawBufferPointer, _ step: inout RegistrationUnderWay) -> TopicID? {
        let next = step.hinted
        if next < step.hints.count, tables.topicNames.bytes(of: step.hints[next]).isSame(as: name) {
            step.hinted += 1
            return step.hints[next]
        }
        let id = tables.topicNames.lookup(name)
        if let id, next + 1 < step.hints.count, id == step.hints[next + 1] { step.hinted += 2 }
        return id
    }
}
