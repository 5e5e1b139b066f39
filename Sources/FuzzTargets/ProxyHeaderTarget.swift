import Remoting

extension FuzzTarget {
    /// The PROXY header that a load balancer puts first, in text or binary.
    static let proxyHeader = FuzzTarget("proxyHeader") {
        [
            Array("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".utf8),
            Array("PROXY TCP6 2001:db8::1 ::1 56324 443\r\n".utf8),
            [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 12]
                + [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 4, 1, 0xBB],
        ]
    } run: {
        guard case .header(let length, _)? = try? ProxyHeader.recognise($0) else { return }
        precondition(length <= $0.count, "\(length) of \($0.count) bytes")
    }
}
