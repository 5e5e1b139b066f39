import Testing

@testable import Load

@Suite("Requests on their way")
struct InFlightTests {
    private func request(_ socket: Int32) -> InFlight.Request {
        InFlight.Request(intended: 7, request: 3, socket: socket, traffic: 0)
    }

    private func begin(_ inFlight: inout InFlight, _ socket: Int32 = 1) throws -> Int32 {
        let opaque = inFlight.begin(request(socket))
        return try #require(opaque)
    }

    private func isEnded(_ inFlight: inout InFlight, _ opaque: Int32, _ socket: Int32 = 1) -> Bool {
        inFlight.end(opaque, socket: socket)?.request == 3
    }

    @Test("an answer ends its request once, and only on its own connection")
    func once() throws {
        var inFlight = InFlight()
        let opaque = try begin(&inFlight)
        #expect(!isEnded(&inFlight, opaque, 2))
        #expect(isEnded(&inFlight, opaque, 1))
        #expect(!isEnded(&inFlight, opaque, 1))
        #expect(inFlight.count == 0)
    }

    @Test("a late answer to an earlier use of the slot is nobody's")
    func late() throws {
        var inFlight = InFlight()
        let first = try begin(&inFlight)
        _ = inFlight.end(first, socket: 1)
        let second = try begin(&inFlight)
        #expect(first != second)
        #expect(!isEnded(&inFlight, first, 1))
        #expect(isEnded(&inFlight, second, 1))
    }

    @Test("every opaque has ten digits; any other number is nobody's")
    func digits() throws {
        var inFlight = InFlight()
        for _ in 0..<2_500 {
            let opaque = try begin(&inFlight)
            #expect((1_000_000_000...1_999_999_999).contains(opaque))
            #expect(isEnded(&inFlight, opaque, 1))
        }
        for stranger in [0, -1, 999_999_999, 1_999_999_999, Int32.max, Int32.min] {
            #expect(!isEnded(&inFlight, stranger, 1))
        }
    }

    @Test("a lost connection gives up its requests and no others")
    func abandoned() throws {
        var inFlight = InFlight()
        let opaques = (0..<6).compactMap { inFlight.begin(request($0 % 2)) }
        let abandoned = inFlight.abandon(socket: 0)
        #expect(abandoned.count == 3)
        #expect(inFlight.count == 3)
        #expect(inFlight.waiting.allSatisfy { $0.socket == 1 })
        #expect(!isEnded(&inFlight, opaques[0], 0))
        #expect(isEnded(&inFlight, opaques[1], 1))
    }

    @Test("no more than the limit")
    func limit() {
        var inFlight = InFlight()
        for _ in 0..<InFlight.limit { _ = inFlight.begin(request(1)) }
        let beyond = inFlight.begin(request(1))
        #expect(beyond == nil)
        #expect(inFlight.count == InFlight.limit)
    }
}
