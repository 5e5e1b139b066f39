// Throws damaged input at everything that a socket or a file brings in (FuzzTargets).
//
//   swift run Fuzz --list                                  the targets
//   swift run Fuzz [--target NAME] [--runs N] [--seed S]   seeded mutations of good inputs; a crash repeats with the seed
//   swift run Fuzz NAME FILE...                            replays inputs of one target, for example a libFuzzer crash
//   swift run Fuzz --unpack FILE DIRECTORY                 a corpus of the tests as libFuzzer wants it; --pack: back
//   swift run -c release Fuzz --time                       how fast the decoders are
//   libFuzzer: swift build -c release --product Fuzz --scratch-path .build-fuzz \
//     -Xswiftc -sanitize=fuzzer,address -Xswiftc -DFUZZING -Xswiftc -use-ld=lld
//   .build-fuzz/release/Fuzz NAME -max_len=4096 -max_total_time=60 DIRECTORY    (writes the good inputs there first)

import Basics
import FuzzTargets
import Glibc

/// The target of this name, or exit status 2.
func target(_ name: String) -> FuzzTarget {
    if let target = FuzzTarget.named(name) { return target }
    print("no target '\(name)'; there are: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    exit(2)
}

let arguments = Array(CommandLine.arguments.dropFirst())

if arguments == ["--list"] {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
}
if arguments.count == 3, let first = arguments.first, ["--pack", "--unpack"].contains(first) {
    let isDone =
        first == "--pack"
        ? CorpusFile.pack(arguments[1], into: arguments[2]) : CorpusFile.unpack(arguments[1], into: arguments[2])
    if !isDone { print("\(arguments[1]) or \(arguments[2]) cannot be read or written") }
    exit(isDone ? 0 : 2)
}

#if FUZZING

/// An environment variable, empty when it is not set.
func environment(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// libFuzzer starts this program again for merges, with its own arguments only.
let chosen = target(arguments.first.flatMap { $0.hasPrefix("-") ? nil : $0 } ?? environment("FUZZ_TARGET"))
setenv("FUZZ_TARGET", chosen.name, 1)
if let directory = arguments.dropFirst().first(where: { !$0.hasPrefix("-") }) {
    for (index, seed) in chosen.seeds().enumerated() {
        guard let file = fopen("\(directory)/seed-\(index)", "wb") else { continue }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
}
// The driver sees the program's name and everything behind the target's.
let skipped = arguments.first == chosen.name ? 1 : 0
var count = CommandLine.argc - CInt(skipped)
var driverArguments = CommandLine.unsafeArgv + skipped
driverArguments[0] = CommandLine.unsafeArgv[0]
exit(
    runDriver(&count, &driverArguments) { start, count in
        chosen.run(UnsafeRawBufferPointer(start: start, count: count))
        return 0
    })

#else

/// The number behind an option.
func number(_ option: String, default value: UInt64) -> UInt64 {
    guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else { return value }
    guard let number = UInt64(arguments[index + 1]) else {
        print("\(option) wants a number, not \(arguments[index + 1])")
        exit(2)
    }
    return number
}

func replay(_ path: String, _ target: FuzzTarget) {
    guard let input = CorpusFile.read(path) else {
        print("\(path) cannot be read")
        exit(2)
    }
    target.feed(input)
}

if arguments.contains("--time") {
    Timing.run()
} else if let first = arguments.first, !first.hasPrefix("--") {
    let target = target(first)
    for path in arguments.dropFirst() { replay(path, target) }
    print("\(arguments.count - 1) inputs replayed, no crash")
} else {
    let targets = arguments.firstIndex(of: "--target").map { [target(arguments[$0 + 1])] } ?? FuzzTarget.all
    let runs = number("--runs", default: 100_000)
    let seed = number("--seed", default: .random(in: 0...0xFFFF_FFFF))
    // Said first: after a crash it is what repeats it.
    print("--runs \(runs) --seed \(seed)")
    fflush(nil)
    Mutation.run(targets, runs: runs, seed: seed)
    print("\(runs) mutated inputs, no crash")
}

#endif
