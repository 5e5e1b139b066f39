/// The result of a request (RFC 9110 section 15): those that this server and its handlers give.
public enum HTTPStatus: Int, Hashable, Sendable, CaseIterable {
    case ok = 200
    case noContent = 204
    /// The request is no HTTP, or holds something that nobody may send.
    case badRequest = 400
    /// Whoever asks may not.
    case forbidden = 403
    case notFound = 404
    /// Only GET and HEAD are served, and POST where it is.
    case methodNotAllowed = 405
    /// The head of the request took too long.
    case requestTimeout = 408
    /// What is asked for does not fit what is.
    case conflict = 409
    /// The request has a body.
    case contentTooLarge = 413
    /// The request line is too long.
    case uriTooLong = 414
    /// The request names another host than this server's: see `HTTPHosts`.
    case misdirected = 421
    /// One host asks too often.
    case tooManyRequests = 429
    /// The header fields are too many or too long.
    case headerFieldsTooLarge = 431
    /// Not now: not ready, or too many connections.
    case serviceUnavailable = 503
    /// Neither HTTP/1.1 nor HTTP/1.0.
    case versionNotSupported = 505

    /// The words of the status line.
    var reason: StaticString {
        switch self {
        case .ok: "OK"
        case .noContent: "No Content"
        case .badRequest: "Bad Request"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .conflict: "Conflict"
        case .contentTooLarge: "Content Too Large"
        case .uriTooLong: "URI Too Long"
        case .misdirected: "Misdirected Request"
        case .tooManyRequests: "Too Many Requests"
        case .headerFieldsTooLarge: "Request Header Fields Too Large"
        case .serviceUnavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}
