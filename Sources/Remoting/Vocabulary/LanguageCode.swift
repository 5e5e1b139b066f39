/// The language a peer says it is written in (protocol.md 1.6). Nothing depends on it.
public enum LanguageCode: UInt8, Hashable, Sendable, CaseIterable {
    case java, cpp, dotnet, python, delphi, erlang, ruby, other, http, go, php, oms, rust, nodeJS

    /// The name in JSON headers.
    public var name: StaticString {
        switch self {
        case .java: "JAVA"
        case .cpp: "CPP"
        case .dotnet: "DOTNET"
        case .python: "PYTHON"
        case .delphi: "DELPHI"
        case .erlang: "ERLANG"
        case .ruby: "RUBY"
        case .other: "OTHER"
        case .http: "HTTP"
        case .go: "GO"
        case .php: "PHP"
        case .oms: "OMS"
        case .rust: "RUST"
        case .nodeJS: "NODE_JS"
        }
    }

    /// The name of a code; `OTHER`, which every client accepts, for a code without one.
    static func name(of code: UInt8) -> StaticString { (LanguageCode(rawValue: code) ?? .other).name }

    /// The code of a name as it stands in a JSON header; `other` for a name nobody knows.
    static func code(named name: JSONText) -> UInt8 {
        (allCases.first { $0.name ~= name } ?? .other).rawValue
    }
}
