import CLibuv

/// Gives each turn of the loop its share of bulk reading (`LoopCore.bulkBytesPerTurn`).
final class TurnStart: HandleOwner {
    private let prepare: UnsafeMutablePointer<uv_prepare_t>
    private let core: UnsafeMutablePointer<LoopCore>

    init(_ uv: UnsafeMutablePointer<uv_loop_t>, _ core: UnsafeMutablePointer<LoopCore>) {
        self.core = core
        prepare = .allocate(capacity: 1)
        uv_prepare_init(uv, prepare)
    }

    deinit { prepare.deallocate() }

    func open() {
        adopt(prepare)
        uv_prepare_start(prepare) {
            Unmanaged<TurnStart>.fromOpaque($0!.pointee.data)._withUnsafeGuaranteedRef {
                $0.core.pointee.bulkBytesLeft = LoopCore.bulkBytesPerTurn
            }
        }
    }

    override func close() { closeHandle(prepare) }
}
