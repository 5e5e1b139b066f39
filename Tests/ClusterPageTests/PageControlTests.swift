import Basics
import HTTPServer
import TestSupport
import Testing

@testable import ClusterPage

/// Switches that write down what they are told.
private final class Recorder: PageSwitches {
    var onChange: (() -> Void)?
    var told: [PageSwitch] = []
    var done: [PageSwitch] = []
    var refusal: String?
    var positions: SwitchPositions {
        var positions = SwitchPositions()
        positions.parties = [
            .init(name: "ns-1", isNode: true, state: .up), .init(name: "broker-a:0", isNode: false, state: .paused),
        ]
        positions.links = [.init(from: "broker-a:0", to: "ns-1"), .init(from: "ns-1", to: "broker-a:0")]
        positions.cuts = [.init(from: "ns-1", to: "broker-a:0")]
        return positions
    }

    func set(_ change: PageSwitch) -> String? {
        told.append(change)
        return refusal
    }
}

/// Who may switch, and what.
@Suite struct PageControlTests {
    private static let here = Address(host: "127.0.0.1", port: 40_000)

    private func request(
        _ query: [(String, String)], token: String, fields: [String: String] = [:]
    ) -> HTTPRequest {
        var all = ["host": "127.0.0.1:9870", "x-hearsay-token": token]
        all.merge(fields) { $1 }
        return HTTPRequest(post: ["page", "switch"], query: query, fields: all.filter { $0.value != "none" })
    }

    static let changes: [(query: [(String, String)], change: PageSwitch?)] = [
        ([("do", "cut"), ("from", "broker-a:0"), ("to", "ns-1")], .cut(from: "broker-a:0", to: "ns-1")),
        ([("do", "heal"), ("from", "ns-1"), ("to", "broker-a:0")], .heal(from: "ns-1", to: "broker-a:0")),
        ([("do", "healAll")], .healAll), ([("do", "pause"), ("process", "ns-1")], .pause("ns-1")),
        ([("do", "resume"), ("process", "broker-a:0")], .resume("broker-a:0")),
        ([("do", "kill"), ("process", "ns-1")], .kill("ns-1")),
        ([("do", "restart"), ("process", "ns-1")], .restart("ns-1")),
        // What is not there, or not meant.
        ([("do", "cut"), ("from", "broker-a:0"), ("to", "ns-2")], nil), ([("do", "cut")], nil),
        ([("do", "cut"), ("from", "ns-1"), ("to", "ns-1")], nil), ([("do", "kill")], nil),
        ([("do", "kill"), ("process", "init")], nil), ([("do", "kill"), ("process", "1")], nil),
        ([("do", "reboot"), ("process", "ns-1")], nil), ([], nil),
    ]

    @Test(arguments: Self.changes.indices) func takesWhatThereIs(index: Int) throws {
        let (query, change) = Self.changes[index]
        let switches = Recorder()
        let control = PageControl(switches) { switches.done.append($0) }
        let answer = control.answer(request(query, token: control.token), from: Self.here)
        #expect(answer.status == (change == nil ? .badRequest : .noContent), "\(query)")
        #expect(switches.told == (change.map { [$0] } ?? []) && switches.done == switches.told)
    }

    @Test func saysWhyNot() {
        let switches = Recorder()
        switches.refusal = "ns-1 runs"
        let control = PageControl(switches) { switches.done.append($0) }
        let answer = control.answer(
            request([("do", "restart"), ("process", "ns-1")], token: control.token), from: Self.here)
        #expect(answer.status == .conflict && String(decoding: answer.body, as: UTF8.self) == #"{"error":"ns-1 runs"}"#)
        #expect(switches.told.count == 1 && switches.done.isEmpty)
    }

    static let strangers: [(fields: [String: String], from: Address?, admitted: Bool)] = [
        ([:], here, true), ([:], Address(host: "::1", port: 1), true),
        (["origin": "http://127.0.0.1:9870"], here, true),
        (["origin": "http://127.0.0.1:9870", "sec-fetch-site": "same-origin"], here, true),
        // Another machine, another page, another port of this machine, a page of no origin, an earlier run.
        ([:], Address(host: "10.0.0.1", port: 1), false), ([:], nil, false),
        (["origin": "http://evil.example"], here, false), (["origin": "http://127.0.0.1:9871"], here, false),
        (["origin": "https://127.0.0.1:9870"], here, false), (["origin": "null"], here, false),
        (["sec-fetch-site": "cross-site"], here, false), (["sec-fetch-site": "same-site"], here, false),
        (["sec-fetch-site": "none"], here, true),
        (["x-hearsay-token": "none"], here, false), (["x-hearsay-token": ""], here, false),
        (["x-hearsay-token": String(repeating: "0", count: 32)], here, false),
    ]

    @Test(arguments: Self.strangers.indices) func letsOnlyItsOwnPageSwitch(index: Int) {
        let (fields, from, admitted) = Self.strangers[index]
        let switches = Recorder()
        let control = PageControl(switches) { switches.done.append($0) }
        let answer = control.answer(request([("do", "healAll")], token: control.token, fields: fields), from: from)
        #expect(answer.status == (admitted ? .noContent : .forbidden), "\(fields) from \(String(describing: from))")
        #expect(switches.told.isEmpty == !admitted)
    }

    @Test func tokensDiffer() {
        let tokens = Set((0..<100).map { _ in PageControl(Recorder()) { _ in }.token })
        #expect(tokens.count == 100 && tokens.allSatisfy { $0.utf8.count == 32 })
    }

    @Test func tellsPositions() throws {
        let state = try JSONMeaning(PageControl(Recorder()) { _ in }.state())
        #expect(state["parties"]?.elements.map { $0["state"]?.text } == ["up", "paused"])
        #expect(state["links"]?.elements.count == 2)
        #expect(state["cuts"]?.elements.first?.elements.map { $0.text ?? "" } == ["ns-1", "broker-a:0"])
    }
}
