import Basics
import HTTPServer

/// Lets a page, and nobody else, switch: a request must come from this machine, from this page's origin, and with a token that
/// only who can read the page's stream knows.
struct PageControl {
    /// Drawn at the start, 128 bits.
    let token: String
    private let switches: any PageSwitches
    private let onDone: (PageSwitch) -> Void

    /// - Parameter onDone: called for each change that was carried out.
    init(_ switches: any PageSwitches, onDone: @escaping (PageSwitch) -> Void) {
        self.onDone = onDone
        self.switches = switches
        var random = SystemRandomNumberGenerator()
        token = (0..<2).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The positions of all switches, for the page.
    func state() -> [UInt8] {
        let positions = switches.positions
        var json = JSONText()
        json.object { json in
            json.member("parties", positions.parties) { json, party in
                json.object { json in
                    json.member("name", party.name)
                    json.member("node", party.isNode)
                    json.member("state", party.state.rawValue)
                }
            }
            for (name, links) in [("links" as StaticString, positions.links), ("cuts", positions.cuts)] {
                json.member(name, links) { json, link in
                    json.array { json in
                        json.add(link.from)
                        json.add(link.to)
                    }
                }
            }
        }
        return json.bytes
    }

    /// Switches what `POST /page/switch?do=cut&from=broker-a:0&to=ns-1` asks for.
    func answer(_ request: HTTPRequest, from remote: Address?) -> HTTPResponse {
        guard let remote, remote.isLoopback else {
            return .failure(.forbidden, "only this machine may switch")
        }
        if let origin = request.field("origin"), origin != "http://\(request.field("host") ?? "")" {
            return .failure(.forbidden, "another site may not switch")
        }
        if let site = request.field("sec-fetch-site"), site != "same-origin" {
            return .failure(.forbidden, "another site may not switch")
        }
        guard request.field("x-hearsay-token") == token else {
            return .failure(.forbidden, "the page is of an earlier run: load it again")
        }
        switch change(request) {
        case .failure(let fault): return .failure(.badRequest, fault.text)
        case .success(let change):
            if let reason = switches.set(change) { return .failure(.conflict, reason) }
            onDone(change)
            return HTTPResponse(.noContent, contentType: "", body: [])
        }
    }

    private struct Fault: Error {
        var text: String
    }

    private func change(_ request: HTTPRequest) -> Result<PageSwitch, Fault> {
        let positions = switches.positions
        func link(_ make: (String, String) -> PageSwitch) -> Result<PageSwitch, Fault> {
            let (from, to) = (request.parameter("from") ?? "", request.parameter("to") ?? "")
            guard positions.links.contains(SwitchPositions.Link(from: from, to: to)) else {
                return .failure(Fault(text: "there is no such link"))
            }
            return .success(make(from, to))
        }
        func process(_ make: (String) -> PageSwitch) -> Result<PageSwitch, Fault> {
            let name = request.parameter("process") ?? ""
            guard positions.parties.contains(where: { $0.name == name }) else {
                return .failure(Fault(text: "there is no such process"))
            }
            return .success(make(name))
        }
        return switch request.parameter("do") {
        case "cut": link(PageSwitch.cut)
        case "heal": link(PageSwitch.heal)
        case "healAll": .success(.healAll)
        case "pause": process(PageSwitch.pause)
        case "resume": process(PageSwitch.resume)
        case "kill": process(PageSwitch.kill)
        case "restart": process(PageSwitch.restart)
        default: .failure(Fault(text: "do must be cut, heal, healAll, pause, resume, kill or restart"))
        }
    }
}
