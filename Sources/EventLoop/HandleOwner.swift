import CLibuv

/// What a libuv handle's `data` points at.
///
/// libuv holds one retain of the owner from `adopt` until the close callback, and owners free their handle's memory in
/// `deinit`: so no handle ever dies before libuv has said that it is done with it.
class HandleOwner {
    /// Starts closing; idempotent. `EventLoop.stop` calls it for everything that is open.
    func close() { preconditionFailure("every owner closes its own handles") }

    /// The close callback has come for (one of) the owner's handles.
    func handleClosed() {}

    /// Lets libuv own a retain. `handle` was just initialised on its loop.
    final func adopt(_ handle: UnsafeMutableRawPointer) {
        let handle = handle.assumingMemoryBound(to: uv_handle_t.self)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        EventLoop.of(handle).core.pointee.handles += 1
    }

    /// Closes a handle that was adopted, unless that has begun already.
    final func closeHandle(_ handle: UnsafeMutableRawPointer) {
        let handle = handle.assumingMemoryBound(to: uv_handle_t.self)
        if uv_is_closing(handle) == 0 { uv_close(handle, HandleOwner.didClose) }
    }

    static let didClose: uv_close_cb = { handle in
        let loop = EventLoop.of(handle!)
        let owner = Unmanaged<HandleOwner>.fromOpaque(handle!.pointee.data).takeRetainedValue()
        owner.handleClosed()
        loop.core.pointee.handles -= 1
        loop.endRunWhenIdle()
    }
}
