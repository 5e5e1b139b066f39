// What the fuzzers found worth keeping is fed again with every run of the tests, and a few mutations of it.

import Foundation
import FuzzTargets
import Testing

@Suite struct CorpusTests {
    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Corpus")

    @Test(arguments: FuzzTarget.all.map(\.name)) func corpus(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let seeds = target.seeds()
        #expect(!seeds.isEmpty && !seeds.contains { $0.isEmpty })
        seeds.forEach(target.feed)
        let files = try FileManager.default.contentsOfDirectory(
            at: Self.directory.appendingPathComponent(name), includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files { target.feed([UInt8](try Data(contentsOf: file))) }
        Mutation.run([target], runs: 500, seed: UInt64(files.count))
    }

    /// Every directory belongs to a target, and all of it stays small enough for a repository.
    @Test func nothingElseIsKept() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.directory.path).sorted()
        #expect(names == FuzzTarget.all.map(\.name).sorted())
        var size = 0
        for case let file as URL in FileManager.default.enumerator(
            at: Self.directory, includingPropertiesForKeys: [.fileSizeKey])!
        {
            size += try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        }
        #expect(size < 1 << 20)
    }
}
