import Basics
import HTTPServer
import Platform

/// A port that serves nothing but a page with its switches; on loopback only, since whoever reaches it can pull them.
public final class PageServer: HTTPHandler {
    private let page: ClusterPage
    private let platform: any Platform
    private lazy var server: HTTPServer = {
        var options = HTTPServerOptions()
        options.takesPosts = true
        return HTTPServer(platform: platform, options: options, handler: self)
    }()

    /// A server that does not listen yet.
    public init(platform: any Platform, site: PageSite, switches: any PageSwitches) {
        self.platform = platform
        page = ClusterPage(platform: platform, site: site, switches: switches)
    }

    /// Where it listens; nil before `start` and after `stop`.
    public var address: Address? { server.address }

    /// Opens the port.
    public func start(at address: Address) throws(PlatformError) {
        precondition(address.isLoopback, "switches at \(address), where others reach them")
        try server.start(at: address)
    }

    /// Ends all streams and connections.
    public func stop() {
        page.stop()
        server.stop()
    }

    /// Answers for the page.
    public func respond(to request: HTTPRequest, _ reply: HTTPReply) {
        if ClusterPage.serves(request) { return page.respond(to: request, reply) }
        if request.path == ["favicon.ico"] { return reply.send(HTTPResponse(.noContent, contentType: "", body: [])) }
        reply.send(HTTPResponse(.notFound, text: "404 Not Found: the page is at /"))
    }
}
