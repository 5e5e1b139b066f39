// The page: what a browser shows of a whole cluster.
//
//     browser ◀── HTML, CSS, JS ── PageAssets
//             ◀── events ───────── PageWatch ◀── ClusterPoller (only while somebody watches)
//             ◀── why, topics, routes ── PageQuestions
//             ── switches ───────▶ PageSwitches (`hearsay run` only)
//
// It is whole in itself: no other server is asked for anything, and it works through this one port.

import Basics
import ClusterView
import HTTPServer
import Platform

/// Serves the page of a cluster: `/` and everything below `/page`.
public final class ClusterPage {
    private let platform: any Platform
    private let site: PageSite
    private var control: PageControl?
    private lazy var watch = PageWatch(platform: platform, site: site) { [weak self] in self?.questions.close() }
    private lazy var questions = PageQuestions(platform: platform, site: site)

    /// - Parameter switches: what the page may switch; nil for nothing.
    public init(platform: any Platform, site: PageSite, switches: (any PageSwitches)? = nil) {
        self.platform = platform
        self.site = site
        control = switches.map { switches in
            PageControl(switches) { [weak self] in self?.watch.note($0.description) }
        }
        switches?.onChange = { [weak self] in self?.switched() }
    }

    /// Whether a request is for the page.
    public static func serves(_ request: HTTPRequest) -> Bool { request.path.isEmpty || request.path.first == "page" }

    /// Answers a request that `serves` says yes to.
    public func respond(to request: HTTPRequest, _ reply: HTTPReply) {
        if request.isPost {
            guard let control, request.path == ["page", "switch"] else {
                return reply.send(.failure(.methodNotAllowed, "nothing can be switched here"))
            }
            return reply.send(control.answer(request, from: reply.remoteAddress))
        }
        switch request.path.count {
        case 0: reply.send(PageAssets.page)
        case 2: respond(to: request.path[1], request, reply)
        default: reply.send(.failure(.notFound, "there is no such part of the page"))
        }
    }

    private func respond(to part: String, _ request: HTTPRequest, _ reply: HTTPReply) {
        switch part {
        case "stream": open(reply)
        case "explain":
            guard let broker = named("broker", request, reply) else { return }
            guard let model = watch.model else {
                return reply.send(.failure(.conflict, "nobody watches: open /page/stream first"))
            }
            questions.explain(broker, model, reply)
        case "topics": questions.topics(request.parameter("search") ?? "", reply)
        case "route":
            guard let topic = named("topic", request, reply) else { return }
            questions.route(of: topic, reply)
        default: reply.send(PageAssets.parts[part] ?? .failure(.notFound, "there is no such part of the page"))
        }
    }

    /// Ends all streams.
    public func stop() {
        watch.stop()
        questions.close()
    }

    /// A name of the query, of 1 to 1,024 bytes; answers when there is none.
    private func named(_ parameter: StaticString, _ request: HTTPRequest, _ reply: HTTPReply) -> String? {
        if let name = request.parameter("\(parameter)"), !name.isEmpty, name.utf8.count <= PageQuestions.nameBytes {
            return name
        }
        reply.send(.failure(.badRequest, "\(parameter) must have 1 to \(PageQuestions.nameBytes) bytes"))
        return nil
    }

    private func open(_ reply: HTTPReply) {
        guard let stream = reply.openEventStream() else { return }
        var greeting = ByteWriter()
        greeting.appendEvent("hello") { [site, control] output in
            var json = JSONText()
            json.object { json in
                json.member("cluster", site.cluster)
                json.member("server", site.server)
                json.member("interval", site.interval.wholeMilliseconds)
                json.member("token", control?.token)
            }
            output.append(json.bytes)
        }
        if let control { greeting.appendEvent("switches") { $0.append(control.state()) } }
        watch.add(stream, greeting: greeting)
    }

    private func switched() {
        guard let control else { return }
        var event = ByteWriter()
        event.appendEvent("switches") { $0.append(control.state()) }
        watch.send(event)
    }
}

extension HTTPResponse {
    static func failure(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        var json = JSONText()
        json.object { $0.member("error", text) }
        return HTTPResponse(status, contentType: "application/json", body: json.bytes)
    }

    static func answer(_ json: borrowing JSONText) -> HTTPResponse {
        HTTPResponse(contentType: "application/json", body: json.bytes)
    }
}
