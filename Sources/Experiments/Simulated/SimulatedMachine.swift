import Basics
import Simulator

/// One party's machine, with at most one process on it.
protocol SimulatedMachine: AnyObject {
    /// The machine and what its process is doing.
    var life: MachineLife { get }
    /// Starts the party's program.
    func launch(on platform: SimulatedPlatform)
    /// Ends the program in order, and then calls back; it may take a while.
    func leave(_ done: @escaping () -> Void)
    /// The process is gone.
    func forget()
}

/// A machine's process: whether there is one, and whether it runs.
final class MachineLife {
    let party: Party
    let host: Host
    fileprivate(set) var platform: SimulatedPlatform?
    fileprivate var isLeaving = false

    fileprivate let world: World
    private var random: SeededGenerator
    private let onChange: (HistoryEvent.ProcessState) -> Void
    private var told = HistoryEvent.ProcessState.down

    init(
        party: Party, host: Host, world: World, seed: UInt64, onChange: @escaping (HistoryEvent.ProcessState) -> Void
    ) {
        (self.party, self.host, self.world, self.onChange) = (party, host, world, onChange)
        random = SeededGenerator(seed: seed)
    }

    /// For what the party draws.
    func seed() -> UInt64 { random.next() }

    /// A process that says goodbye counts as down.
    private var state: HistoryEvent.ProcessState {
        platform == nil || isLeaving ? .down : host.pause == nil ? .up : .paused
    }

    fileprivate func tell() {
        guard state != told else { return }
        told = state
        onChange(told)
    }
}

extension SimulatedMachine {
    /// Starts the process; one that is still saying goodbye is killed before.
    func start() {
        if life.isLeaving { kill() }
        guard life.platform == nil else { return }
        life.host.powerOn()
        let platform = SimulatedPlatform(on: life.host, seed: life.seed())
        life.platform = platform
        launch(on: platform)
        life.tell()
    }

    /// kill -9.
    func kill() {
        life.host.killProcesses()
        ended()
    }

    /// No FIN, no reset.
    func losePower() {
        life.host.powerOff()
        ended()
    }

    /// SIGTERM.
    func stop() {
        guard life.platform != nil, !life.isLeaving else { return }
        life.isLeaving = true
        life.tell()
        leave { [weak self] in
            guard let self else { return }
            // Not in the middle of a callback of the process itself.
            life.world.at(life.world.time) { [weak self] in if self?.life.isLeaving == true { self?.kill() } }
        }
    }

    /// SIGSTOP.
    func pause() {
        guard life.platform != nil else { return }
        life.host.pause(.process)
        life.tell()
    }

    /// SIGCONT.
    func resume() {
        life.host.resume(timersFirst: false, wallCatchesUp: true)
        life.tell()
    }

    private func ended() {
        life.isLeaving = false
        guard life.platform != nil else { return }
        life.platform = nil
        forget()
        life.tell()
    }
}
