import AccessControl
import Remoting
import Testing

@Suite struct RequestClassTests {
    /// protocol.md 2.1 and our own two.
    @Test(arguments: [
        (RequestClass.lookup, [101, 105, 106, 206, 219, 224, 304, 311, 312, 313, 319, 901, 29_001, 29_002]),
        (.register, [103, 104, 217, 322, 904]),
        (.administer, [100, 102, 205, 216, 318, 327]),
    ])
    func eachCodeIsInOneClass(requestClass: RequestClass, codes: [Int32]) {
        let table = RequestClassTable()
        #expect(RequestClass.served.filter { $0.class == requestClass }.map(\.code) == codes)
        for code in codes {
            #expect(RequestClass(of: code) == requestClass)
            #expect(table[code] == RequestClasses(requestClass), "\(code)")
        }
    }

    @Test(arguments: [Int32.min, -1, 0, 1, 99, 107, 905, 1_023, 1_024, 29_003, .max])
    func whatNobodyServesIsALookup(code: Int32) {
        let table = RequestClassTable()
        #expect(RequestClass(of: code) == .lookup)
        #expect(table[code] == RequestClasses(.lookup))
    }
}
