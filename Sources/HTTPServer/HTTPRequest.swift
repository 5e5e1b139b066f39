/// What a client asked for; GET or HEAD, or POST where that is served, and always without a body.
public struct HTTPRequest: Hashable, Sendable {
    /// Whether it is meant to change something (POST).
    public var isPost = false
    /// Whether only the head of the answer is wanted (HEAD). A handler need not look at it.
    public var isHead: Bool
    /// The path between its slashes, each part percent-decoded: `/api/topics/a%2Fb` is `["api", "topics", "a/b"]`, `/` is
    /// `[]`. Never `.` or `..`, and without control characters.
    public var path: [String]
    /// The query's names and values, decoded, in their order.
    public var query: [(name: String, value: String)] { queryNames.indices.map { (queryNames[$0], queryValues[$0]) } }

    var queryNames: [String] = []
    var queryValues: [String] = []
    /// Names in lower case; of a repeated field the first value.
    var fields: [String: String] = [:]
    /// The connection may carry another request after the answer.
    var keepsAlive = true
    /// HTTP/1.0 must be told when it does.
    var isVersion10 = false

    /// A request for a path, with nothing else said.
    init(isPost: Bool = false, isHead: Bool, path: [String]) {
        (self.isPost, self.isHead, self.path) = (isPost, isHead, path)
    }

    /// A request that came by no connection, for who answers requests and wants to try it.
    package init(post path: [String], query: [(String, String)], fields: [String: String]) {
        (isPost, isHead, self.path) = (true, false, path)
        (queryNames, queryValues) = (query.map(\.0), query.map(\.1))
        self.fields = fields
    }

    /// The first value of a name in the query.
    public func parameter(_ name: String) -> String? { queryNames.firstIndex(of: name).map { queryValues[$0] } }

    /// The value of a header field, by its name in lower case.
    public func field(_ name: String) -> String? { fields[name] }
}
