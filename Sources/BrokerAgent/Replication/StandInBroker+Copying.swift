// The shell around `MasterCopy`: a slave's connection to its master.

import Basics
import Platform
import Remoting
import RemotingTransport

extension StandInBroker {
    func masterChanged(_ address: Address?) {
        guard !identity.isMaster else { return }
        onEvent?(.master(address))
        var directives: [MasterCopy.Directive] = []
        copy.follow(address, now: platform.now, directives: &directives)
        perform(directives)
    }

    func advanceCopy(now: Instant) {
        guard copy.nextDeadline <= now else { return }
        var directives: [MasterCopy.Directive] = []
        copy.tick(now: now, directives: &directives)
        perform(directives)
    }

    private func perform(_ directives: [MasterCopy.Directive]) {
        for directive in directives {
            switch directive {
            case .connect(let address): connect(to: address)
            case .ask(let question, let life, let command, let timeout): ask(question, life, command, timeout)
            case .broker(let directive): perform([directive])
            case .changed(let master, let isCopying, let reason):
                onEvent?(.copying(from: master, isCopying: isCopying, reason: reason))
            }
        }
        armTimer()
    }

    private func connect(to address: Address?) {
        masterConnection?.close()
        masterConnection = address.map { RemotingConnection(platform: platform, address: $0) }
        masterConnection?.onClose = { [weak self] reason in
            guard let self else { return }
            var directives: [MasterCopy.Directive] = []
            copy.connectionClosed(
                reason: "\(RemotingCallError.closed(reason))", now: platform.now, random: &random,
                directives: &directives)
            perform(directives)
        }
        masterConnection?.onRequest = { [weak self] command in
            guard let self, command.code == CopyProtocol.topicsChanged else { return }
            var directives: [MasterCopy.Directive] = []
            copy.topicsHinted(now: platform.now, directives: &directives)
            perform(directives)
        }
    }

    private func ask(
        _ question: MasterCopy.Question, _ life: UInt64, _ command: RemotingCommand, _ timeout: Duration
    ) {
        masterConnection?.call(command, timeout: timeout) { [weak self] result in
            guard let self else { return }
            var directives: [MasterCopy.Directive] = []
            copy.answered(
                question, life: life, result.mapError { .unreachable("\($0)") }, broker: &core, now: platform.now,
                wallTime: platform.wallTime, random: &random, directives: &directives)
            perform(directives)
        }
    }
}
