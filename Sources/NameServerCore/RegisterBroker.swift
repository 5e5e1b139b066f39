// REGISTER_BROKER (103), protocol.md 2.4 and 2.5.
//
//     CRC ─▶ a repetition of the last one? ─yes─▶ move the time stamp            (Heartbeat.swift)
//                  │ no
//                  ▼
//     read the fields ─▶ decode the body, a large one on another thread
//                  ▼
//     judge: what do the tables say now; conflict, guard, limits                 (RegistrationVerdict.swift)
//                  ▼
//     apply the difference, that of a large one in steps          (ApplyRegistration.swift, TopicSteps.swift)

import Basics
import Remoting

extension NameServer {
    mutating func registerBroker(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer, _ arrival: Arrival,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) -> Handled {
        let fingerprint = BodyFingerprint(body)
        if let expected = header.int32("bodyCrc32"), expected != 0,
            expected != Int32(fingerprint.crc32 & 0x7FFF_FFFF)
        {
            fail("crc32 not match", arrival, fields: .empty, &output)
            return .done
        }
        if let live = repeatedRegistration(header, fingerprint) {
            heard(live, arrival, &directives)
            answerRegistration(of: live, arrival, &output)
            return .done
        }
        let request: RegistrationRequest
        do throws(MissingField) {
            request = try RegistrationRequest(header)
        } catch {
            fail(error.remark, arrival, &output)
            return .done
        }
        let weight = Self.weight(of: body)
        if weight > limits.inlineBodyBytes, !hasRoom(for: weight) { return .wait(bytes: weight) }
        supersede(cluster: request.cluster, address: request.address)
        if weight > limits.inlineBodyBytes {
            return .decode(postpone(request, fingerprint, body, weight, arrival))
        }
        let decoded = PendingRegistration.decode(body, request.layout, receivedAt: arrival.wallTime)
        _ = register(request, decoded, fingerprint, arrival, atMost: .max, &output, &directives)
        return .done
    }

    /// Goes on with a registration that `handle` left as `.decode`, to its end. Writes the answer, unless the request was
    /// oneway.
    ///
    /// The registration counts from when it arrived. If a newer registration or an unregistration of the same replica
    /// was handled meanwhile, or its connection closed, it changes nothing.
    ///
    /// - Parameters:
    ///   - now: when this is called; the silence of the replica is counted from the arrival all the same.
    ///   - wallTime: likewise.
    public mutating func finish(
        _ registration: PendingRegistration, _ decoded: Result<RegistrationBody, RemotingError>, now: Instant,
        wallTime: WallTime, output: inout ByteWriter, directives: inout [Directive]
    ) {
        let isOver = begin(registration, decoded, atMost: .max, output: &output, directives: &directives)
        precondition(isOver, "a registration without bound was not finished")
    }

    /// Begins what `finish` does, with at most `budget` of the topics; `proceed` goes on. Only when no other has steps left.
    ///
    /// - Returns: whether it is over already: answered, unless it was oneway.
    public mutating func begin(
        _ registration: PendingRegistration, _ decoded: Result<RegistrationBody, RemotingError>, atMost budget: Int,
        output: inout ByteWriter, directives: inout [Directive]
    ) -> Bool {
        let start = output.count
        let errors = counters.errors
        let arrival = registration.arrival
        var isOver = true
        if let index = pending.firstIndex(where: { $0.number == registration.ticket.number }) {
            tearUp(index)
            isOver = register(
                registration.request, decoded, registration.fingerprint, arrival, atMost: budget, &output, &directives)
        } else {
            output.answer(arrival, fields: .empty)
        }
        guard isOver else { return false }
        requests.add(RequestCode.registerBroker, hasFailed: counters.errors != errors)
        checkAnswer(from: start, arrival, &output)
        return true
    }

    /// What a body counts for. Topic lists deflate to about a tenth; what is packed more tightly cannot become larger than a
    /// thousand times itself.
    private static func weight(of body: UnsafeRawBufferPointer) -> Int {
        Zlib.isStream(body) ? 16 * body.count : body.count
    }

    /// Whether a registration that counts for so many bytes may be decoded elsewhere; one alone always may.
    public func hasRoom(for bytes: Int) -> Bool { pending.isEmpty || pendingBytes + bytes <= limits.pendingBytes }

    private mutating func postpone(
        _ request: RegistrationRequest, _ fingerprint: BodyFingerprint, _ body: UnsafeRawBufferPointer, _ weight: Int,
        _ arrival: Arrival
    ) -> PendingRegistration {
        lastTicket += 1
        let ticket = PendingRegistration.Ticket(
            number: lastTicket, connection: arrival.connection, cluster: request.cluster, address: request.address,
            weight: weight)
        pending.append(ticket)
        pendingBytes += weight
        var copy = spareBodies.popLast() ?? []
        copy.removeAll(keepingCapacity: true)
        copy.append(contentsOf: body)
        return PendingRegistration(
            ticket: ticket, request: request, fingerprint: fingerprint, arrival: arrival, body: copy)
    }

