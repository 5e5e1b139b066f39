import Basics
import EventLoop
import Glibc
import Platform

/// Runs an arm on real processes of this machine, with proxies between them that make their links as bad as told.
///
/// Needs no privileges. Processes: `hearsay serve` for each node, `hearsay broker` for each replica; the clients run in this
/// process. SIGINT, SIGTERM and SIGHUP end everything within two seconds, and a killed runner's processes end themselves.
public final class LiveDriver: ExperimentDriver {
    private let setting: LiveSetting

    /// - Parameters:
    ///   - executable: the path of `hearsay`.
    ///   - workDirectory: where files and outputs of each arm go, in a directory of its own that is emptied first.
    ///   - seed: decides what chance decides here; processes keep their own clocks, so no two runs are alike.
    ///   - apacheCommand: for a shell: how an Apache NameServer is started, with `{port}` (or `%p`) and `{config}`, a
    ///     properties file with port and scan interval, filled in. Nil = there is none.
    ///   - usesNamespaces: each party in a network namespace of its own; root only.
    public init(
        executable: String, workDirectory: String, seed: UInt64, apacheCommand: String?, usesNamespaces: Bool
    ) {
        setting = LiveSetting(
            executable: executable, workDirectory: WorkDirectory.absolute(workDirectory), seed: seed,
            apacheCommand: apacheCommand,
            usesNamespaces: usesNamespaces)
    }

    /// See `ExperimentDriver`. Blocks until the arm has ended and nothing of it is left; takes SIGINT, SIGTERM, SIGHUP and
    /// SIGCHLD over meanwhile.
    public func run(
        _ arm: Arm, of scenario: Scenario, onEvent: @escaping (HistoryEvent) -> Void
    ) throws(ExperimentError) {
        if let obstacle = obstacles(to: scenario).first { throw ExperimentError(obstacle) }
        allowOpenFiles()
        do {
            let loop = try EventLoop()
            let run = LiveRun(loop, setting, arm, scenario, onEvent)
            run.start()
            loop.run()
            if let failure = run.failure { throw ExperimentError(failure) }
        } catch let error as PlatformError {
            throw ExperimentError(error.description)
        } catch let error as ExperimentError {
            throw error
        } catch {
            throw ExperimentError("\(error)")
        }
    }

    /// Every proxy needs descriptors of its own; as many as the system lets us.
    private func allowOpenFiles() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(files, &limit)
    }

    /// See `ExperimentDriver`; also what is to be installed.
    public func obstacles(to scenario: Scenario) -> [String] { setting.obstacles(to: scenario) }
}

/// What a driver was told.
struct LiveSetting {
    let executable: String
    let workDirectory: String
    let seed: UInt64
    let apacheCommand: String?
    let usesNamespaces: Bool
}
