/// Something that a page can switch: a link, or a process.
public enum PageSwitch: Hashable, Sendable {
    /// Nothing that one party sends reaches the other any more.
    case cut(from: String, to: String)
    /// It does again.
    case heal(from: String, to: String)
    /// All links work again.
    case healAll
    /// A process stands still.
    case pause(String)
    /// It goes on.
    case resume(String)
    /// A process ends at once, without a word.
    case kill(String)
    /// It is started again.
    case restart(String)
}

extension PageSwitch: CustomStringConvertible {
    /// What was done, as an event.
    public var description: String {
        switch self {
        case .cut(let from, let to): "by hand: the link \(from) → \(to) is cut"
        case .heal(let from, let to): "by hand: the link \(from) → \(to) is healed"
        case .healAll: "by hand: all links are healed"
        case .pause(let name): "by hand: \(name) is paused"
        case .resume(let name): "by hand: \(name) goes on"
        case .kill(let name): "by hand: \(name) is killed"
        case .restart(let name): "by hand: \(name) is started"
        }
    }
}

/// How everything that can be switched is.
public struct SwitchPositions: Hashable, Sendable {
    /// One process.
    public struct Party: Hashable, Sendable {
        /// `up`, `paused` or `down`.
        public enum State: String, Sendable {
            /// It runs.
            case up
            /// It stands still.
            case paused
            /// There is none.
            case down
        }

        /// A node's name, or a broker's and its id: `broker-a:0`.
        public var name: String
        /// Whether it is a NameServer.
        public var isNode: Bool
        /// Whether it runs.
        public var state: State

        /// Puts the parts together.
        public init(name: String, isNode: Bool, state: State) {
            (self.name, self.isNode, self.state) = (name, isNode, state)
        }
    }

    /// One direction between two parties.
    public struct Link: Hashable, Sendable {
        /// Who sends.
        public var from: String
        /// Who is to receive.
        public var to: String

        /// One direction.
        public init(from: String, to: String) { (self.from, self.to) = (from, to) }
    }

    /// Nodes first, in configured order.
    public var parties: [Party] = []
    /// Every direction that can be cut.
    public var links: [Link] = []
    /// Those that are.
    public var cuts: [Link] = []

    /// Nothing to switch.
    public init() {}
}

/// Carries out what is switched on a page.
public protocol PageSwitches: AnyObject {
    /// How everything is.
    var positions: SwitchPositions { get }
    /// To be called whenever that has changed.
    var onChange: (() -> Void)? { get set }
    /// Switches something that `positions` has; answers why not, in a sentence for people, or nil when it is done.
    func set(_ change: PageSwitch) -> String?
}
