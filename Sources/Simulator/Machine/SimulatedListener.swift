import Basics
import Platform

/// A listening port of a host.
final class SimulatedListener: Listener {
    let address: Address
    let options: StreamOptions
    unowned let platform: SimulatedPlatform
    /// Nil once closed.
    private(set) var handler: (any ListenerHandler)?
    /// Accepted and not yet closed.
    var members = 0

    init(_ platform: SimulatedPlatform, address: Address, options: StreamOptions, handler: any ListenerHandler) {
        self.platform = platform
        self.address = address
        self.options = options
        self.handler = handler
    }

    /// Closed at the latest when its process ends.
    var isOpen: Bool { handler != nil }

    func close() {
        handler = nil
        if platform.isShadow {
            platform.shadowListeners[address.port] = nil
        } else if platform.host.listeners[address.port] === self {
            platform.host.listeners[address.port] = nil
        }
    }
}
