import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct FileStoreTests {
    /// In memory, where a sync costs nothing: the order of the steps is what can be tested, not the disk.
    private static let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

    /// A directory of the test's own.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = [CChar]((FileStoreTests.root + "/hearsay-files-XXXXXX").utf8CString)
        let path = String(cString: mkdtemp(&template)!)
        defer { removeTree(path) }
        try body(path)
    }

    @Test func replacesAndReads() throws {
        try withDirectory { directory in
            try withLoop { loop in
                let path = directory + "/a/b/c.json"
                let missing = try loop.files.read(path, limit: 100)
                #expect(missing == nil)
                var completions: [Int] = []
                // One path: in the order of the calls, whatever their sizes. Those that the last one finds waiting are
                // left out, as the backup shows, and hear of it all the same.
                for (number, size) in [1_000_000, 0, 1, 70_000].enumerated() {
                    let content = pattern(size)
                    loop.files.replace(path, with: content, backup: true) { error in
                        #expect(error == nil)
                        completions.append(number)
                        guard completions.count == 4 else { return }
                        #expect(completions == [0, 1, 2, 3])
                        let isSame = try? loop.files.read(path, limit: size) == content
                        #expect(isSame == true)
                        #expect((try? loop.files.read(path + ".bak", limit: 1_000_000)) == pattern(1_000_000))
                        #expect(names(in: directory + "/a/b") == ["c.json", "c.json.bak"])
                        loop.stop()
                    }
                }
            }
        }
    }

    @Test func keepsNoBackupUnlessAsked() throws {
        try withDirectory { directory in
            try withLoop { loop in
                let path = directory + "/f"
                loop.files.replace(path, with: [1], backup: false) { _ in
                    chmod(path, 0o600)
                    // Asked from inside a completion.
                    loop.files.replace(path, with: [2], backup: false) { error in
                        #expect(error == nil)
                        #expect(names(in: directory) == ["f"])
                        var status = stat()
                        stat(path, &status)
                        #expect(status.st_mode & 0o777 == 0o600, "permissions are kept")
                        loop.stop()
                    }
                }
            }
        }
    }

    @Test func readsUpToALimit() throws {
        try withDirectory { directory in
            try withLoop { loop in
                let path = directory + "/f"
                loop.files.replace(path, with: pattern(1000), backup: false) { _ in
                    #expect((try? loop.files.read(path, limit: 1000)) == pattern(1000))
                    let expected = PlatformError(operation: "read \(path)", name: "EFBIG", message: "file too large")
                    #expect(throws: expected) { try loop.files.read(path, limit: 999) }
                    // Says nothing of its size: the limit holds all the same.
                    #expect(throws: PlatformError.self) { try loop.files.read("/dev/zero", limit: 5000) }
                    #expect(throws: PlatformError.self) { try loop.files.read(directory, limit: 1000) }
                    loop.stop()
                }
            }
        }
    }

    /// Where nothing can be written, and the error's name. (The tests may run as root, who may write anywhere.)
    @Test(arguments: [("/dev/null/f", "ENOTDIR"), ("/dev/null/a/f", "ENOTDIR"), ("/proc/f", "ENOENT")])
    func tellsOfAnUnwritablePath(path: String, name: String) throws {
        try withLoop { loop in
            loop.files.replace(path, with: [1], backup: true) { error in
                #expect(error?.name == name, "\(String(describing: error))")
                #expect(error?.operation.contains(path.split(separator: "/")[0]) == true)
                loop.stop()
            }
        }
    }

    /// What does not fit is not there by half, and others see why.
    @Test(arguments: [("/dev/full", "ENOSPC"), ("/dev/null/f", "ENOTDIR"), ("/proc/f", "ENOENT")])
    func appendsAllOrNothing(path: String, name: String) throws {
        try withLoop { loop in
            loop.files.append(path, [1]) { error in
                #expect(error?.name == name)
                loop.stop()
            }
        }
    }

    @Test func appendsToWhatIsThere() throws {
        try withDirectory { directory in
            try withLoop { loop in
                let path = directory + "/a/log"
                loop.files.append(path, [1]) { _ in
                    var status = stat()
                    stat(path, &status)
                    #expect(status.st_mode & 0o777 == 0o640, "not for everybody")
                    // Renamed meanwhile: a new file is made.
                    rename(path, path + ".1")
                    loop.files.append(path, [2, 3]) { error in
                        #expect(error == nil)
                        #expect((try? loop.files.read(path, limit: 10)) == [2, 3])
                        #expect((try? loop.files.read(path + ".1", limit: 10)) == [1])
                        loop.stop()
                    }
                }
            }
        }
    }

    @Test func renames() throws {
        try withDirectory { directory in
            try withLoop { loop in
                let path = directory + "/f"
                loop.files.replace(path, with: [1, 2], backup: false) { _ in
                    #expect(throws: Never.self) { try loop.files.rename(path, to: path + ".broken") }
                    #expect(names(in: directory) == ["f.broken"])
                    #expect(throws: PlatformError.self) { try loop.files.rename(path, to: path + ".broken") }
                    loop.stop()
                }
            }
        }
    }

    /// A content that tells whether it is whole: its version, as often as the version says.
    private static func content(_ version: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(version), count: 1 + version * 97)
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool { bytes == content(Int(bytes.first ?? 0)) }

    /// A reader that looks all the time never sees a partial file, nor none.
    @Test func isNeverSeenPartial() throws {
        try withDirectory { directory in
            let path = directory + "/f"
            try withLoop { loop in
                let done = Locked(false)
                var reader: TestThread<Int>?
                func next(_ version: Int) {
                    loop.files.replace(path, with: FileStoreTests.content(version), backup: true) { error in
                        #expect(error == nil)
                        if version == 1 {
                            reader = TestThread {
                                var reads = 0
                                while !done.withLock({ $0 }) {
                                    for name in [path, path + ".bak"] {
                                        let bytes = try? DurableFile(name).read(limit: 1 << 20)
                                        if name == path || bytes != nil, !FileStoreTests.isWhole(bytes ?? []) {
                                            Issue.record("\(name): \(bytes?.count ?? -1) bytes")
                                        }
                                    }
                                    reads += 1
                                }
                                return reads
                            }
                        }
                        if version < 100 { return next(version + 1) }
                        done.withLock { $0 = true }
                        #expect((reader?.join() ?? 0) > 0)
                        loop.stop()
                    }
                }
                next(1)
            }
        }
    }

    /// A process killed in the middle of replacing: what it leaves is whole, and the next one goes on from there.
    @Test func survivesAKill() async throws {
        let path = FileStoreTests.root + "/hearsay-kill-\(getpid())/f"
        defer { removeTree(String(path.dropLast(2))) }
        for _ in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let path = FileStoreTests.root + "/hearsay-kill-\(getppid())/f"
                let loop = try EventLoop()
                func next(_ version: Int) {
                    loop.files.replace(path, with: FileStoreTests.content(version), backup: true) { error in
                        precondition(error == nil, "\(String(describing: error))")
                        next(version % 100 + 1)
                        // Somewhere in the middle of a later one.
                        if version == 30 {
                            _ = TestThread {
                                usleep(UInt32.random(in: 0..<3000))
                                kill(getpid(), SIGKILL)
                            }
                        }
                    }
                }
                next(1)
                loop.run()
            }
            for name in [path, path + ".bak"] {
                let bytes = try #require(try DurableFile(name).read(limit: 1 << 20))
                #expect(FileStoreTests.isWhole(bytes), "\(name): \(bytes.count) bytes")
            }
        }
    }
}

/// The names in a directory, sorted.
private func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

private func removeTree(_ path: String) {
    for name in names(in: path) { removeTree(path + "/" + name) }
    remove(path)
}
