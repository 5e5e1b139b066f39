import Load

/// Storms on cold servers: a node is started for each; a server that runs already is stormed once, since it is cold only once.
struct StormRun {
    private let fleet: Fleet
    private let target: ServerOptions
    private let repetitions: Int

    init(_ fleet: Fleet, _ target: ServerOptions, repetitions: Int) {
        self.fleet = fleet
        self.target = target
        self.repetitions = repetitions
    }

    func figures() throws -> [LimitFigure] {
        var readings: [Storm.Reading] = []
        for _ in 0..<(target.server == nil ? repetitions : 1) {
            let server = try target.open()
            defer { server.stop() }
            readings.append(try Storm(fleet).run(server))
        }
        return Storm.figures(fleet, readings)
    }
}
