import CLibuv

/// One handler of one signal.
final class SignalWatch: HandleOwner {
    private let handle = UnsafeMutablePointer<uv_signal_t>.allocate(capacity: 1)
    private let handler: () -> Void

    init(_ handler: @escaping () -> Void) { self.handler = handler }

    deinit { handle.deallocate() }

    func open(_ uv: UnsafeMutablePointer<uv_loop_t>, _ number: Int32) {
        uv_signal_init(uv, handle)
        adopt(handle)
        let status = uv_signal_start(
            handle,
            { handle, _ in
                Unmanaged<SignalWatch>.fromOpaque(handle!.pointee.data).takeUnretainedValue().handler()
            }, number)
        precondition(status == 0, "signal \(number) cannot be caught: \(status)")
    }

    override func close() { closeHandle(handle) }
}
