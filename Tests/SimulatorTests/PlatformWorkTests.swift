import Glibc
import Platform
import Testing

/// What `Platform` promises about other threads and files, over libuv and in virtual time.
@Suite struct PlatformWorkTests {
    /// Results come later, on the loop.
    @Test(arguments: PlatformKind.allCases)
    func offloads(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        var answer = 0
        bench.platform.offload({ 6 * 7 }) { result in
            answer = result
            bench.stop()
        }
        #expect(answer == 0)
        bench.run()
        #expect(answer == 42)
    }

    /// A file grows; a new one is made. Each append is called back, later.
    @Test(arguments: PlatformKind.allCases)
    func appends(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let path = "/tmp/hearsay-append-\(getpid())-\(kind)/log/audit"
        defer { if kind == .eventLoop { unlink(path) } }
        let files = bench.platform.files
        var content: [UInt8]?
        files.append(path, [1, 2]) { error in
            #expect(error == nil)
            files.append(path, [3]) { error in
                #expect(error == nil)
                content = try? files.read(path, limit: 100)
                bench.stop()
            }
        }
        bench.run()
        #expect(content == [1, 2, 3])
    }
}
