// REGISTER_BROKER (103), protocol.md 2.4 and 2.5.
//
//     CRC ─▶ a repetition of the last one? ─yes─▶ move the time stamp            (Heartbeat.swift)
//                  │ no
//                  ▼
//     read the fields ─▶ decode the body, a large one on another thread
//                  ▼
//     judge: what do the tables say now; conflict, guard, limits                 (RegistrationVerdict.swift)
//                  ▼
//     apply the difference                                                       (ApplyRegistration.swift)

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
        supersede(cluster: request.cluster, address: request.address)
        if isLarge(body), pending.count < limits.pendingRegistrations {
            return .decode(postpone(request, fingerprint, body, arrival))
        }
        let decoded = PendingRegistration.decode(body, request.layout, receivedAt: arrival.wallTime)
        register(request, decoded, fingerprint, arrival, &output, &directives)
        return .done
    }

    /// Goes on with a registration that `handle` left as `.decode`. Writes the answer, unless the request was oneway.
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
        let start = output.count
        let errors = counters.errors
        defer { requests.add(RequestCode.registerBroker, hasFailed: counters.errors != errors) }
        if let index = pending.firstIndex(where: { $0.number == registration.ticket.number }) {
            pending.remove(at: index)
            register(
                registration.request, decoded, registration.fingerprint, registration.arrival, &output, &directives)
        } else {
            output.answer(registration.arrival, fields: .empty)
        }
        checkAnswer(from: start, registration.arrival, &output)
    }

    /// Whether decoding the body would keep others waiting. Topic lists deflate to about a tenth; what is packed more
    /// tightly cannot become larger than a thousand times itself.
    private func isLarge(_ body: UnsafeRawBufferPointer) -> Bool {
        (Zlib.isStream(body) ? 16 * body.count : body.count) > limits.inlineBodyBytes
    }

    private mutating func postpone(
        _ request: RegistrationRequest, _ fingerprint: BodyFingerprint, _ body: UnsafeRawBufferPointer,
        _ arrival: Arrival
    ) -> PendingRegistration {
        lastTicket += 1
        let ticket = PendingRegistration.Ticket(
            number: lastTicket, connection: arrival.connection, cluster: request.cluster, address: request.address)
        pending.append(ticket)
        return PendingRegistration(
            ticket: ticket, request: request, fingerprint: fingerprint, arrival: arrival, body: [UInt8](body))
    }

    /// Makes registrations of the replica that are still being decoded void: something newer is here.
    mutating func supersede(cluster: String, address: String) {
        pending.removeAll { $0.cluster == cluster && $0.address == address }
    }

    private mutating func register(
        _ request: RegistrationRequest, _ decoded: Result<RegistrationBody, RemotingError>,
        _ fingerprint: BodyFingerprint, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        switch decoded {
        case .failure(let error):
            let remark =
                "org.apache.rocketmq.remoting.exception.RemotingCommandException: "
                + "Failed to decode RegisterBrokerBody, \(error)"
            refuse(request, remark, arrival, fields: .absent, &output, &directives)
        case .success(let body):
            counters.decodedBodies += 1
            register(request, body, fingerprint, arrival, &output, &directives)
        }
    }

    private mutating func register(
        _ request: RegistrationRequest, _ body: RegistrationBody, _ fingerprint: BodyFingerprint, _ arrival: Arrival,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) {
        let names = retainNames(of: request)
        defer { release(names) }
        let registration = IncomingRegistration(
            request: request, names: names, fingerprint: fingerprint, arrival: arrival)
        let standing = standing(of: registration, body)
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
            let live = apply(registration, body, standing, &directives)
            answerRegistration(of: live, arrival, &output)
        }
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
