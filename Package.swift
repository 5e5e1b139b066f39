// swift-tools-version: 6.2
// Hearsay: a NameServer cluster for Apache RocketMQ. Sources/ARCHITECTURE.md explains the module map.
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Bugs that the simulator must find (Basics/PlantedBug.swift): never in a release build.
    .define("PLANTED_BUGS", .when(configuration: .debug)),
]

/// For the program as it is shipped: nothing that a machine may lack (.deploy/link has libgcc_s and libstdc++ for
/// static linking), and no table of symbols for others, since nobody loads it.
let lean = ["-use-ld=lld", "-L\(Context.packageDirectory)/.deploy/link", "-Xlinker", "--no-export-dynamic"]

/// A library module of ours; imports may only point at what is listed here (`make check` proves it).
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "hearsay",
    products: [
        .executable(name: "hearsay", targets: ["hearsay"]),
        .executable(name: "hearsay-bench", targets: ["hearsay-bench"]),
        .executable(name: "limit-server", targets: ["limit-server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // C libraries from Debian; nothing is vendored.
        .systemLibrary(name: "CLibuv", pkgConfig: "libuv-static", providers: [.apt(["libuv1-dev"])]),
        .systemLibrary(name: "CDeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Values and contracts.
        module("Basics"),
        module("Platform", ["Basics"]),
        module("Remoting", ["Basics", "CDeflate"]),

        // Cores: decisions without IO.
        module("NameServerCore", ["Basics", "Remoting"]),
        module("GossipCore", ["Basics"], exclude: ["ALGORITHM.md"]),
        module("AccessControl", ["Basics", "Remoting", "COpenSSL"]),

        // Shells: IO without decisions.
        module("EventLoop", ["Basics", "Platform", "CLibuv"]),
        module("SecureTransport", ["Basics", "Platform", "COpenSSL"]),
        module("RemotingTransport", ["Basics", "Platform", "Remoting"]),
        module("HTTPServer", ["Basics", "Platform"]),
        module("ClusterView", ["Basics", "Platform", "Remoting", "RemotingTransport"]),
        module(
            "ClusterPage", ["Basics", "Platform", "Remoting", "RemotingTransport", "HTTPServer", "ClusterView"],
            resources: [
                "page.html", "page.css", "page.js", "words.js", "matrix.js", "charts.js", "details.js", "switches.js",
            ].map { .embedInCode("Assets/\($0)") }),
        module(
            "NameServerNode",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "SecureTransport", "HTTPServer", "ClusterPage",
                "NameServerCore", "GossipCore", "AccessControl", logging,
            ]),
        module("BrokerAgent", ["Basics", "Platform", "Remoting", "RemotingTransport"]),
        module("RouteClient", ["Basics", "Platform", "Remoting", "RemotingTransport"]),
        module("ClusterConfiguration", ["Basics", "AccessControl", "CYAML"]),
        module("Migration", ["Basics", "Platform", "Remoting", "RemotingTransport", "ClusterView"]),
        module("Supervisor", ["Basics", "Platform"]),

        // The same nodes, brokers and clients in virtual time. Never EventLoop.
        module(
            "Simulator",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "NameServerCore", "NameServerNode", "GossipCore",
                "BrokerAgent", "RouteClient", "AccessControl", logging,
            ], exclude: ["README.md"]),

        // One scenario vocabulary, drivers in virtual time and on real processes, figures, the report.
        module(
            "Experiments",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "NameServerCore", "NameServerNode",
                "GossipCore", "BrokerAgent", "RouteClient", "ClusterConfiguration", "ClusterView", "ClusterPage",
                "Supervisor", "Simulator", "AccessControl", logging,
            ]),

        // Programs: argument parsing and printing only.
        .executableTarget(
            name: "hearsay",
            dependencies: [
                "Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "NameServerCore",
                "NameServerNode", "HTTPServer", "ClusterPage", "GossipCore", "AccessControl", "SecureTransport",
                "BrokerAgent", "RouteClient", "ClusterConfiguration", "ClusterView", "Migration", "Supervisor",
                "Simulator", "Experiments", arguments, logging,
            ], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(lean, .when(configuration: .release))]),
        .executableTarget(
            name: "hearsay-bench",
            dependencies: [
                "Basics", "Platform", "Remoting", "Supervisor", "ClusterView", "GossipBench", "Load", "limit-server",
                arguments,
            ], path: "bench",
            exclude: ["README.md", "results", "experiments", "Gossip", "Load", "LimitServer", "CMachine"],
            swiftSettings: strict),
        // The load tool: knows the protocol and no server's inside, but for its micro-benchmarks of our cores.
        .target(
            name: "Load",
            dependencies: [
                "Basics", "Platform", "Remoting", "Supervisor", "NameServerCore", "GossipCore", "CMachine", histogram,
            ], path: "bench/Load", swiftSettings: strict),
        .target(name: "CMachine", path: "bench/CMachine"),
        // Plain C on libuv: the limit that our node is measured against.
        .executableTarget(
            name: "limit-server", dependencies: ["CLibuv", "CDeflate"], path: "bench/LimitServer",
            // C does not read what the module says about linking.
            linkerSettings: [.linkedLibrary(":libdeflate.a")]),
        // Measures the gossip core in virtual time; a module so that tests run it in small.
        .target(
            name: "GossipBench", dependencies: ["Basics", "GossipCore"], path: "bench/Gossip", swiftSettings: strict),
        // Everything that a socket or a file brings in, under fire; with libFuzzer, or in small with the tests.
        module(
            "FuzzTargets",
            [
                "Basics", "Remoting", "NameServerCore", "GossipCore", "HTTPServer", "ClusterConfiguration", "Migration",
            ]),
        .executableTarget(
            name: "Fuzz", dependencies: ["Basics", "Remoting", "FuzzTargets"], swiftSettings: strict),

        // Tests. TestSupport starts real processes and speaks raw bytes.
        .target(
            name: "TestSupport", dependencies: ["Basics", "Remoting", "SecureTransport", "COpenSSL"],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("BasicsTests", ["Basics"]),
        tests("RemotingTests", ["Basics", "Remoting", "TestSupport"]),
        tests("EventLoopTests", ["Basics", "Platform", "EventLoop", "TestSupport"]),
        tests(
            "SecureTransportTests",
            ["Basics", "Platform", "EventLoop", "SecureTransport", "COpenSSL", "TestSupport"]),
        tests("NameServerCoreTests", ["Basics", "Remoting", "NameServerCore"]),
        tests("GossipCoreTests", ["Basics", "GossipCore"]),
        tests("FuzzTests", ["FuzzTargets"], exclude: ["Corpus"]),
        tests("GossipBenchTests", ["GossipBench"]),
        tests("HTTPServerTests", ["Basics", "Platform", "EventLoop", "HTTPServer", "TestSupport"]),
        tests(
            "ClusterPageTests",
            ["Basics", "Platform", "EventLoop", "HTTPServer", "ClusterView", "ClusterPage", "TestSupport", "hearsay"]),
        tests("LoadTests", ["Basics", "Remoting", "Load", "TestSupport", "hearsay", "limit-server"]),
        tests(
            "NameServerNodeTests",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "SecureTransport", "EventLoop", "GossipCore",
                "HTTPServer", "NameServerCore", "NameServerNode", "AccessControl", "Simulator", "TestSupport",
                "hearsay",
                logging,
            ]),
        tests(
            "BrokerAgentTests", ["Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "BrokerAgent"],
            resources: [.copy("Captures")]),
        tests("RouteClientTests", ["Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "RouteClient"]),
        tests("RemotingTransportTests", ["Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop"]),
        tests(
            "ClusterViewTests",
            ["Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "ClusterView"]),
        tests(
            "MigrationTests",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "ClusterView", "Migration",
                "TestSupport", "hearsay",
            ]),
        tests("SupervisorTests", ["Basics", "Platform", "EventLoop", "Supervisor", "TestSupport"]),
        tests(
            "SimulatorTests",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "NameServerCore", "NameServerNode",
                "GossipCore", "RouteClient", "Simulator", "TestSupport", "hearsay",
            ]),
        tests(
            "ExperimentsTests",
            [
                "Basics", "Platform", "Remoting", "RemotingTransport", "EventLoop", "BrokerAgent", "RouteClient",
                "ClusterConfiguration", "ClusterView", "Simulator", "Experiments", "TestSupport", "hearsay",
            ]),
        tests("AccessControlTests", ["Basics", "Remoting", "AccessControl", "TestSupport"]),
        tests("ClusterConfigurationTests", ["Basics", "AccessControl", "ClusterConfiguration"]),
        tests(
            "ConformanceTests", ["Basics", "Remoting", "TestSupport", "hearsay"], exclude: ["tls_client.py"],
            resources: [.copy("Captures")]),
        tests(
            "EndToEndTests", ["Basics", "Remoting", "TestSupport", "hearsay"], exclude: ["cpp_client.py"]),
    ],
    swiftLanguageModes: [.v6]
)