    /// Takes the memory of a body that was decoded. The system needs a millisecond to clear as much anew, which every request
    /// would wait for.
    public mutating func reuseBody(of registration: PendingRegistration) {
        guard spareBodies.count < Self.spareBodyCount, registration.body.count <= Self.spareBodyBytes else { return }
        spareBodies.append(registration.body)
    }

    /// Two registrations back to back, of more topics than any broker is known to have.
    private static let spareBodyCount = 2
    private static let spareBodyBytes = 4 << 20

    /// Makes registrations of the replica that are still being decoded, or entering the tables, void: something newer is
    /// here.
    mutating func supersede(cluster: String, address: String) {
        tearUpTickets { $0.cluster == cluster && $0.address == address }
        endSteps { $0.request.cluster == cluster && $0.request.address == address }
    }

    /// What came over the connection and is not done yet becomes void.
    mutating func tearUpTickets(of connection: UInt64) {
        tearUpTickets { $0.connection == connection }
        endSteps { $0.arrival.connection == connection }
    }

    private mutating func tearUpTickets(where isVoid: (PendingRegistration.Ticket) -> Bool) {
        var index = 0
        while index < pending.count {
            if isVoid(pending[index]) { tearUp(index) } else { index += 1 }
        }
    }

    private mutating func tearUp(_ index: Int) {
        pendingBytes -= pending[index].weight
        pending.remove(at: index)
    }

    private mutating func register(
        _ request: RegistrationRequest, _ decoded: Result<RegistrationBody, RemotingError>,
        _ fingerprint: BodyFingerprint, _ arrival: Arrival, atMost budget: Int, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) -> Bool {
        switch decoded {
        case .failure(let error):
            let remark =
                "org.apache.rocketmq.remoting.exception.RemotingCommandException: "
                + "Failed to decode RegisterBrokerBody, \(error)"
            refuse(request, remark, arrival, fields: .absent, &output, &directives)
            return true
        case .success(let body):
            counters.decodedBodies += 1
            return register(request, body, fingerprint, arrival, atMost: budget, &output, &directives)
        }
    }

    /// Says whether it is over: with a small budget topics may be left, which `proceed` takes.
    private mutating func register(
        _ request: RegistrationRequest, _ body: RegistrationBody, _ fingerprint: BodyFingerprint, _ arrival: Arrival,
        atMost budget: Int, _ output: inout ByteWriter, _ directives: inout [Directive]
    ) -> Bool {
        let names = retainNames(of: request)
        completeSteps(of: names.group, &directives)
        let registration = IncomingRegistration(
            request: request, names: names, fingerprint: fingerprint, arrival: arrival)
        let standing = standing(of: registration)
        switch judge(registration, body, standing) {
        case .refused(let remark):
            refuse(request, remark, arrival, fields: .empty, &output, &directives)
        case .outranked(let holder):
            yield(registration, standing)
            let cause = "\(holder) holds its id with a newer stateVersion"
            if let live = standing.live {
                remove(live, .conflict, cause, arrival, &directives)
            } else {
                note(.conflict, request.identity, "\(request.label) not registered: \(cause)", arrival, &directives)
            }
            answerRegistration(of: nil, arrival, &output)
        case .accepted:
            lastTicket += 1
            var step = start(registration, body, standing, number: lastTicket, &directives)
            applyTopics(&step, atMost: budget)
            if step.remaining > 0 {
                guard case .none = steps else { preconditionFailure("two registrations in steps at one time") }
                introduce(&step, &directives)
                steps = .underWay(step)
                return false
            }
            complete(&step, &directives)
            answerRegistration(of: step.live, arrival, &output)
        }
        release(names)
        return true
    }

    private mutating func refuse(
        _ request: RegistrationRequest, _ remark: String, _ arrival: Arrival, fields: ResponseFields,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) {
        note(.refused, request.identity, "\(request.label) refused: \(remark)", arrival, &directives)
        fail(remark, arrival, fields: fields, &output)
    }

    /// Answers an accepted registration: a slave learns where its master is (2.5 step 13), every broker the order
    /// configuration.
    func answerRegistration(of live: LiveID?, _ arrival: Arrival, _ output: inout ByteWriter) {
        let mark = output.beginAnswer(arrival, fields: masterFields(for: live))
        if properties.returnOrderTopicConfigToBroker, let body = keyValues.orderTopicBody { output.append(body) }
        ResponseFrame.end(&output, mark)
    }

    private func masterFields(for live: LiveID?) -> ResponseFields {
        guard let live, tables.live[live.index].brokerID != 0,
            let slot = tables.groups[tables.live[live.index].group.index].slot(0),
            let master = tables.live(cluster: tables.live[live.index].cluster, address: slot.address)
        else { return .empty }
        let address = tables.live[master.index].addressText
        guard let haAddress = tables.live[master.index].haAddress else { return .one("masterAddr", address) }
        return .two("haServerAddr", haAddress, "masterAddr", address)
    }
}
