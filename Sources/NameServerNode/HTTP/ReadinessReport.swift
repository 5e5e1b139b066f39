import Basics
import GossipCore
import NameServerCore
import Platform
import Remoting

/// Whether a node should be asked, by what it knows, and if not, why.
struct ReadinessReport {
    /// One thing that stands in the way.
    struct Obstacle: Hashable {
        /// For programs: `warming`, `isolated`, `draining` or `waitForService`.
        var word: String
        /// For people.
        var text: String
    }

    var obstacles: [Obstacle] = []
    var isReady: Bool { obstacles.isEmpty }

    /// What a node in such a state lacks; nil when it is ready.
    private static func obstacle(in state: NodeState) -> Obstacle? {
        switch state {
        case .ready: nil
        case .warming:
            Obstacle(word: state.name, text: "it has started and cannot know yet that it has heard of every broker")
        case .isolated: Obstacle(word: state.name, text: "no peer answers and most brokers are silent: it is cut off")
        case .draining: Obstacle(word: state.name, text: "it is about to stop")
        }
    }

    init(_ node: NameServerNode) {
        let now = node.platform.now
        if node.shutdownPhase != .running, let obstacle = Self.obstacle(in: .draining) { obstacles = [obstacle] }
        if let rest = node.inspectTables({ $0.waitForService(now: now) }) {
            obstacles.append(
                Obstacle(
                    word: "waitForService",
                    text: "needWaitForService keeps it from answering routes for another "
                        + "\(rest.wholeMilliseconds) ms"))
        }
        if let state = node.inspectGossip({ $0.state }), let obstacle = Self.obstacle(in: state),
            !obstacles.contains(obstacle)
        {
            obstacles.append(obstacle)
        }
    }

    /// Appends the members `ready` and `reasons`, without braces around them.
    func encode(into output: inout ByteWriter) {
        output.append("\"ready\":")
        output.appendJSON(boolean: isReady)
        output.append(",\"reasons\":[")
        for (index, obstacle) in obstacles.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append("{\"reason\":")
            output.appendJSON(string: obstacle.word, dialect: .standard)
            output.append(",\"text\":")
            output.appendJSON(string: obstacle.text, dialect: .standard)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: "]"))
    }
}
