import Basics

/// One of several things that are compared: a plan sent to a server.
public struct Arm {
    /// For people.
    public var label: String
    /// Whom.
    public var server: ServerUnderTest
    /// What, and at which pace.
    public var plan: Plan

    /// Describes an arm.
    public init(_ label: String, _ server: ServerUnderTest, _ plan: Plan) {
        self.label = label
        self.server = server
        self.plan = plan
    }
}

/// Runs arms in turn on the same cores, so that whatever else the machine does meets all alike; every second round goes
/// through them backwards.
public struct Alternation {
    /// Rounds, each with one measured repetition per arm.
    public var rounds: Int
    /// How long one arm's turn is: a warm-up of a quarter of it comes before.
    public var length: Duration

    /// Describes an alternation.
    public init(rounds: Int, length: Duration) {
        self.rounds = rounds
        self.length = length
    }

    /// One measurement per arm, each with one repetition per round.
    public func run(_ arms: [Arm]) throws(LoadError) -> [Measured] {
        var results = arms.map { Measured($0.plan) }
        let phases = Phases(warmUp: length / 4, repetitions: 1, length: length)
        for round in 0..<rounds {
            for index in round % 2 == 0 ? Array(arms.indices) : arms.indices.reversed() {
                var generator = try Generator(arms[index].plan, to: arms[index].server.address)
                results[index].add(try generator.run(phases, usage: arms[index].server.usage))
            }
        }
        return results
    }
}
