import HTTPServer

/// `/api`: what there is besides the page.
enum IndexPage {
    private static let entries: [(path: String, text: String)] = [
        ("/", "the page of the whole cluster"),
        ("livez", "the node answers"), ("readyz", "whether clients should ask it, and why not"),
        ("metrics", "for Prometheus"), ("api/status", "the node in numbers"), ("api/brokers", "its broker table"),
        ("api/topics", "its topics: ?prefix=, ?limit=, ?after=; /api/topics/NAME is a topic's route as clients get it"),
        ("api/gossip", "peers, divergences, protected and learned brokers"),
        ("api/events", "the last changes of its tables"),
        ("api/stream", "what happens, as server-sent events; /api/explain/NAME is all about one broker group"),
        ("rocketmq/nsaddr", "the ready NameServers, for RocketMQ's clients and brokers"),
    ]

    static let response: HTTPResponse = {
        var html =
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Hearsay</title>\n<h1>Hearsay</h1>\n<ul>\n"
        for (path, text) in entries {
            html += "<li><a href=\"\(path)\">\(path == "/" ? "" : "/")\(path)</a>: \(text)</li>\n"
        }
        html += "</ul>\n</html>\n"
        return HTTPResponse(contentType: "text/html; charset=utf-8", body: Array(html.utf8))
    }()
}
