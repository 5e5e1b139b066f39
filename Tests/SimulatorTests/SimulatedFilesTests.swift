import Basics
import Platform
import Simulator
import Testing

@Suite struct SimulatedFilesTests {
    /// Durable when called back and not before; replacements of one path coalesce; the content outlives the process, and
    /// one under way is lost with it.
    @Test func survivesRestartsOnceCalledBack() throws {
        let world = World(seed: 1)
        let host = world.makeHost("here", ip: "10.0.0.1")
        let platform = SimulatedPlatform(on: host, seed: 1)
        var done: [Int] = []
        for number in 1...3 {
            platform.files.replace("f", with: [UInt8(number)], backup: true) { error in
                #expect(error == nil)
                done.append(number)
            }
        }
        #expect(try platform.files.read("f", limit: 10) == nil)
        world.run(for: .seconds(1))
        // The second was not begun when the third came: it was left out, and answered with the third.
        #expect(done == [1, 2, 3])
        #expect(try platform.files.read("f", limit: 10) == [3])
        #expect(try platform.files.read("f.bak", limit: 10) == [1])
        #expect(throws: PlatformError.self) { try platform.files.read("f", limit: 0) }
        platform.files.replace("f", with: [4], backup: false) { _ in done.append(4) }
        host.killProcesses()
        world.run(for: .seconds(1))
        let next = SimulatedPlatform(on: host, seed: 2)
        #expect(try next.files.read("f", limit: 10) == [3])
        try next.files.rename("f", to: "g")
        #expect(try next.files.read("f", limit: 10) == nil && done == [1, 2, 3])
        #expect(try next.files.read("g", limit: 10) == [3])
        world.tearDown()
    }
}
