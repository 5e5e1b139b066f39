// Throws damaged input at every decoder of the remoting protocol.
//
//   swift run RemotingFuzz [--runs N] [--seed S]    seeded mutations of good inputs; a crash repeats with the same seed
//   swift run RemotingFuzz FILE...                  replays inputs, for example a libFuzzer corpus or crash
//   swift run -c release RemotingFuzz --time        how fast the decoders are
//   libFuzzer: swift build -c release --product RemotingFuzz --scratch-path .build-fuzz \
//     -Xswiftc -sanitize=fuzzer,address -Xswiftc -DFUZZING -Xswiftc -use-ld=lld
//   .build-fuzz/release/RemotingFuzz -max_len=4096 -max_total_time=60 CORPUS    (writes the good inputs there first)

import Basics
import Glibc

#if FUZZING

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

for directory in CommandLine.arguments.dropFirst() where !directory.hasPrefix("-") {
    for (index, seed) in Seeds.all().enumerated() {
        guard let file = fopen("\(directory)/seed-\(index)", "wb") else { continue }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
    runDriver(&count, &arguments) { start, count in
        FuzzTarget.exercise(UnsafeRawBufferPointer(start: start, count: count))
        return 0
    })

#else

let arguments = Array(CommandLine.arguments.dropFirst())

/// The number behind an option.
func number(_ option: String, default value: UInt64) -> UInt64 {
    guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else { return value }
    guard let number = UInt64(arguments[index + 1]) else {
        print("\(option) wants a number, not \(arguments[index + 1])")
        exit(2)
    }
    return number
}

func replay(_ path: String) {
    guard let file = fopen(path, "rb") else {
        print("\(path) cannot be read")
        exit(2)
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    bytes.prefix(count).withUnsafeBytes { FuzzTarget.exercise($0) }
}

func mutate(runs: UInt64, seed: UInt64) {
    // Said first: after a crash it is what repeats it.
    print("--runs \(runs) --seed \(seed)")
    fflush(nil)
    var random = SeededGenerator(seed: seed)
    let seeds = Seeds.all()
    for seed in seeds { seed.withUnsafeBytes { FuzzTarget.exercise($0) } }
    for _ in 0..<runs {
        guard var input = seeds.randomElement(using: &random) else { return }
        Mutation.apply(to: &input, using: &random)
        input.withUnsafeBytes { FuzzTarget.exercise($0) }
    }
    print("\(runs) mutated inputs, no crash")
}

if arguments.contains("--time") {
    Timing.run()
} else if let first = arguments.first, !first.hasPrefix("--") {
    arguments.forEach(replay)
    print("\(arguments.count) inputs replayed, no crash")
} else {
    mutate(
        runs: number("--runs", default: 100_000),
        seed: number("--seed", default: .random(in: 0...0xFFFF_FFFF)))
}

#endif
