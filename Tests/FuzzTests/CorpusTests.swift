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
        let kept = CorpusFile.inputs(try #require(CorpusFile.read("\(Self.directory.path)/\(name).corpus")))
        #expect(!kept.isEmpty)
        kept.forEach(target.feed)
        Mutation.run([target], runs: 500, seed: UInt64(kept.count))
    }

    /// Every file belongs to a target, and all of it stays small enough for a repository.
    @Test func nothingElseIsKept() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.directory.path).sorted()
        #expect(names == FuzzTarget.all.map { "\($0.name).corpus" }.sorted())
        var size = 0
        for case let file as URL in FileManager.default.enumerator(
            at: Self.directory, includingPropertiesForKeys: [.fileSizeKey])!
        {
            size += try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        }
        #expect(size < 1 << 20)
    }

    /// What was packed is unpacked again.
    @Test func packing() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("corpus-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in ["in", "out"] {
            try FileManager.default.createDirectory(
                at: directory.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        let inputs: [[UInt8]] = [[], [7], [0, 0, 0, 9], [UInt8](repeating: 1, count: 300)]
        for (index, input) in inputs.enumerated() {
            try Data(input).write(to: directory.appendingPathComponent("in/\(index)"))
        }
        let file = directory.appendingPathComponent("all.corpus").path
        #expect(CorpusFile.pack(directory.appendingPathComponent("in").path, into: file))
        let packed = try #require(CorpusFile.read(file))
        #expect(CorpusFile.inputs(packed) == inputs)
        #expect(CorpusFile.inputs(packed.dropLast()) == Array(inputs.dropLast()))
        #expect(CorpusFile.unpack(file, into: directory.appendingPathComponent("out").path))
        #expect(CorpusFile.read(directory.appendingPathComponent("out/kept-3").path) == inputs[3])
        #expect(!CorpusFile.unpack(directory.path + "/none", into: directory.path))
    }
}
