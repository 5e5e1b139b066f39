import HTTPServer

extension FuzzTarget {
    /// Requests to the HTTP port. Cut into pieces anywhere, the same bytes ask for the same.
    static let http = FuzzTarget("http") {
        [
            Array("GET /api/topics/a%2Fb?x=1&y=a+b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".utf8),
            Array(
                "\r\nHEAD http://h/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.1\r\nhost:\th\r\nContent-Length: 0\r\n\r\n"
                    .utf8),
        ]
    } run: { bytes in
        let input = [UInt8](bytes)
        let whole = HTTPRequestReading(input, piece: .max)
        // A piece a byte is quadratic in the bytes left over, and finds no more.
        let piece = input.count > 256 ? 61 : 1
        precondition(HTTPRequestReading(input, piece: piece) == whole, "\(whole)")
    }
}
