import Glibc
import Remoting
import Testing

@testable import Load

@Suite("Writing requests")
struct LoadSocketTests {
    /// A pipe of one page takes little at a time: every frame is cut somewhere.
    @Test(
        "frames leave whole and in order, with their opaques, however little the kernel takes",
        arguments: HeaderForm.allCases)
    func cutAnywhere(form: HeaderForm) throws {
        let book = RequestBook(header: form)
        let fleet = Fleet(brokers: 2, topics: 40)
        let body = book.keep(fleet.body(ofSet: 0))
        let large = book.add(fleet.registration(of: 0, bodyCRC32: body.crc32), body: body, expecting: .code(0))
        let small = book.add(fleet.lookup("t"), expecting: .code(17))
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        for end in ends { #expect(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        // 1031 is F_SETPIPE_SZ, which hides behind _GNU_SOURCE.
        #expect(fcntl(ends[1], 1031, 4_096) >= 4_096)
        defer { close(ends[0]) }
        var socket = LoadSocket(ends[1])
        defer { socket.close() }
        var sent: [Int32] = []
        for number in 0..<60 {
            let opaque = Int32(1_000_000_000 + number * 7)
            socket.enqueue(number % 3 == 0 ? large : small, opaque: opaque)
            sent.append(opaque)
        }
        var gather = GatherBuffer()
        var received: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1_500)
        var blocked = 0
        while socket.hasPending || received.count < book.size(of: large) * 20 + book.size(of: small) * 40 {
            let isOpen = socket.flush(book.entries, &gather)
            #expect(isOpen)
            if socket.isBlocked { blocked += 1 }
            let count = read(ends[0], &part, part.count)
            if count > 0 { received += part[..<count] }
        }
        #expect(blocked > 20)
        var opaques: [Int32] = []
        var rest = received[...]
        while !rest.isEmpty {
            let command: RemotingCommand? = try rest.withUnsafeBytes {
                guard case .frame(let frame) = try Frame.first(in: $0) else { return nil }
                rest = rest.dropFirst(frame.length)
                return try RemotingCommand(decoding: frame)
            }
            let decoded = try #require(command)
            #expect(decoded.body.count == (opaques.count % 3 == 0 ? body.count : 0))
            opaques.append(decoded.opaque)
        }
        #expect(opaques == sent)
    }
}
