import Basics

/// Bounds of one server: nobody can make it use more.
public struct HTTPServerOptions: Hashable, Sendable {
    /// Bytes of the request line. Default 8,000, what RFC 9112 section 3 recommends to support at least.
    public var requestLineBytes = 8_000
    /// Bytes of a request's whole head, the request line among them. Default 16 KiB: browsers send less than 2.
    public var headBytes = 16 << 10
    /// Header fields of one request. Default 100.
    public var fieldCount = 100
    /// Connections at the same time. One more takes the place of the one that has waited longest for a request, or is
    /// answered 503 when none waits. Default 256: monitoring, some pages, and clients that ask for the address list.
    public var connections = 256
    /// Bytes of answers that may wait for all readers together; above it requests are answered 503. Default 64 MiB.
    public var unsentBytes = 64 << 20
    /// Event streams among them. Default 64.
    public var eventStreams = 64
    /// Bytes that an event stream's reader may lag behind before it is dropped. Default 256 KiB.
    public var eventStreamUnsentBytes = 256 << 10
    /// Requests a second that one host may go on asking; more are answered 429. Default 50.
    public var requestsPerSecond = 50
    /// Requests that one host may ask at once. Default 200.
    public var requestBurst = 200
    /// From the first byte of a request to the end of its head; then 408. Default 10 s.
    public var headTimeout: Duration = .seconds(10)
    /// How long a connection may wait for the next request. Default 75 s: Prometheus keeps one open between its scrapes.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a reader may take none of the bytes that wait for it. Default 20 s.
    public var writeTimeout: Duration = .seconds(20)
    /// Under which names the server may be asked. Default: in digits, and as localhost.
    public var hosts = HTTPHosts()
    /// Whether POST is served too, never with a body. Default false: nothing that comes here changes anything.
    public var takesPosts = false

    /// The defaults above.
    public init() {}

    /// As the Allow field lists them.
    var methods: String { takesPosts ? "GET, HEAD, POST" : "GET, HEAD" }
}
