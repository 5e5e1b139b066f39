import CLibuv
import Glibc
import Platform

extension PlatformError {
    /// Words for a libuv status (negative, as libuv returns it).
    init(_ operation: String, status: Int32) {
        let name = Self.text { uv_err_name_r(status, $0, $1) }
        let message = Self.text { uv_strerror_r(status, $0, $1) }
        self.init(operation: operation, name: name, message: message)
    }

    /// Words for an `errno` (positive); by default the calling thread's.
    init(_ operation: String, errno code: Int32 = Glibc.errno) { self.init(operation, status: -code) }

    /// libuv's allocating variants leak a string for every unknown status.
    private static func text(_ fill: (UnsafeMutablePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress, fill(start, buffer.count) != nil else { return "" }
            return String(cString: start)
        }
    }
}
