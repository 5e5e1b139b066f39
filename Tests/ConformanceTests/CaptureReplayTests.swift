// Captured conversations with Apache's NameServer, told again to a node of ours: every request in the order of the
// capture over connections opened and closed as there, every answer compared with Apache's.
//
// Of the server that says 5.3.3 the whole frame must be the same, byte for byte, except where protocol.md leaves the
// bytes open (the order of topic lists). 4.9.8 differs from what we are, 5.3.3, in the ways of Appendix A; the table
// below turns such an answer of 4.9.8 into the one expected of us.

import TestSupport
import Testing

@Suite struct CaptureReplayTests {
    @Test(arguments: ["nameserver-5.3.3", "nameserver-4.9.8"])
    func capturedConversation(name: String) throws {
        let capture = try CaptureFile(path: capturePath(name))
        var replay = try Replay(capture, allowed: name.hasSuffix("4.9.8") ? AllowedDifference.version4 : [])
        try replay.run()
        let captured = capture.events.filter { event in
            if case .frame = event.content { !event.toServer } else { false }
        }
        #expect(replay.compared == captured.count && captured.count > 90)
    }
}

/// Something in which our answer may differ from the captured one.
private struct AllowedDifference: Sendable {
    /// What an answer to `request` looks like, in our version, that was captured as `answer`.
    let expected: @Sendable (_ request: RawFrame, _ answer: ReplayedAnswer, _ history: [RawFrame]) -> ReplayedAnswer

    /// Appendix A, row by row, as far as the conversation shows it.
    static let version4: [AllowedDifference] = [
        // "own version number": 409 there, 479 here.
        AllowedDifference { _, answer, _ in
            answer.with(header: answer.header.replacing(#""version":409}"#, with: #""version":479}"#))
        },
        // "route-not-found URL in the remark".
        AllowedDifference { _, answer, _ in
            answer.with(
                header: answer.header.replacing(
                    "See http://rocketmq.apache.org/docs/faq/ for",
                    with: "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for"))
        },
        // "BrokerData": plus enableActingMaster, which is false for brokers that do not send it. In a route and in 106
        // `cluster` is the member before it, at the end of the object.
        AllowedDifference { request, answer, _ in
            guard request.code == 105 || request.code == 106 else { return answer }
            return answer.with(
                body: answer.body.replacing(
                    #""cluster":"DefaultCluster"}"#, with: #""cluster":"DefaultCluster","enableActingMaster":false}"#))
        },
        // "KV body for brokers": always there; here not after returnOrderTopicConfigToBroker=false by 318.
        AllowedDifference { request, answer, history in
            let switchedOff = history.contains {
                $0.code == 318 && $0.bodyText.contains("returnOrderTopicConfigToBroker=false")
            }
            return request.code == 103 && switchedOff ? answer.with(body: "") : answer
        },
    ]
}

/// A JSON header and a body as texts.
private struct ReplayedAnswer: Equatable {
    var header: String
    var body: String

    init(_ frame: RawFrame) {
        header = frame.headerText
        body = frame.bodyText
    }

    func with(header: String? = nil, body: String? = nil) -> ReplayedAnswer {
        var copy = self
        copy.header = header ?? copy.header
        copy.body = body ?? copy.body
        return copy
    }
}

/// One run through a capture.
private struct Replay {
    private let capture: CaptureFile
    private let allowed: [AllowedDifference]
    private let server: NameServerProcess
    private var connections: [String: RawConnection] = [:]
    private var history: [RawFrame] = []
    private(set) var compared = 0

    init(_ capture: CaptureFile, allowed: [AllowedDifference]) throws {
        self.capture = capture
        self.allowed = allowed
        server = try NameServerProcess()
    }

    mutating func run() throws {
        for (index, event) in capture.events.enumerated() where event.toServer {
            switch event.content {
            case .open: connections[event.connection] = try server.connect()
            case .end:
                // Waiting for the node's own end makes sure that what follows from a close has happened.
                let closing = connections.removeValue(forKey: event.connection)
                let connection = try #require(closing)
                connection.closeWriting()
                try connection.expectClose()
            case .frame(let request):
                let connection = try #require(connections[event.connection])
                try connection.send(request.bytes)
                history.append(request)
                if let flag = request.flag, flag & 3 != 0 { continue }
                let answer = try connection.receiveFrame()
                let captured = capturedAnswer(after: index, to: request, event)
                try compare(request, answer, captured: captured, event.line)
            }
        }
    }

    /// Nil for the few answers that were left out of the capture.
    private func capturedAnswer(after index: Int, to request: RawFrame, _ event: CaptureFile.Event) -> RawFrame? {
        for later in capture.events[index...] where later.connection == event.connection {
            switch later.content {
            case .frame(let frame) where !later.toServer && frame.opaque == request.opaque: return frame
            case .frame(let frame) where later.toServer && frame.opaque == request.opaque && frame != request:
                return nil
            case .end: return nil
            default: continue
            }
        }
        return nil
    }

    private mutating func compare(
        _ request: RawFrame, _ answer: RawFrame, captured: RawFrame?, _ line: Int
    ) throws {
        guard let captured else {
            #expect(answer.code == 0 && answer.opaque == request.opaque, "line \(line): \(answer.headerText)")
            return
        }
        compared += 1
        let ours = ReplayedAnswer(answer)
        let expected = allowed.reduce(ReplayedAnswer(captured)) { $1.expected(request, $0, history) }
        #expect(ours.header == expected.header, "line \(line)")
        if isUnordered(request) {
            let meanings = try [ours, expected].map { try JSONMeaning($0.body).withoutArrayOrder }
            #expect(meanings[0] == meanings[1], "line \(line)")
        } else {
            #expect(ours.body == expected.body, "line \(line)")
        }
    }

    /// Lists of topics have no order (3.2 rule 6 and 2.14–2.19).
    private func isUnordered(_ request: RawFrame) -> Bool {
        [206, 224, 304, 311, 312, 313].contains(request.code ?? 0)
    }
}
